// What the state knows of models.
#include <almanac/projections/invariants.h>
#include <almanac/projections/state_diff.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::uint64_t model_gib = std::uint64_t{1} << 30U;
constexpr const char* by_command = R"({"load":["true"]})";

const Model& model_of(const Story& story, std::string_view model = "llama") {
  return *story.state().models.all.find(*story.state().names.find(model));
}

bool register_model(Story& story, std::string_view commands = by_command) {
  return story.tell(
      ModelRegistered{.model = "llama", .bytes = 4 * model_gib, .commands = commands});
}

bool start_load(Story& story) {
  return story.tell(ModelLoadStarted{"llama", "card", 4 * model_gib, story.now()});
}

// Leads it as far as resident.
void load(Story& story, std::uint64_t measured = 0) {
  start_load(story);
  story.tell(ModelLoaded{"llama", std::chrono::seconds(3)});
  story.tell(ModelMeasured{"llama", measured});
}

TEST(Models, GoFromAbsentToResidentAndBack) {
  Story story;
  ASSERT_TRUE(register_model(story));
  EXPECT_EQ(model_of(story).state, ModelState::absent);
  EXPECT_FALSE(model_of(story).holds_memory());
  ASSERT_TRUE(start_load(story));
  EXPECT_EQ(model_of(story).reserved, 4 * model_gib);
  EXPECT_EQ(story.state().names.text(*model_of(story).gpu), "card");
  ASSERT_TRUE(story.tell(ModelLoaded{"llama", std::chrono::seconds(3)}));
  EXPECT_TRUE(model_of(story).is_loaded());
  EXPECT_EQ(model_of(story).reserved, 4 * model_gib) << "until what it takes is known";
  EXPECT_EQ(model_of(story).load_time, std::chrono::seconds(3));
  EXPECT_EQ(model_of(story).loaded_at, story.state().time);
  ASSERT_TRUE(story.tell(ModelMeasured{"llama", 5 * model_gib}));
  EXPECT_EQ(model_of(story).reserved, 0U);
  EXPECT_EQ(model_of(story).bytes(), 5 * model_gib) << "what was measured, not what was declared";
  ASSERT_TRUE(story.tell(ModelUnloadStarted{"llama", ModelUnloadCause::asked, {}}));
  EXPECT_EQ(model_of(story).evictions, 0U);
  ASSERT_TRUE(story.tell(ModelUnloaded{"llama", std::chrono::seconds(1)}));
  EXPECT_FALSE(model_of(story).holds_memory());
  EXPECT_TRUE(model_of(story).gpu) << "whose memory is not free yet";
  ASSERT_TRUE(story.tell(ModelReleased{"llama", 5 * model_gib, true}));
  EXPECT_EQ(model_of(story).state, ModelState::absent);
  EXPECT_FALSE(model_of(story).gpu);
  EXPECT_EQ(model_of(story).slow_releases, 1U);
  EXPECT_EQ(story.state().ignored, 0U);
}

TEST(Models, TakeNoStepThatIsNotTheirs) {
  Story story;
  EXPECT_FALSE(story.tell(ModelChanged{"llama", true, 1})) << "is not known";
  register_model(story);
  EXPECT_FALSE(story.tell(ModelLoaded{"llama", {}}));
  EXPECT_FALSE(story.tell(ModelMeasured{"llama", 1}));
  EXPECT_FALSE(story.tell(ModelUnloadStarted{"llama", ModelUnloadCause::room, {}}));
  EXPECT_FALSE(story.tell(ModelReleased{"llama", 1, false}));
  EXPECT_FALSE(story.tell(ModelLost{"llama", {}}));
  EXPECT_FALSE(story.tell(ModelLoadStarted{"llama", "", model_gib, story.now()})) << "to no GPU";
  EXPECT_FALSE(story.tell(ModelChecked{"llama", true, {}}));
  start_load(story);
  EXPECT_FALSE(start_load(story)) << "two loads of one model";
  EXPECT_FALSE(story.tell(ModelRemoved{"llama"})) << "while it is loaded";
  EXPECT_FALSE(story.tell(ModelLost{"llama", {}})) << "a load that is cut off has failed";
  EXPECT_EQ(model_of(story).state, ModelState::loading);
}

TEST(Models, CountFailuresUntilOneIsLoaded) {
  Story story;
  register_model(story);
  const Time later = story.now() + std::chrono::seconds(9);
  start_load(story);
  ASSERT_TRUE(story.tell(ModelLoadFailed{"llama", "exit code 3", later}));
  EXPECT_EQ(model_of(story).state, ModelState::absent);
  EXPECT_EQ(model_of(story).failures_in_row, 1U);
  EXPECT_EQ(model_of(story).retry_at, later);
  load(story);
  EXPECT_EQ(model_of(story).failures_in_row, 0U);
  EXPECT_EQ(model_of(story).failures, 1U);
  EXPECT_EQ(model_of(story).retry_at, Time());
  story.tell(ModelUnloadStarted{"llama", ModelUnloadCause::critical, {}});
  EXPECT_EQ(model_of(story).evictions, 1U);
  ASSERT_TRUE(story.tell(ModelUnloadFailed{"llama", "exit code 4", later}));
  EXPECT_EQ(model_of(story).state, ModelState::unknown);
  EXPECT_TRUE(model_of(story).holds_memory()) << "as far as anybody knows";
  ASSERT_TRUE(story.tell(ModelChecked{"llama", true, "it answers"}));
  EXPECT_EQ(model_of(story).state, ModelState::resident);
}

