// What a load has taken, by looks at what is free: where it can be told, and where it cannot.
#include <almanac/engine/model_measure.h>

#include <gtest/gtest.h>

#include <cstdint>

namespace almanac::test {
namespace {

constexpr std::uint64_t measure_gib = std::uint64_t{1} << 30U;

// Of a card of ten GiB, so much used by this process and by others.
GpuMemory card_with(std::uint64_t own, std::uint64_t others) {
  return {
      .size = 10 * measure_gib, .own = own * measure_gib, .budget = (10 - others) * measure_gib};
}

// Of what a server has loaded: the process itself uses nothing.
std::uint64_t learned_of_server(std::uint64_t before, std::uint64_t after, std::uint64_t declared) {
  LoadMeasure measure(card_with(0, before), 0, false);
  measure.see(card_with(0, after), 0);
  return measure.learned(declared);
}

TEST(LoadMeasures, AreWhatIsFreeLess) {
  EXPECT_EQ(learned_of_server(0, 4, 5 * measure_gib), 4 * measure_gib);
  EXPECT_EQ(learned_of_server(5, 9, 5 * measure_gib), 4 * measure_gib);
  EXPECT_EQ(learned_of_server(0, 4, 9 * measure_gib), 0U) << "less than half";
  EXPECT_EQ(learned_of_server(5, 4, measure_gib), 0U) << "more is free than was";
  EXPECT_EQ(learned_of_server(0, 4, 2 * measure_gib), 4 * measure_gib);
  EXPECT_EQ(learned_of_server(0, 4, 2 * measure_gib - 1), 0U) << "more than twice of it";
}

TEST(LoadMeasures, AreNotMadeOfEstimates) {
  GpuMemory estimate = card_with(0, 0);
  estimate.is_estimate = true;
  LoadMeasure measure(estimate, 0, false);
  estimate.budget -= 4 * measure_gib;
  measure.see(estimate, 0);
  EXPECT_EQ(measure.learned(4 * measure_gib), 0U);
}

// Six are taken, while others give three back: three less are free, which is half.
TEST(LoadMeasures, AreNotBelievedWhereOthersHaveGivenBack) {
  LoadMeasure measure(card_with(0, 3), 0, false);
  measure.see(card_with(0, 0), 0);
  measure.see(card_with(0, 6), 0);
  EXPECT_EQ(measure.learned(6 * measure_gib), 0U);
  EXPECT_EQ(measure.learned(3 * measure_gib), 3 * measure_gib)
      << "no less than was declared: what came free may be its own";
}

TEST(LoadMeasures, AreNotBelievedWhereALittleComesFreeAgainAndAgain) {
  LoadMeasure measure(card_with(0, 8), 0, false);
  GpuMemory now = card_with(0, 8);
  for (int i = 0; i < 20; ++i) {
    now.budget += measure_gib / 20;
    measure.see(now, 0);
  }
  now.budget -= 2 * measure_gib;
  measure.see(now, 0);
  EXPECT_EQ(measure.learned(2 * measure_gib), 0U) << "one GiB less is free than was";
}

TEST(LoadMeasures, AreOfTheProcessItselfWhereThatMakesSense) {
  LoadMeasure measure(card_with(1, 3), 0, false);
  measure.see(card_with(1, 0), 0);
  measure.see(card_with(7, 0), 0);
  EXPECT_EQ(measure.learned(6 * measure_gib), 6 * measure_gib) << "whatever others give back";
  measure.see(card_with(7, 2), 0);
  EXPECT_EQ(measure.learned(6 * measure_gib), 6 * measure_gib) << "or take";
  EXPECT_EQ(measure.learned(2 * measure_gib), 0U) << "neither makes sense";
}

TEST(LoadMeasures, AreNotBelievedWhereATaskHasEnded) {
  LoadMeasure measure(card_with(0, 3), 3 * measure_gib, false);
  measure.see(card_with(0, 9), 3 * measure_gib);
  EXPECT_EQ(measure.learned(6 * measure_gib), 6 * measure_gib);
  measure.see(card_with(0, 9), measure_gib);
  EXPECT_EQ(measure.learned(6 * measure_gib), 0U) << "though nothing came free yet";
}

TEST(LoadMeasures, AreNotBelievedWhereSomethingOfOursMayStillComeFree) {
  LoadMeasure measure(card_with(0, 0), 0, true);
  measure.see(card_with(0, 6), 0);
  EXPECT_EQ(measure.learned(6 * measure_gib), 0U);
}

TEST(LoadMeasures, KnowWhatIsSteadyAndWhatShowsARelease) {
  const GpuMemory after = card_with(4, 0);
  EXPECT_TRUE(shows_release(3 * measure_gib, after, 6 * measure_gib));
  EXPECT_FALSE(shows_release(3 * measure_gib + 1, after, 6 * measure_gib));
  EXPECT_TRUE(is_steady(after, after));
  GpuMemory later = after;
  later.own += measure_gib / 9;
  EXPECT_FALSE(is_steady(after, later));
}

}  // namespace
}  // namespace almanac::test
