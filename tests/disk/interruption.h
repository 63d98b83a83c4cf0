// An operation that is cut short: killed at each of its calls to the disk, and with each of them
// failing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace almanac::test {

struct Interruption {
  std::filesystem::path folder;   // whose calls count; absolute
  std::function<void()> prepare;  // makes everything as it was
  // The operation, and whether it succeeded. In a process of its own where it is killed. Leaves no
  // thread behind.
  std::function<bool()> run;
  std::function<void()> check;  // what must hold afterwards, with the assertions of GoogleTest
};

// Killed before each call and behind each, until there is no such call; then it must succeed. Ends
// at the first check that fails the test. Answers how many kills there were. The calling process
// must have no other threads.
[[nodiscard]] std::uint64_t kill_at_every_call(const Interruption& interruption);

// The same with each call that fails, in every way of the injector's, once and from then on.
[[nodiscard]] std::uint64_t fail_every_call(const Interruption& interruption);

}  // namespace almanac::test
