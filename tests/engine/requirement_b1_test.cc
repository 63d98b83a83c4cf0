// B1–B6 and B8: a component broken in each of the eight ways, found and brought back without help;
// what is used meanwhile; what is tried, how often and what is learned; nothing outside its folder.
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// What a build does that can go wrong in each of the ways. It makes the program "tool" of the
// source "version".
constexpr std::string_view build_script = R"(set -e
test ! -e obj/stale || { echo "obj/stale: error: it is from another compiler"; exit 1; }
test -e obj/memory && test "$ALMANAC_BUILD_JOBS" != 1 &&
  { echo "cc1plus: out of memory allocating 4000000 bytes"; exit 1; }
test -e tool && exit 0
mkdir -p obj
frob version > tool.new
chmod +x tool.new
mv tool.new tool
rm -f obj/memory
)";
constexpr std::string_view compiler = R"sh(#!/bin/sh
echo '#!/bin/sh'
echo "test -e deps/words || { echo \"Cannot find module 'words'\"; exit 1; }"
echo "echo $(cat "$1")"
)sh";

ComponentImplementation tool() {
  ComponentImplementation one{
      .name = "native", .kind = ComponentKind::program, .artifact = "tool", .sources = {"version"}};
  one.probe = {"./tool"};
  one.version = "2";
  one.build = {"sh", "build.sh"};
  one.clean = {"rm", "-rf", "obj", "tool"};
  one.install_dependencies = {"sh", "-c", "mkdir -p deps && echo x > deps/words"};
  one.install_toolchain = {"sh", "-c",
                           "mkdir -p .component/bin && cp frob .component/bin/ && "
                           "chmod +x .component/bin/frob"};
  one.toolchain = {"frob"};
  for (int number = 0; number < repair_strategy_count; ++number) {
    one.allowed.insert(static_cast<RepairStrategy>(number));
  }
  return one;
}

class RequirementB : public EngineTest {
 protected:
  void SetUp() override {
    fs::create_directories(parts() / "obj");
    write_file(parts() / "build.sh", build_script);
    write_file(parts() / "frob", compiler);
    write_file(parts() / "version", "2.0");
  }
  // Before what its callback uses goes.
  void TearDown() override {
    EngineTest::TearDown();
    close();
  }
  [[nodiscard]] fs::path parts() const { return folder / "parts"; }

  void keep(ComponentImplementation native = tool()) {
    ComponentSpec spec{.name = "tool", .folder = parts()};
    spec.setting.backoff = 10ms;
    spec.implementations = {std::move(native), {.name = "plain", .kind = ComponentKind::builtin}};
    EngineOptions options;
    options.components = {spec};
    options.on_component = [this](const ComponentSwitch& change) {
      const std::lock_guard lock(mutex_);
      used_.push_back(change.to);
      told_.notify_all();
    };
    open(std::move(options));
  }
  [[nodiscard]] static const ImplementationHealth& native(const State& state) {
    return (*state.components.implementations.begin()).value;
  }
  [[nodiscard]] static std::string active(const State& state) {
    if (state.components.empty()) return "";
    const auto name = (*state.components.all.begin()).value.active;
    return name ? std::string(state.names.text(*name)) : "";
  }
  void wait_until(ImplementationState wanted) {
    EXPECT_TRUE(engine->wait(
        [&](const State& state) {
          return !state.components.empty() && native(state).state == wanted &&
                 (wanted != ImplementationState::healthy || active(state) == "native");
        },
        60s))
        << name(native(*engine->state()).state) << ", " << name(native(*engine->state()).issue);
  }
  // What was tried since, in order: issue and strategy of each.
  std::string tried() {
    std::string text;
    const auto state = engine->state();
    for (const auto& [started, repair] : state->components.repairs) {
      if (started <= seen_) continue;
      text += (text.empty() ? "" : ", ") + std::string(name(repair.issue)) + ": " +
              std::string(name(repair.strategy));
    }
    seen_ = state->position;
    return text;
  }
  // Breaks it, and waits until it is found and brought back.
  std::string brought_back(const std::function<void()>& brk) {
    (void)tried();
    brk();
    const auto checks = native(*engine->state()).failures;
    engine->check_components();
    EXPECT_TRUE(engine->wait(
        [&](const State& state) {
          return native(state).failures > checks &&
                 native(state).state == ImplementationState::healthy && active(state) == "native";
        },
        60s))
        << name(native(*engine->state()).state) << ", " << name(native(*engine->state()).issue);
    return tried();
  }
  // What it was told to use, once those are so many.
  std::vector<std::string> used(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 60s, [&] { return used_.size() >= count; }));
    return used_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<std::string> used_;  // guarded by the mutex
  Position seen_;
};

