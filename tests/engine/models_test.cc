// What is decided about models, without a GPU.
#include <almanac/engine/limits.h>
#include <almanac/engine/models.h>
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Step = ModelStep::Kind;

constexpr std::uint64_t step_gib = std::uint64_t{1} << 30U;

ModelSpec llama() {
  return {.name = "llama",
          .bytes = 4 * step_gib,
          .commands = {.load = {"load", "größer"}, .unload = {"unload"}, .check = {}}};
}

GpuReading one_card() {
  const GpuMemory memory{.size = 10 * step_gib, .own = 0, .budget = 10 * step_gib};
  return {.devices = {{.device = "card",
                       .name = "Card",
                       .kind = GpuKind::discrete,
                       .trouble = {},
                       .heaps = {{memory, true}}}},
          .trouble = {}};
}

class ModelsDesk : public ::testing::Test {
 protected:
  ModelsDesk() {
    EXPECT_TRUE(desk.ask(ReportGpu{one_card(), {}, false}));
    EXPECT_TRUE(desk.ask(RegisterModel{llama()}));
  }
  Result<Answer> step(ModelStep step) {
    desk.now += 1s;
    return desk.ask(ReportModel{"llama", std::move(step)});
  }
  [[nodiscard]] std::string last_type() const {
    return desk.last().size() == 1 ? std::string(type_name(desk.last().front().body)) : "";
  }
  [[nodiscard]] const Model& model() const {
    return *desk.state().models.all.find(*desk.state().names.find("llama"));
  }

  Desk desk;
};

TEST_F(ModelsDesk, TakesOnlyTheNextStep) {
  const std::vector<ModelStep> story = {{.kind = Step::load, .gpu = "card", .bytes = 4 * step_gib},
                                        {.kind = Step::loaded, .took = 3s},
                                        {.kind = Step::measured, .bytes = 5 * step_gib},
                                        {.kind = Step::unload},
                                        {.kind = Step::unloaded, .took = 1s},
                                        {.kind = Step::released, .bytes = step_gib}};
  for (std::size_t i = 0; i < story.size(); ++i) {
    for (std::size_t j = 0; j < story.size(); ++j) {
      if (j == i) continue;
      EXPECT_EQ(error_of(step(story[j])).code, ErrorCode::conflict) << i << " then " << j;
    }
    ASSERT_TRUE(step(story[i])) << i;
    EXPECT_EQ(desk.state().ignored, 0U);
  }
  EXPECT_EQ(model().state, ModelState::absent);
  EXPECT_EQ(model().learned, 5 * step_gib);
  EXPECT_EQ(broken_invariants(desk.state()), std::vector<std::string>());
}

TEST_F(ModelsDesk, IsNotLoadedToAGpuThatIsNotThere) {
  EXPECT_EQ(error_of(step({.kind = Step::load, .gpu = "another", .bytes = 1})).code,
            ErrorCode::conflict);
  ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
  desk.ask(ReportGpu{{.devices = {}, .trouble = "no driver"}, {}, false});
  ASSERT_TRUE(step({.kind = Step::loaded, .took = 1s}));
  EXPECT_EQ(last_type(), "ModelLoadFailed") << "what it was loaded to has gone meanwhile";
  EXPECT_EQ(model().state, ModelState::absent);
}

// Whatever it was planned with, it may have been registered anew since.
TEST_F(ModelsDesk, HasKeptFreeForItsLoadWhatItIsKnownToTake) {
  ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
  EXPECT_EQ(model().reserved, llama().bytes);
}

