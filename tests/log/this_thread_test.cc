// How our threads share the processor.
#include <almanac/log/this_thread.h>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace almanac::test {
namespace {

int niceness_of(pid_t thread) { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(thread)); }

// Ends the process with 0 where a thread is as far behind the others of one that was made nicer.
[[noreturn]] void stay_behind_in_a_nicer_process() {
  const int before = niceness_of(::getpid());
  (void)::setpriority(PRIO_PROCESS, 0, std::min(before + 3, 19));
  const int expected = std::min(niceness_of(::getpid()) + 10, 19);
  bool is_so = false;
  std::thread([&] {
    this_thread::stay_behind();
    this_thread::stay_behind();
    is_so = niceness_of(::gettid()) == expected;
  }).join();
  std::_Exit(is_so && niceness_of(::getpid()) == std::min(before + 3, 19) ? 0 : 1);
}

TEST(ThisThread, StaysBehindTheOthersOfAProcessHoweverNiceThatIs) {
  EXPECT_EXIT(stay_behind_in_a_nicer_process(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace almanac::test
