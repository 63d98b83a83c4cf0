// A component: one interface to a program that is built when it is missing and repaired when it
// breaks, and to code that is used meanwhile.
#include <almanac/engine/component_host.h>
#include <almanac/engine/engine.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

class Plain final : public almanac::ComponentInstance {
 public:
  almanac::Result<std::string> call(std::string_view name) override {
    return "hello " + std::string(name) + "\n";
  }
  almanac::Result<std::string> save() override { return std::string(); }
};

almanac::Result<std::unique_ptr<almanac::ComponentInstance>> make_plain(std::string_view) {
  return std::make_unique<Plain>();
}

// What was used, one after the other.
class Used {
 public:
  void add(const std::string& implementation) {
    const std::lock_guard lock(mutex_);
    all_.push_back(implementation);
    added_.notify_all();
  }
  // Since it was last waited for one.
  bool wait_for(const std::string& implementation) {
    std::unique_lock lock(mutex_);
    const auto is_there = [&] {
      while (!all_.empty()) {
        const bool is_it = all_.front() == implementation;
        all_.pop_front();
        if (is_it) return true;
      }
      return false;
    };
    return added_.wait_for(lock, std::chrono::minutes(1), is_there);
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::deque<std::string> all_;  // guarded by the mutex
};

}  // namespace

int main(int count, char** arguments) {
  const std::filesystem::path folder = count > 1 ? arguments[1] : "component-example";
  const std::filesystem::path parts = folder / "parts";
  std::filesystem::create_directories(parts);
  std::ofstream(parts / "greet.sh") << "#!/bin/sh\necho \"good day, $1\"\n";
  Used used;
  almanac::Engine* engine = nullptr;
  // [guide]
  almanac::ComponentSpec spec{.name = "greeter", .folder = parts};
  spec.implementations = {
      {.name = "native",
       .kind = almanac::ComponentKind::program,
       .artifact = "greet",
       .build = {"sh", "-c", "cp greet.sh greet && chmod +x greet"},
       .allowed = {almanac::RepairStrategy::build, almanac::RepairStrategy::fix_permissions}},
      {.name = "plain", .kind = almanac::ComponentKind::builtin}};

  almanac::ComponentHost greeter(
      "greeter", {{"native", almanac::program(parts, "greet")}, {"plain", make_plain}},
      [&](const std::string& implementation, const std::string& reason) {
        engine->component_failed("greeter", implementation, reason);
      });

  almanac::EngineOptions options{.folder = folder / "log"};
  options.components = {std::move(spec)};
  options.on_component = [&](const almanac::ComponentSwitch& change) {
    greeter.switched(change);
    used.add(change.to);
  };
  auto opened = almanac::Engine::open(std::move(options));
  if (!opened) return fail(opened.error());
  engine = opened->get();
  if (!used.wait_for("native")) return 1;      // it was not there, and was built
  const auto answer = greeter.call("reader");  // whatever implements it
  // [guide]
  if (!answer) return fail(answer.error());
  std::fputs(answer->c_str(), stdout);
  // Whoever breaks it: the other one is used until it is repaired.
  std::filesystem::permissions(parts / "greet", std::filesystem::perms::none);
  engine->check_components();
  if (!used.wait_for("plain") || !used.wait_for("native")) return 1;
  const auto again = greeter.call("again");
  if (!again) return fail(again.error());
  std::fputs(again->c_str(), stdout);
  return 0;
}
