#include <almanac/log/gathering.h>

#include <gtest/gtest.h>

namespace almanac {
namespace {

using namespace std::chrono_literals;

constexpr Gathering::Clock::time_point now{1h};
constexpr auto took = 200us;

// Whether a frame of one append would wait for more.
bool waits(const Gathering& gathering) { return !gathering.complete(1); }

TEST(Gathering, LetsAFrameGoAtOnceInTheBeginning) {
  EXPECT_FALSE(waits(Gathering()));
  EXPECT_TRUE(Gathering().complete(0));
}

TEST(Gathering, WaitsForAsManyAsWereOnTheirWayAndAsLongAsTheLastFrameTook) {
  Gathering gathering;
  gathering.written(1, 63, now, took);
  EXPECT_FALSE(gathering.complete(55));
  EXPECT_TRUE(gathering.complete(56)) << "an eighth may have something else to do";
  EXPECT_EQ(gathering.until(), now + took);
}

TEST(Gathering, DoesNotWaitForAFew) {
  Gathering gathering;
  gathering.written(1, 6, now, took);
  EXPECT_FALSE(waits(gathering));
  gathering.written(1, 7, now, took);
  EXPECT_TRUE(waits(gathering));
}

TEST(Gathering, GoesOnWhileTheyCome) {
  Gathering gathering;
  for (int frame = 0; frame < 1'000; ++frame) {
    gathering.written(64, 0, now, took);
    ASSERT_TRUE(waits(gathering)) << frame;
  }
}

// The frames that follow a wait and do not wait themselves.
int frames_without_wait(Gathering& gathering) {
  int frames = 0;
  for (gathering.written(8, 56, now, took); !waits(gathering); ++frames) {
    gathering.written(8, 56, now, took);
  }
  return frames;
}

TEST(Gathering, WaitsMoreAndMoreSeldomInVain) {
  Gathering gathering;
  gathering.written(8, 56, now, took);
  ASSERT_TRUE(waits(gathering));
  for (int frames : {2, 4, 8, 16, 32, 64, 64}) EXPECT_EQ(frames_without_wait(gathering), frames);
}

TEST(Gathering, ForgetsWaitsInVainWhenOneWasNot) {
  Gathering gathering;
  gathering.written(8, 56, now, took);
  for (int i = 0; i < 4; ++i) (void)frames_without_wait(gathering);
  ASSERT_TRUE(waits(gathering));
  gathering.written(60, 4, now, took);
  EXPECT_TRUE(waits(gathering));
  EXPECT_EQ(frames_without_wait(gathering), 2);
}

}  // namespace
}  // namespace almanac
