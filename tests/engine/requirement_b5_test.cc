// B5: one interface whatever implements a component. The plugins of examples/component, built for
// real by CMake and, where it is there, by cargo: damaged while they run, replaced, brought back,
// and the count goes on through all of it.
#include <almanac/engine/component_command.h>
#include <almanac/engine/component_host.h>
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// What the program itself has in place of the plugin.
class Plain final : public ComponentInstance {
 public:
  explicit Plain(std::string_view state) {
    if (!state.empty()) count_ = std::stoul(std::string(state));
  }
  Result<std::string> call(std::string_view) override { return std::to_string(++count_); }
  Result<std::string> save() override { return std::to_string(count_); }

 private:
  unsigned long count_ = 0;
};

Result<std::unique_ptr<ComponentInstance>> make_plain(std::string_view state) {
  return std::make_unique<Plain>(state);
}

class RequirementB5 : public EngineTest {
 protected:
  void SetUp() override {
    fs::create_directories(folder / "engine");
    fs::copy_file(source_path("engine/component_abi.h"), folder / "engine/component_abi.h");
    fs::create_directories(parts().parent_path());
    fs::copy(source_path("examples/component"), parts(), fs::copy_options::recursive);
    for (const char* built : {"build", "rust/target", ".component"})
      fs::remove_all(parts() / built);
  }
  // Before what its callback uses goes.
  void TearDown() override {
    EngineTest::TearDown();
    close();
  }
  [[nodiscard]] fs::path parts() const { return folder / "examples/component"; }

  // The component of examples/component/parts.toml with one of its plugins.
  void keep(ComponentImplementation plugin) {
    const fs::path library = parts() / plugin.artifact;
    plugin.name = "plugin";
    plugin.kind = ComponentKind::plugin;
    plugin.allowed = {RepairStrategy::restore, RepairStrategy::build, RepairStrategy::clean_build};
    ComponentSpec spec{.name = "counter", .folder = parts()};
    spec.implementations = {std::move(plugin), {.name = "plain", .kind = ComponentKind::builtin}};
    host.emplace("counter",
                 std::map<std::string, MakeInstance>{{"plugin", almanac::plugin(library)},
                                                     {"plain", make_plain}},
                 [this](const std::string& implementation, const std::string& reason) {
                   engine->component_failed("counter", implementation, reason);
                 });
    EngineOptions options;
    options.components = {spec};
    options.on_component = [this](const ComponentSwitch& change) {
      host->switched(change);
      const std::lock_guard lock(mutex_);
      ++switches_;
      switched_.notify_all();
    };
    open(std::move(options));
  }
  void wait_for_use_of(const std::string& implementation) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(switched_.wait_for(lock, 120s, [&] { return host->active() == implementation; }));
  }
  void counts_on_through_damage() {
    wait_for_use_of("plugin");
    EXPECT_EQ(host->call("count"), "1");
    EXPECT_EQ(host->call("count"), "2");
    write_file(parts() / artifact, "garbage");
    wait_for_switches([&] { engine->check_components(); });
    EXPECT_EQ(host->call("count"), "3") << "whatever runs it";
    wait_for_use_of("plugin");
    EXPECT_EQ(host->call("count"), "4");
    EXPECT_FALSE(host->call("fail"));
    wait_for_use_of("plain");
    EXPECT_EQ(host->call("count"), "6");
    wait_for_use_of("plugin");
    EXPECT_EQ(host->call("count"), "7") << "it was looked at and nothing is wrong";
    const auto last = (--engine->state()->components.repairs.end())->value;
    EXPECT_EQ(last.strategy, RepairStrategy::restore) << "B8: it came back without a build";
  }
  // Of which the first says that the plugin is not used any more.
  void wait_for_switches(const std::function<void()>& after) {
    std::unique_lock lock(mutex_);
    const int before = switches_;
    lock.unlock();
    after();
    lock.lock();
    EXPECT_TRUE(switched_.wait_for(lock, 120s, [&] { return switches_ > before; }));
  }

  fs::path artifact;
  std::optional<ComponentHost> host;

 private:
  std::mutex mutex_;
  std::condition_variable switched_;
  int switches_ = 0;  // guarded by the mutex
};

