// Tasks and models that want memory of GPUs, decided and folded with no GPU, no thread and no clock
// but the one the test turns.
#pragma once

#include <almanac/engine/model_turns.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {

inline constexpr std::uint64_t desk_gib = std::uint64_t{1} << 30U;

// Cards of ten GiB each.
class GpuDesk {
 public:
  explicit GpuDesk(std::vector<std::string> cards = {"card"}, std::uint32_t slots = 16)
      : desk({.slots = slots}), cards_(std::move(cards)) {
    look();
  }

  // Of the first card, so much by others and by what tasks have taken; without those that are lost.
  void look(std::uint64_t others = 0, const std::vector<std::string>& lost = {}) {
    GpuReading reading;
    for (const std::string& card : cards_) {
      if (std::ranges::find(lost, card) != lost.end()) continue;
      const std::uint64_t gone = &card == cards_.data() ? others : 0;
      const GpuMemory memory{.size = 10 * desk_gib, .own = 0, .budget = 10 * desk_gib - gone};
      reading.devices.push_back({.device = card,
                                 .name = "Card",
                                 .kind = GpuKind::discrete,
                                 .trouble = {},
                                 .heaps = {{memory, true}}});
    }
    EXPECT_TRUE(desk.ask(ReportGpu{reading, {}, true}));
  }
  void plug_in(const std::string& card) {
    cards_.push_back(card);
    look();
  }
  void add(const std::string& name, std::uint64_t gib, std::int32_t priority = 0) {
    ModelSpec spec{.name = name, .bytes = gib * desk_gib, .priority = priority};
    spec.residency = Duration(0);
    spec.commands = {.load = {"load"}, .unload = {"unload"}, .check = {}};
    EXPECT_TRUE(desk.ask(RegisterModel{std::move(spec)}));
  }
  Result<Answer> step(const std::string& name, ModelStep step) {
    return desk.ask(ReportModel{name, std::move(step)});
  }
  void load(const std::string& name) {
    EXPECT_TRUE(begin_load(name));
    EXPECT_TRUE(step(name, {.kind = ModelStep::Kind::loaded, .took = std::chrono::seconds(1)}));
    EXPECT_TRUE(step(name, {.kind = ModelStep::Kind::measured}));
  }
  Result<Answer> begin_load(const std::string& name) {
    const std::uint64_t bytes = desk.state().models.all.find(id_of(name))->bytes();
    return step(name, {.kind = ModelStep::Kind::load, .gpu = cards_.front(), .bytes = bytes});
  }
  void unload(const std::string& name) {
    EXPECT_TRUE(step(name, {.kind = ModelStep::Kind::unload, .cause = ModelUnloadCause::room}));
    EXPECT_TRUE(step(name, {.kind = ModelStep::Kind::unloaded}));
    EXPECT_TRUE(step(name, {.kind = ModelStep::Kind::released}));
  }
  static TaskSpec asking(std::uint64_t bytes, const std::string& gpu = {}) {
    TaskSpec spec{.kind = "ask"};
    spec.gpu_memory = {.bytes = bytes, .gpu = gpu};
    return spec;
  }
  TaskId ask_for(std::uint64_t gib, const std::string& gpu = {}) {
    return desk.submit(asking(gib * desk_gib, gpu));
  }
  [[nodiscard]] NameId id_of(const std::string& name) const {
    return *desk.state().names.find(name);
  }
  [[nodiscard]] std::uint64_t to_give(const std::string& card = "card") const {
    return memory_to_give(desk.state(), id_of(card), desk.now) / desk_gib;
  }
  [[nodiscard]] ModelTurns turns() const {
    return model_turns(desk.state(), desk.now, desk.model_patience);
  }
  [[nodiscard]] ModelWait wait_of(std::uint64_t gib) const {
    const auto mebibytes = mebibytes_of(gib * desk_gib);
    return memory_wait(desk.state(), {id_of("gpu_memory"), mebibytes}, desk.now);
  }

  Desk desk;

 private:
  std::vector<std::string> cards_;
};

}  // namespace almanac::test
