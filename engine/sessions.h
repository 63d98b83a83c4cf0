// Ending what commands have started. Each command leads a session of its own; a process group is
// less than that: shells and timeout(1) put what they start into groups of their own.
#pragma once

#include <sys/types.h>

#include <span>

namespace almanac {

// Sends SIGKILL to every process of these sessions, each named by its leader's number. A number
// must still be taken, be it by a zombie, or it may mean another session by now.
// Reads /proc, which takes some microseconds for each process of the machine; without /proc it
// kills the leaders' groups alone. Makes bare system calls, so that the guard may call it.
void kill_sessions(std::span<const pid_t> sessions);

}  // namespace almanac