TEST_F(RequirementB5, APluginBuiltByCMakeCountsOnThroughDamage) {
  if (find_program(parts(), "cmake").empty()) {
    std::puts("not checked: there is no cmake");
    return;
  }
  artifact = "build/libcounter.so";
  keep({.artifact = artifact,
        .sources = {"counter.cc", "CMakeLists.txt", "build.sh"},
        .build = {"sh", "build.sh"},
        .clean = {"rm", "-rf", "build"},
        .toolchain = {"cmake"}});
  counts_on_through_damage();
}

TEST_F(RequirementB5, APluginBuiltByCargoCountsOnThroughDamage) {
  if (find_program(parts(), "cargo").empty()) {
    std::puts("not checked: there is no cargo");
    return;
  }
  artifact = "rust/target/release/libcounter.so";
  keep({.artifact = artifact,
        .sources = {"rust/Cargo.toml", "rust/src"},
        .build = {"cargo", "build", "--release", "--offline", "--manifest-path", "rust/Cargo.toml"},
        .clean = {"rm", "-rf", "rust/target"},
        .toolchain = {"cargo"}});
  counts_on_through_damage();
}

TEST(ComponentHost, GoesOnWithTheLastStateThatIsKnown) {
  class Mute final : public ComponentInstance {
   public:
    Result<std::string> call(std::string_view) override { return fail(ErrorCode::invalid, "no"); }
    Result<std::string> save() override { return fail(ErrorCode::invalid, "no"); }
  };
  std::vector<std::string> failures;
  ComponentHost host("counter",
                     {{"plain", make_plain},
                      {"mute",
                       [](std::string_view) -> Result<std::unique_ptr<ComponentInstance>> {
                         return std::make_unique<Mute>();
                       }}},
                     [&](const std::string& implementation, const std::string&) {
                       failures.push_back(implementation);
                     });
  EXPECT_EQ(host.call("count").error().code, ErrorCode::stopped);
  EXPECT_TRUE(failures.empty());
  host.switched({"counter", "", "plain"});
  host.switched({"other", "", "mute"});
  EXPECT_EQ(host.call("count"), "1");
  host.switched({"counter", "plain", "mute"});
  EXPECT_FALSE(host.call("count"));
  EXPECT_EQ(failures, std::vector<std::string>{"mute"});
  host.switched({"counter", "mute", "plain"});
  EXPECT_EQ(host.call("count"), "2");
}

TEST(ComponentHost, LosesNoCallWhileItIsSwitchedByAnotherThread) {
  ComponentHost host("counter", {{"one", make_plain}, {"two", make_plain}}, {});
  host.switched({"counter", "", "one"});
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int calls = 0; calls < 1'000; ++calls) ASSERT_TRUE(host.call("count"));
    });
  }
  for (int i = 0; i < 1'000; ++i) {
    host.switched({"counter", "", i % 2 == 0 ? "two" : "one"});
  }
  callers.clear();
  EXPECT_EQ(host.call("count"), "4001");
}

TEST(ComponentHost, DoesWhatTheExampleShows) {
  const TempFolder folder;
  const auto shown =
      run_command({program_path("example_component").string(), folder.path().string()});
  EXPECT_EQ(shown.output, "good day, reader\ngood day, again\n");
}

TEST(ComponentHost, RunsAProgramForEachCall) {
  auto made = program("/tmp", "/bin/echo")("7");
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->call("hello"), "hello\n");
  EXPECT_EQ((*made)->save(), "7") << "the state of another is kept";
  auto late = program("/tmp", "/bin/sleep", 100ms)("");
  EXPECT_FALSE((*late)->call("30"));
}

}  // namespace
}  // namespace almanac::test
