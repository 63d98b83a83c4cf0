// Whom the runner of models serves, and what gives way for that: by the real loader and a driver
// that the test scripts.
#include <almanac/tests/support/models_on_card.h>

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class ModelWaits : public ModelsOnCard {};

// Each is measured by what comes free after it, which would be another's, too.
TEST_F(ModelWaits, WhatGivesWayGoesOneAfterTheOther) {
  watch();
  for (const char* name : {"a", "b"}) {
    add(spec(name, 4 * card_gib));
    make_resident(name);
  }
  add(spec("large", 8 * card_gib));
  ASSERT_TRUE(use("large"));
  std::vector<std::string> changes;
  ASSERT_TRUE(engine->log().read(Position(1), [&](const RecordedEvent& one) -> Result<bool> {
    if (std::holds_alternative<ModelUnloadStarted>(one.event.body)) changes.emplace_back("starts");
    if (std::holds_alternative<ModelReleased>(one.event.body)) changes.emplace_back("released");
    return true;
  }));
  EXPECT_EQ(changes, (std::vector<std::string>{"starts", "released", "starts", "released"}));
  EXPECT_EQ(model("a").slow_releases + model("b").slow_releases, 0U);
}

// Both are served at once, when what was on its way has come: there is no way for the large one,
// which takes the small one instead, and the other would have its room.
TEST_F(ModelWaits, WhatWasJustHandedOutDoesNotGiveWay) {
  watch();
  add(spec("small", 2 * card_gib));
  make_resident("small");
  ModelSpec pinned = spec("pinned", 2 * card_gib);
  pinned.is_pinned = true;
  add(pinned);
  ModelSpec large = spec("large", 9 * card_gib);
  large.alternative = "small";
  add(large);
  add(spec("other", 6 * card_gib + card_gib / 2));
  hold_loads();
  auto first = ask("pinned");
  ASSERT_TRUE(comes_to("pinned", ModelState::loading));
  auto degraded = ask("large");
  auto other = ask("other");
  let_all_go();
  auto lease = degraded.get();
  ASSERT_TRUE(lease) << describe(lease.error());
  EXPECT_EQ(lease->model(), "small");
  ASSERT_TRUE(comes_to([&](const State& state) {
    return state.models.all.find(*state.names.find("large"))->degraded == 1;
  }));
  EXPECT_EQ(model("small").state, ModelState::resident) << "it is in use";
  EXPECT_EQ(evictions(), "");
  lease = ModelLease();
  EXPECT_TRUE(other.get()) << "now there is room";
  EXPECT_EQ(evictions(), "small for other, ");
  EXPECT_TRUE(first.get());
}

TEST_F(ModelWaits, NothingIsDoneForWhoIsRefusedAsTooLate) {
  watch();
  for (const char* name : {"there", "late", "next"}) add(spec(name, 6 * card_gib));
  make_resident("there");
  EXPECT_EQ(use("late", 0s).error().code, ErrorCode::timed_out);
  EXPECT_EQ(engine->unload_model("there", 0s).error().code, ErrorCode::timed_out);
  ASSERT_TRUE(use("next"));
  EXPECT_EQ(loads_of("late"), 0);
  EXPECT_EQ(evictions(), "there for next, ");
}

TEST_F(ModelWaits, WhatIsAskedToGoWaitsForALoadOnItsGpu) {
  watch();
  for (const char* name : {"a", "b"}) add(spec(name, 3 * card_gib));
  make_resident("a");
  hold_loads();
  auto lease = ask("b");
  ASSERT_TRUE(comes_to("b", ModelState::loading));
  EXPECT_EQ(engine->unload_model("a", 50ms).error().code, ErrorCode::timed_out);
  EXPECT_EQ(model("a").state, ModelState::resident);
  let_all_go();
  EXPECT_TRUE(engine->unload_model("a"));
  EXPECT_TRUE(lease.get());
}

}  // namespace
}  // namespace almanac::test