TEST(Models, AreUnknownWithAnotherEngineUnlessTheProgramHadLoadedThem) {
  Story story;
  register_model(story);
  story.tell(ModelRegistered{.model = "own", .bytes = model_gib, .commands = {}});
  load(story);
  story.tell(ModelLoadStarted{"own", "card", model_gib, story.now()});
  story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
  EXPECT_EQ(model_of(story).state, ModelState::unknown);
  EXPECT_EQ(model_of(story, "own").state, ModelState::absent);
  EXPECT_EQ(model_of(story, "own").reserved, 0U);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
  ASSERT_TRUE(story.tell(ModelChecked{"llama", false, "exit code 1"}));
  EXPECT_EQ(model_of(story).state, ModelState::absent);
}

TEST(Models, ForgetWhatWasLearnedOfAnotherOne) {
  Story story;
  register_model(story);
  load(story, 5 * model_gib);
  register_model(story);
  EXPECT_EQ(model_of(story).bytes(), 5 * model_gib);
  story.tell(ModelRegistered{.model = "llama", .bytes = 7 * model_gib, .commands = by_command});
  EXPECT_EQ(model_of(story).bytes(), 7 * model_gib);
  EXPECT_EQ(model_of(story).state, ModelState::resident);
}

TEST(Models, RememberUses) {
  Story story;
  register_model(story);
  const Time last = story.now();
  story.tell(ModelUsed{"llama", 71, last});
  story.tell(ModelUsed{"llama", 2, last - std::chrono::seconds(1)});
  EXPECT_EQ(model_of(story).uses, 73U);
  EXPECT_EQ(model_of(story).used_at, last);
  story.tell(ModelDegraded{"llama", "small", 3, "needs 4.0 GiB"});
  EXPECT_EQ(model_of(story).degraded, 3U);
}

TEST(Models, AreInTheDigestWithAllThatIsKnownOfThem) {
  Story story;
  tell_models(story);
  const NameId id = *story.state().names.find("resident");
  const std::string before = to_hex(digest(story.state()));
  const std::vector<void (*)(Model&)> changes = {
      [](Model& model) { ++model.setting.bytes; },
      [](Model& model) { model.setting.gpu.reset(); },
      [](Model& model) { model.setting.alternative.reset(); },
      [](Model& model) { ++model.setting.priority; },
      [](Model& model) { model.setting.is_pinned = !model.setting.is_pinned; },
      [](Model& model) { ++model.setting.residency; },
      [](Model& model) { ++model.setting.timeout; },
      [](Model& model) { model.setting.commands = SharedText("{}"); },
      [](Model& model) { model.state = ModelState::unknown; },
      [](Model& model) { model.gpu.reset(); },
      [](Model& model) { ++model.learned; },
      [](Model& model) { ++model.reserved; },
      [](Model& model) { ++model.load_time; },
      [](Model& model) { ++model.uses; },
      [](Model& model) { ++model.loads; },
      [](Model& model) { ++model.failures; },
      [](Model& model) { ++model.failures_in_row; },
      [](Model& model) { ++model.evictions; },
      [](Model& model) { ++model.slow_releases; },
      [](Model& model) { ++model.degraded; },
      [](Model& model) { model.registered = model.registered.next(); },
      [](Model& model) { model.changed = model.changed.next(); },
      [](Model& model) { model.changed_at += Duration(1); },
      [](Model& model) { model.loaded_at += Duration(1); },
      [](Model& model) { model.used_at += Duration(1); },
      [](Model& model) { model.retry_at += Duration(1); }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    State after = story.state();
    changes[i](*after.models.all.edit(id));
    EXPECT_NE(to_hex(digest(after)), before) << "change " << i;
  }
}

TEST(Models, AreInTheDigestAndTheDifference) {
  Story story;
  const std::string without = to_hex(digest(story.state()));
  tell_models(story);
  EXPECT_EQ(story.state().ignored, 0U);
  EXPECT_NE(to_hex(digest(story.state())), without);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
  const State before = story.state();
  story.tell(ModelChanged{"resident", true, 8});
  EXPECT_NE(to_hex(digest(before)), to_hex(digest(story.state())));
  int changed = 0;
  diff(before, story.state(), [&]<class Key, class... Values>(const Key&, const Values&...) {
    if constexpr ((std::is_same_v<Values, const Model*> || ...)) ++changed;
  });
  EXPECT_EQ(changed, 1);
  State broken = story.state();
  broken.models.all.edit(*broken.names.find("resident"))->gpu.reset();
  EXPECT_EQ(broken_invariants(broken).size(), 1U);
  State reserved = story.state();
  reserved.models.all.edit(*reserved.names.find("resident"))->reserved = 1;
  EXPECT_EQ(broken_invariants(reserved).size(), 1U);
}

}  // namespace
}  // namespace almanac::test
