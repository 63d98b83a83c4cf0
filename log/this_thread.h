// What our own threads are called, how they share the processor with the others, and how they wait.
#pragma once

#include <chrono>
#include <stop_token>

namespace almanac::this_thread {

// As tools that list threads show it; at most 15 characters.
void set_name(const char* name);

// Waking this thread does not take the processor from who woke it: for work that is done beside
// something more urgent. Its share of a busy processor stays what it was.
void give_way();
// Of a busy processor this thread, and those it starts from now on, take a tenth of what another
// one of this process takes: for work that may fall behind. Less where the process is a nice one,
// for which there are not enough steps. Not for the first thread.
void stay_behind();

// Waits so long, or until it is told to stop.
void wait_for(const std::stop_token& stop, std::chrono::microseconds time);

}  // namespace almanac::this_thread
