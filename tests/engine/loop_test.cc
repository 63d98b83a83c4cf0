// The loop: wakes from any thread, one timer, descriptors watched until the watch goes.
#include <almanac/engine/loop.h>
#include <almanac/log/file.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <optional>
#include <thread>

namespace almanac::test {
namespace {

// A loop whose callbacks a test sets one by one.
struct TestLoop {
  std::function<void()> on_wake = [] {};
  std::function<void()> on_timer = [] {};
  Loop loop{{.on_wake = [this] { on_wake(); },
             .on_timer = [this] { on_timer(); },
             .on_signal = [](int) {}}};
};

TEST(Loop, HearsAWakeThatCameBeforeItRan) {
  TestLoop test;
  test.on_wake = [&] { test.loop.stop(); };
  test.loop.wake();
  test.loop.run();
}

TEST(Loop, HearsTheLastOfManyWakes) {
  TestLoop test;
  std::atomic<int> sent = 0;
  test.on_wake = [&] {
    if (sent == 4'000) test.loop.stop();
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int left = 1'000; left > 0; --left) {
        ++sent;
        test.loop.wake();
      }
    });
  }
  test.loop.run();
  EXPECT_EQ(sent, 4'000);
}

TEST(Loop, CallsTheTimerOnceForWhatWasArmedLast) {
  TestLoop test;
  int calls = 0;
  test.on_timer = [&] {
    ++calls;
    test.loop.wake();
  };
  test.on_wake = [&] { test.loop.stop(); };
  test.loop.arm(std::chrono::hours(1));
  test.loop.arm(Duration(1));
  test.loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(Loop, TakesATimeThatIsPastForNow) {
  TestLoop test;
  test.on_timer = [&] { test.loop.stop(); };
  test.loop.arm(Duration(-5));
  test.loop.run();
}

TEST(Loop, DoesNotCallATimerThatWasDisarmed) {
  TestLoop test;
  test.on_timer = [] { ADD_FAILURE() << "the timer was disarmed"; };
  test.on_wake = [&] { test.loop.stop(); };
  test.loop.arm(Duration(0));
  test.loop.disarm();
  test.loop.wake();
  test.loop.run();
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    read = FileDescriptor(ends[0]);
    write = FileDescriptor(ends[1]);
  }
  FileDescriptor read;
  FileDescriptor write;
};

TEST(Loop, TellsOfADescriptorThatCanBeReadAndOfOneThatIsHungUp) {
  TestLoop test;
  Pipe full;
  Pipe hung_up;
  ASSERT_EQ(::write(full.write.get(), "x", 1), 1);
  hung_up.write = FileDescriptor();
  std::optional<Loop::WatchHandle> first;
  std::optional<Loop::WatchHandle> second;
  auto stop_at_last = [&] {
    if (!first && !second) test.loop.stop();
  };
  // A watch may end itself.
  first = test.loop.watch(full.read.get(), [&] {
    first.reset();
    stop_at_last();
  });
  second = test.loop.watch(hung_up.read.get(), [&] {
    second.reset();
    stop_at_last();
  });
  test.loop.run();
  EXPECT_FALSE(first || second);
}

TEST(Loop, LeavesADescriptorAloneOnceItsWatchHasGone) {
  TestLoop test;
  Pipe pipe;
  ASSERT_EQ(::write(pipe.write.get(), "x", 1), 1);
  auto watch = test.loop.watch(pipe.read.get(), [] { ADD_FAILURE() << "nobody watches"; });
  watch.reset();
  test.on_wake = [&] { test.loop.stop(); };
  test.loop.wake();
  test.loop.run();
}

}  // namespace
}  // namespace almanac::test