TEST_F(ModelsDesk, IsTriedLaterAndLaterAfterFailures) {
  Duration wait = limits::model_backoff;
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
    ASSERT_TRUE(step({.kind = Step::load_failed, .message = std::string(99'999, 'x')}));
    EXPECT_EQ(model().retry_at, desk.now + std::min(wait, limits::model_backoff_max)) << i;
    wait *= 2;
  }
}

TEST_F(ModelsDesk, SaysNothingOfWhatIsOnRecord) {
  ASSERT_TRUE(desk.ask(RegisterModel{llama()}));
  EXPECT_TRUE(desk.last().empty());
  ModelSpec other = llama();
  other.commands.check = {"ask"};
  ASSERT_TRUE(desk.ask(RegisterModel{other}));
  EXPECT_EQ(last_type(), "ModelRegistered");
  ASSERT_TRUE(desk.ask(ChangeModel{"llama", false, 0}));
  EXPECT_TRUE(desk.last().empty());
  ASSERT_TRUE(desk.ask(ChangeModel{"llama", true}));
  EXPECT_EQ(last_type(), "ModelChanged");
  EXPECT_TRUE(model().setting.is_pinned);
}

// They alone can unload it, and the next engine asks them for it.
TEST_F(ModelsDesk, KeepsTheCommandsThatHaveLoadedItUntilItIsGone) {
  ModelSpec by_function = llama();
  const std::string commands = commands_json(by_function.commands);
  by_function.commands = {};
  by_function.on_load = by_function.on_unload = [](const ModelJob&) { return Result<void>(); };
  ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
  ASSERT_TRUE(step({.kind = Step::loaded, .took = 1s}));
  ASSERT_TRUE(desk.ask(RegisterModel{by_function}));
  EXPECT_EQ(last_type(), "ModelRegistered");
  EXPECT_EQ(commands_in(model().setting.commands.view()), commands_in(commands));
  ASSERT_TRUE(desk.ask(RegisterModel{by_function}));
  EXPECT_TRUE(desk.last().empty()) << "it is on record";
  ASSERT_TRUE(step({.kind = Step::measured}));
  ASSERT_TRUE(step({.kind = Step::unload}));
  ASSERT_TRUE(step({.kind = Step::unloaded, .took = 1s}));
  ASSERT_TRUE(step({.kind = Step::released}));
  ASSERT_EQ(desk.last().size(), 2U);
  EXPECT_TRUE(std::holds_alternative<ModelRegistered>(desk.last().back().body));
  EXPECT_TRUE(model().setting.commands.view().empty());
  EXPECT_EQ(model().setting.bytes, 4 * step_gib);
  EXPECT_EQ(model().state, ModelState::absent);
  EXPECT_EQ(desk.state().ignored, 0U);
}

TEST_F(ModelsDesk, IsLoadedByFunctionsFromTheEndThatItsCommandsCameTo) {
  ModelSpec by_function = llama();
  by_function.commands = {};
  by_function.on_load = by_function.on_unload = [](const ModelJob&) { return Result<void>(); };
  ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
  ASSERT_TRUE(desk.ask(RegisterModel{by_function}));
  ASSERT_TRUE(step({.kind = Step::load_failed, .message = "no"}));
  EXPECT_TRUE(model().setting.commands.view().empty());
  ASSERT_TRUE(desk.ask(RegisterModel{llama()}));
  ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
  ASSERT_TRUE(desk.ask(RegisterModel{by_function}));
  ASSERT_TRUE(desk.ask(RegisterModel{llama()})) << "and back again";
  ASSERT_TRUE(step({.kind = Step::load_failed, .message = "no"}));
  EXPECT_EQ(commands_in(model().setting.commands.view()), llama().commands);
}

TEST_F(ModelsDesk, IsLoadedByFunctionsHoweverWhatItsCommandsHaveLoadedWent) {
  ModelSpec by_function = llama();
  by_function.commands = {};
  by_function.on_load = by_function.on_unload = [](const ModelJob&) { return Result<void>(); };
  const std::vector<std::vector<ModelStep>> ways = {{{.kind = Step::lost}},
                                                    {{.kind = Step::measured},
                                                     {.kind = Step::unload},
                                                     {.kind = Step::unload_failed},
                                                     {.kind = Step::checked, .is = false}}};
  for (const auto& way : ways) {
    ASSERT_TRUE(desk.ask(RegisterModel{llama()}));
    ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
    ASSERT_TRUE(step({.kind = Step::loaded, .took = 1s}));
    ASSERT_TRUE(desk.ask(RegisterModel{by_function}));
    for (const ModelStep& one : way) {
      EXPECT_FALSE(model().setting.commands.view().empty());
      ASSERT_TRUE(step(one));
    }
    EXPECT_EQ(model().state, ModelState::absent);
    EXPECT_TRUE(model().setting.commands.view().empty());
  }
}

// Planned of a state that is a moment old.
TEST_F(ModelsDesk, DoesNotGiveWayToWhatIsOfALowerPriorityByNowNorWherePinned) {
  ModelSpec other = llama();
  other.name = "other";
  ASSERT_TRUE(desk.ask(RegisterModel{other}));
  ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
  ASSERT_TRUE(step({.kind = Step::loaded, .took = 1s}));
  ASSERT_TRUE(step({.kind = Step::measured}));
  EXPECT_EQ(
      error_of(step({.kind = Step::unload, .other = "other", .cause = ModelUnloadCause::room}))
          .code,
      ErrorCode::conflict)
      << "it has just come";
  desk.now += 10min;
  const auto give_way = [&](const std::string& to, ModelUnloadCause cause) {
    return error_of(step({.kind = Step::unload, .other = to, .cause = cause})).code;
  };
  ASSERT_TRUE(desk.ask(ChangeModel{"llama", std::nullopt, 1}));
  EXPECT_EQ(give_way("other", ModelUnloadCause::room), ErrorCode::conflict);
  EXPECT_EQ(give_way("gpu_memory", ModelUnloadCause::room), ErrorCode::conflict);
  ASSERT_TRUE(desk.ask(ChangeModel{"llama", true, 0}));
  EXPECT_EQ(give_way("other", ModelUnloadCause::room), ErrorCode::conflict);
  EXPECT_EQ(give_way("", ModelUnloadCause::critical), ErrorCode::conflict);
  ASSERT_TRUE(desk.ask(ChangeModel{"llama", false, 0}));
  EXPECT_TRUE(step({.kind = Step::unload, .other = "other", .cause = ModelUnloadCause::room}));
}

TEST_F(ModelsDesk, IsRemovedOnlyWhereItIsNotLoaded) {
  EXPECT_EQ(error_of(desk.ask(RemoveModel{"whisper"})).code, ErrorCode::not_found);
  EXPECT_EQ(error_of(desk.ask(ChangeModel{"whisper", true})).code, ErrorCode::not_found);
  ASSERT_TRUE(step({.kind = Step::load, .gpu = "card", .bytes = 1}));
  EXPECT_EQ(error_of(desk.ask(RemoveModel{"llama"})).code, ErrorCode::conflict);
  ASSERT_TRUE(step({.kind = Step::load_failed, .message = "no"}));
  ASSERT_TRUE(desk.ask(RemoveModel{"llama"}));
  EXPECT_TRUE(desk.state().models.all.empty());
}

TEST(ModelSpecs, AreCheckedBeforeAnythingIsWritten) {
  const auto is_refused = [](const std::function<void(ModelSpec&)>& change) {
    ModelSpec spec = llama();
    change(spec);
    const auto checked = check(spec);
    return !checked && checked.error().code == ErrorCode::invalid;
  };
  EXPECT_TRUE(check(llama()));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.name.clear(); }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.bytes = 0; }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.bytes = limits::model_bytes_max + 1; }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.alternative = "llama"; }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.gpu = "\n"; }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.timeout = 1ms; }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.residency = -1s; }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.commands.unload.clear(); }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.commands = {}; }));
  EXPECT_TRUE(is_refused([](ModelSpec& spec) {
    spec.on_load = [](const ModelJob&) -> Result<void> { return {}; };
  })) << "in two ways";
  EXPECT_TRUE(is_refused([](ModelSpec& spec) { spec.commands.load = {std::string(99'999, 'x')}; }));
}

TEST(ModelSpecs, KeepTheirCommands) {
  const ModelCommands commands{.load = {"load", "größer", ""}, .unload = {"u\"n"}, .check = {"c"}};
  EXPECT_EQ(commands_in(commands_json(commands)), commands);
  EXPECT_EQ(commands_in(commands_json({})), ModelCommands());
  EXPECT_EQ(commands_in("[1, nonsense"), ModelCommands());
}

}  // namespace
}  // namespace almanac::test
