// The GPUs of a simulated machine: what is in their memory, what others take of it and give back,
// and what their driver says, which need not be so. They outlive engines.
#pragma once

#include <almanac/engine/gpu_options.h>
#include <almanac/tests/simulation/agenda.h>
#include <almanac/tests/simulation/draw.h>
#include <almanac/tests/simulation/faults.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {

inline constexpr std::uint64_t simulated_gib = std::uint64_t{1} << 30U;

class SimulatedGpus {
 public:
  // One run of five has any, of draws of its own: all others are as if this was not here. None that
  // is calm has: a rehearsal loads models at once.
  SimulatedGpus(std::uint64_t seed, bool is_calm, Agenda& agenda, Faults& faults);

  [[nodiscard]] bool any() const { return !cards_.empty(); }
  [[nodiscard]] Draw& draw() { return draw_; }
  // With the size of each.
  [[nodiscard]] std::map<std::string, std::uint64_t> sizes() const;

  // Others begin to come and go.
  void begin();
  // Others leave, and what is gone comes back.
  void heal();

  // From now on an engine looks: what goes stays away until it has seen that.
  void is_watched() { is_watched_ = true; }
  // What its process had is free.
  void engine_ends();
  [[nodiscard]] GpuReading read();

  // False where it is not there, or has not so much.
  [[nodiscard]] bool load(const std::string& gpu, const std::string& model, std::uint64_t bytes,
                          bool outlives_engine);
  void unload(const std::string& gpu, const std::string& model);
  [[nodiscard]] bool holds(const std::string& gpu, const std::string& model) const;
  // It is there, or went with its GPU.
  [[nodiscard]] bool was_loaded(const std::string& gpu, const std::string& model) const;
  // As much as there is, for an attempt that runs here.
  void take(Lease lease, const std::string& gpu, std::uint64_t bytes);
  void give_back(Lease lease);

 private:
  struct Loaded {
    std::uint64_t bytes = 0;
    bool outlives_engine = false;
  };
  struct Card {
    std::uint64_t size = 0;
    bool is_estimate = false;
    std::uint64_t others = 0;
    std::uint64_t releasing = 0;
    std::map<std::string, Loaded> models;
    std::map<Lease, std::uint64_t> tasks;
    std::set<std::string> swept;  // that were loaded when it went, and not since
    std::string trouble;          // it is lost; empty = it is not
    bool is_removed = false;
    bool gone_is_seen = false;

    [[nodiscard]] bool is_there() const { return trouble.empty() && !is_removed; }
    [[nodiscard]] std::uint64_t own() const;
    [[nodiscard]] std::uint64_t free() const;
  };
  void change_weather();
  void press(Card& card);
  void lose(const std::string& gpu);
  void come_back(const std::string& gpu);
  [[nodiscard]] GpuMemory memory_of(const Card& card);

  Draw draw_;
  Agenda& agenda_;
  Faults& faults_;
  std::map<std::string, Card> cards_;
  bool is_watched_ = false;
};

}  // namespace almanac::test
