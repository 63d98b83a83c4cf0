// An engine whose models are loaded by functions to a card whose driver the test scripts.
#pragma once

#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/scripted_gpus.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace almanac::test {

inline constexpr std::uint64_t card_gib = std::uint64_t{1} << 30U;

// A card of ten GiB, unless a test says otherwise. Models are loaded by functions that take its
// memory.
class ModelsOnCard : public EngineTest {
 protected:
  ModelsOnCard() { show(); }
  void TearDown() override {
    EngineTest::TearDown();
    let_all_go();
    engine.reset();
  }

  void watch(const ModelOptions& models = {.settle_limit = std::chrono::seconds(30),
                                           .release_limit = std::chrono::seconds(30)}) {
    open({.gpu_watch = GpuWatchOptions{.interval_min = std::chrono::milliseconds(10),
                                       .interval_max = std::chrono::milliseconds(10)},
          .models = models});
    ASSERT_TRUE(comes_to([](const State& state) { return !state.gpu.samples.empty(); }));
  }
  [[nodiscard]] bool comes_to(const std::function<bool(const State&)>& wanted) const {
    return engine->wait(wanted, std::chrono::seconds(60));
  }
  [[nodiscard]] bool comes_to(const std::string& model, ModelState wanted) const {
    return comes_to([&](const State& state) {
      const auto id = state.names.find(model);
      const Model* known = id ? state.models.all.find(*id) : nullptr;
      return known != nullptr && known->state == wanted;
    });
  }
  [[nodiscard]] Model model(const std::string& name) const {
    const auto state = engine->state();
    return *state->models.all.find(*state->names.find(name));
  }
  [[nodiscard]] Result<ModelLease> use(
      const std::string& model, std::chrono::milliseconds timeout = std::chrono::seconds(60)) {
    return engine->use_model(model, {.timeout = timeout});
  }

  // Asked for without waiting: the answer comes when it does.
  [[nodiscard]] std::future<Result<ModelLease>> ask(
      const std::string& model,
      std::chrono::milliseconds timeout = std::chrono::seconds(60)) const {
    auto answer = std::make_shared<std::promise<Result<ModelLease>>>();
    engine->use_model(model, {.timeout = timeout},
                      [answer](Result<ModelLease> lease) { answer->set_value(std::move(lease)); });
    return answer->get_future();
  }
  // Which models were unloaded, and for what, in the order of it.
  [[nodiscard]] std::string evictions() const {
    std::string text;
    EXPECT_TRUE(engine->log().read(Position(1), [&](const RecordedEvent& one) -> Result<bool> {
      const auto* event = std::get_if<ModelUnloadStarted>(&one.event.body);
      if (event == nullptr) return true;
      text += std::string(event->model) + " ";
      text += event->cause == ModelUnloadCause::room ? "for " + std::string(event->beneficiary)
                                                     : "otherwise";
      text += ", ";
      return true;
    }));
    return text;
  }

  // Takes so much of the card, whatever is declared.
  ModelSpec spec(const std::string& name, std::uint64_t bytes, std::uint64_t takes = 0) {
    if (takes == 0) takes = bytes;
    return {.name = name,
            .bytes = bytes,
            .residency = Duration(0),
            .on_load = [this, name, takes](const ModelJob& job) { return load(name, takes, job); },
            .on_unload = [this, name](const ModelJob&) { return unload(name); }};
  }
  void add(ModelSpec spec) { ASSERT_TRUE(engine->register_model(std::move(spec))); }
  // Loaded, and measured.
  void make_resident(const std::string& model) {
    ASSERT_TRUE(use(model));
    ASSERT_TRUE(comes_to(model, ModelState::resident));
  }

  void press(std::uint64_t others) {
    const std::lock_guard lock(mutex_);
    others_ = others;
    show();
  }
  void set_card(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    size_ = bytes;
    show();
  }
  void lose(bool is_lost) {
    const std::lock_guard lock(mutex_);
    is_lost_ = is_lost;
    show();
  }
  // What is unloaded from now on stays where it is.
  void keep_memory() {
    const std::lock_guard lock(mutex_);
    keeps_memory_ = true;
  }
  // Nobody sees what is loaded from now on.
  void lie() {
    const std::lock_guard lock(mutex_);
    lies_ = true;
  }
  // What is loaded from now on is in the memory of a server, not of this process.
  void load_elsewhere() {
    const std::lock_guard lock(mutex_);
    is_elsewhere_ = true;
  }
  // Its load has begun, and waits to be let go.
  [[nodiscard]] bool load_goes_on(const std::string& model) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return loads_[model] > 0; });
  }
  void hold_loads() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
  }
  void let_all_go() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    changed_.notify_all();
  }
  [[nodiscard]] int loads_of(const std::string& model) {
    const std::lock_guard lock(mutex_);
    return loads_[model];
  }
  [[nodiscard]] std::uint64_t most_at_once() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

  ScriptedGpus gpus;

 private:
  Result<void> load(const std::string& name, std::uint64_t takes, const ModelJob& job) {
    std::unique_lock lock(mutex_);
    ++loads_[name];
    changed_.notify_all();
    changed_.wait(lock, job.stop, [&] { return !is_held_; });
    if (job.stop.stop_requested()) return fail(ErrorCode::model_loading, "it was cut off");
    taken_[name] = takes;
    std::uint64_t all = 0;
    for (const auto& [model, bytes] : taken_) all += bytes;
    most_ = std::max(most_, all);
    show();
    return {};
  }
  Result<void> unload(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (!keeps_memory_) taken_.erase(name);
    show();
    return {};
  }
  void show() {
    std::uint64_t loaded = 0;
    for (const auto& [model, bytes] : taken_) loaded += lies_ ? 0 : bytes;
    const std::uint64_t own = is_elsewhere_ ? 0 : loaded;
    gpus.set({{.name = "Scripted",
               .is_lost = is_lost_,
               .heaps = {{.size = size_, .own = own, .budget = size_ - others_ - loaded + own}}}});
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, std::uint64_t> taken_;
  std::map<std::string, int> loads_;
  std::uint64_t size_ = 10 * card_gib;
  std::uint64_t others_ = 0;
  std::uint64_t most_ = 0;
  bool is_lost_ = false;
  bool keeps_memory_ = false;
  bool lies_ = false;
  bool is_elsewhere_ = false;
  bool is_held_ = false;
};

}  // namespace almanac::test