TEST_F(RequirementB, B1FindsAndB2RepairsEachOfTheEightIssues) {
  keep();
  // Nothing is there: neither tool nor compiler nor what the tool needs.
  wait_until(ImplementationState::healthy);
  EXPECT_EQ(tried(),
            "missing_toolchain: install_toolchain, not_built: restore, not_built: build, "
            "missing_dependencies: install_dependencies");
  EXPECT_EQ(brought_back([&] { fs::remove(parts() / "tool"); }), "not_built: restore");
  EXPECT_EQ(brought_back([&] {
              write_file(parts() / "version", "2.1");  // no build of this is kept
              write_file(parts() / "obj/stale", "");
              fs::remove(parts() / "tool");
            }),
            "not_built: restore, not_built: build, build_failed: clean_build");
  EXPECT_EQ(brought_back([&] { fs::remove_all(parts() / "deps"); }),
            "missing_dependencies: install_dependencies");
  EXPECT_EQ(brought_back([&] {
              write_file(parts() / "tool", "#!/bin/sh\necho 1.9\n");
              fs::permissions(parts() / "tool", fs::perms::owner_all);
            }),
            "incompatible_version: rebuild");
  EXPECT_EQ(brought_back([&] { write_file(parts() / "tool", "garbage"); }),
            "corrupt_binary: restore");
  EXPECT_EQ(brought_back([&] {
              write_file(parts() / "version", "2.1.1");  // no build of this is kept
              write_file(parts() / "tool", "garbage");
            }),
            "corrupt_binary: restore, corrupt_binary: clean_build");
  EXPECT_EQ(brought_back([&] { fs::permissions(parts() / "tool", fs::perms::none); }),
            "permission_error: fix_permissions");
  EXPECT_EQ(brought_back([&] {
              write_file(parts() / "version", "2.2");
              write_file(parts() / "obj/memory", "");
              fs::remove(parts() / "tool");
            }),
            "not_built: restore, not_built: build, out_of_memory: free_memory");
  EXPECT_EQ(brought_back([&] {
              write_file(parts() / "version", "2.3");
              fs::remove_all(parts() / ".component/bin");
              fs::remove(parts() / "tool");
            }),
            "missing_toolchain: install_toolchain, not_built: restore, not_built: clean_build")
      << "a build has failed twice";
  const auto state = engine->state();
  const Components& known = state->components;
  EXPECT_GE(known.strategies.size(), 8U) << "B6: what has helped is known";
  const auto built = record_of(known, {ComponentIssue::not_built, RepairStrategy::build});
  EXPECT_GE(built.helped, 1U);
  EXPECT_GE(built.failed, 2U) << "B6: and what has not";
}

TEST_F(RequirementB, B4FallsBackAndUpgradesAndB5TellsOfIt) {
  keep();
  wait_until(ImplementationState::healthy);
  const ImplementationHealth before = native(*engine->state());
  engine->component_failed("tool", "native", "it returned nonsense");
  EXPECT_EQ(used(4), (std::vector<std::string>{"plain", "native", "plain", "native"}));
  wait_until(ImplementationState::healthy);
  const ImplementationHealth after = native(*engine->state());
  EXPECT_EQ(after.failures, before.failures + 1);
  EXPECT_EQ(after.score_permille(), (after.checks - after.failures) * 1'000 / after.checks);
  ASSERT_TRUE(engine->switch_component("tool", "plain"));
  EXPECT_EQ(active(*engine->state()), "plain");
  ASSERT_TRUE(engine->switch_component("tool", ""));
  EXPECT_EQ(active(*engine->state()), "native");
}

TEST_F(RequirementB, B3GivesUpAfterThreeAttemptsAndDoesNotTouchWhatIsOutside) {
  ComponentImplementation native = tool();
  native.allowed = {RepairStrategy::build};
  native.toolchain.clear();
  native.build = {"sh", "-c", "echo 'a.cc:1: error: no'; exit 1"};
  native.allowed.insert(RepairStrategy::clean_build);
  write_file(folder / "outside", "x");
  keep(native);
  wait_until(ImplementationState::given_up);
  EXPECT_EQ(tried(), "not_built: build, build_failed: clean_build, build_failed: clean_build");
  EXPECT_EQ(active(*engine->state()), "plain");
  EXPECT_EQ(read_file(folder / "outside"), "x");
}

TEST_F(RequirementB, B3EndsABuildThatTakesTooLong) {
  ComponentImplementation native = tool();
  native.allowed = {RepairStrategy::build};
  native.toolchain.clear();
  native.build = {"sleep", "600"};
  ComponentSpec spec{.name = "tool", .folder = parts(), .implementations = {native}};
  spec.setting = {.attempts_max = 1, .build_timeout = 200ms};
  EngineOptions options;
  options.components = {spec};
  open(std::move(options));
  wait_until(ImplementationState::given_up);
  const auto last = (--engine->state()->components.repairs.end())->value;
  EXPECT_EQ(last.outcome, RepairOutcome::timed_out);
  EXPECT_LT(last.took, 60s);
}

TEST_F(RequirementB, B3AStopCutsARepairOffAndTheNextEngineDoesItAgain) {
  ComponentImplementation native = tool();
  native.allowed = {RepairStrategy::build};
  native.toolchain.clear();
  native.build = {"sleep", "600"};
  keep(native);
  wait_until(ImplementationState::repairing);
  close();
  native.build = {"sh", "-c",
                  "cp version tool; printf '#!/bin/sh\necho 2.0' > tool; chmod +x tool"};
  keep(native);
  wait_until(ImplementationState::healthy);
  const auto state = engine->state();
  const auto& repairs = state->components.repairs;
  EXPECT_EQ((*repairs.begin()).value.outcome, RepairOutcome::interrupted);
  EXPECT_EQ((--repairs.end())->value.attempt, 1);
}

TEST_F(RequirementB, B3AnEngineThatKeepsNoneEndsTheRepairOfOneThatDied) {
  Story story;
  tell_components(story);
  {
    auto log = Log::open(log_folder());
    ASSERT_TRUE(log) << describe(log.error());
    for (const RecordedEvent& one : story.events()) {
      ASSERT_TRUE((*log)->append_and_wait(one.event));
    }
  }
  open();
  const auto state = engine->state();
  EXPECT_FALSE(state->components.running());
  EXPECT_EQ((--state->components.repairs.end())->value.left, ComponentIssue::not_built);
}

}  // namespace
}  // namespace almanac::test
