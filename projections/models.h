// What is loaded into the memory of GPUs: models, how each stands, and what is known of it. Models
// are named; a GPU by its identity.
#pragma once

#include <almanac/log/events/model.h>
#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/shared_text.h>
#include <almanac/projections/state_hasher.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

//   absent -> loading -> settling -> resident -> unloading -> releasing -> absent
// A load that fails leads back to absent, an unload that fails to unknown; what is lost with its
// GPU is absent. What commands loaded is unknown once an engine starts, and what the program itself
// did went with it.
enum class ModelState : std::uint8_t {
  absent,
  loading,
  settling,  // loaded; what it takes is being measured
  resident,
  unloading,
  releasing,  // unloaded; its memory is not free yet
  unknown,    // nobody can say whether it is loaded
};
inline constexpr int model_state_count = 7;
[[nodiscard]] std::string_view name(ModelState state);

struct ModelSetting {
  std::uint64_t bytes = 0;  // of a GPU's memory, as declared
  std::optional<NameId> gpu;
  std::optional<NameId> alternative;  // a smaller model
  std::int32_t priority = 0;
  bool is_pinned = false;
  Duration residency{0};  // stays at least so long
  Duration timeout{0};    // of a load, and of an unload
  SharedText commands;    // a JSON object; empty = the program loads it itself
  bool operator==(const ModelSetting&) const = default;
};

struct Model {
  ModelSetting setting;
  ModelState state = ModelState::absent;
  std::optional<NameId> gpu;   // where it is; none exactly while it is absent
  std::uint64_t learned = 0;   // what it took when that was last measured; 0 = never
  std::uint64_t reserved = 0;  // kept free for it while it is loading or settling
  Duration load_time{0};       // of the last load; 0 = none yet
  std::uint64_t uses = 0;
  // Of late, in thousandths, as of used_at: each counts half as much every model_heat_half_life.
  // Not part of the digest, which archives made before it was counted have as well.
  std::uint64_t heat = 0;
  std::uint64_t loads = 0;
  std::uint64_t failures = 0;  // of loads and unloads
  std::uint32_t failures_in_row = 0;
  std::uint64_t evictions = 0;  // unloaded for room, or because its GPU was critical
  std::uint64_t slow_releases = 0;
  std::uint64_t degraded = 0;  // times its alternative was used
  Position registered;
  Position changed;  // of its state
  Time changed_at;
  Time loaded_at;  // not set = never, as is
  Time used_at;
  Time retry_at;  // not tried before, after a failure
  bool operator==(const Model&) const = default;

  // What it is thought to take: as measured, or else as declared.
  [[nodiscard]] std::uint64_t bytes() const { return learned > 0 ? learned : setting.bytes; }
  // Where its load is kept free for it, or it may be in memory.
  [[nodiscard]] bool holds_memory() const {
    return state != ModelState::absent && state != ModelState::releasing;
  }
  [[nodiscard]] bool is_loaded() const {
    return state == ModelState::settling || state == ModelState::resident;
  }
};

// Its heat as it has become by then.
[[nodiscard]] std::uint64_t heat_at(const Model& model, Time now);

// A value; O(1) copy. Changed by fold() alone.
struct Models {
  PersistentMap<NameId, Model> all;

  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

bool fold(Models& models, Names& names, const EventPlace& place, const ModelRegistered& event);
// What contradicts the state changes nothing, and the answer is false: of these, what is said of a
// model that is not known, or that does not stand where the event finds it.
bool fold(Models& models, Names& names, const EventPlace& place, const ModelChanged& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelRemoved& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelLoadStarted& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelLoaded& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelLoadFailed& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelMeasured& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelUnloadStarted& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelUnloaded& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelUnloadFailed& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelReleased& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelLost& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelChecked& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelUsed& event);
bool fold(Models& models, Names& names, const EventPlace& place, const ModelDegraded& event);
// A task has begun that names it.
void note_use(Models& models, NameId model, Time at);
// Another program runs: what the one before loaded itself is gone, and of what commands loaded
// nobody can say.
void forget_loaded(Models& models);

// What is wrong with it; empty where nothing is (invariants.h).
[[nodiscard]] std::vector<std::string> broken_invariants(const Models& models, const Names& names);

}  // namespace almanac
