// Whose turn it is on GPUs that tasks of several models want: pure, from what a state knows of
// models, GPUs and tasks. The core asks it which models begin nothing more, the runner of models
// what to load and what to unload, `almanac whatif` both, and `almanac why` what is missing.
//
// A model is wanted while a task that names it could begin but for that. Those that are wanted and
// not loaded come one after the other: of the higher priority first, then who has waited longer,
// from when it was last unloaded.
// - Where there is room it is loaded; else models go that nobody uses and no task waits for, as far
//   as that is enough, the cheapest of them. But one that is used often is sure to be wanted again:
//   it stays for the patience times the uses that are to be expected within two of it, as it was
//   used of late (heat_at), and never longer than the patience.
// - A model that has tasks of its own keeps its place: they are done together, whatever came in
//   between. Until one that is not loaded has waited for the patience, and is overdue. Then those
//   that have been there longest give way, once they have had their place for the patience and for
//   their residency: none of their tasks begins until they are gone, and nothing else is loaded to
//   that GPU. So one that is wanted waits at most for
//     patience + n * (max(patience, residency) + longest attempt + unload + load)
//   on a GPU where n models are in front of it, itself among them, of no lower priority than those
//   there, and that has room for it.
// - What a model takes may have been measured as too little (model_measure.h), and less is thought
//   to come free with it than would. So where all that may go is not enough for one that is
//   overdue, they count for twice of what was declared, the most that is believed of them; and if
//   that is enough they give way all the same, each once it has been there for as long as the other
//   had waited before it was loaded, an hour at most. Who waits is served, or knows that there is
//   no room, and that is tried ever more rarely.
// - One that cannot be loaded, be it that its loads fail or that others keep the memory, keeps
//   nothing: nobody stands behind it.
// - Memory that tasks ask for (gpu_memory.h) stands in the same line, with the priority 0: the same
//   models make room for it, in the same order; and once it is overdue a GPU is kept for it, where
//   nothing else begins or is loaded until it has its room. What tasks have of a GPU comes free
//   with their ends alone.
#pragma once

#include <almanac/engine/model_wants.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace almanac {

struct ModelTurn {
  NameId model;  // absent, to be loaded to `gpu`, or the demand of memory of it, …
  NameId gpu;    // …
  bool evicts = false;
  NameId victim;  // … once this one is unloaded from it
  bool operator==(const ModelTurn&) const = default;
};

struct ModelTurns {
  std::vector<ModelTurn> steps;       // that can be taken now, at most one for a GPU
  std::map<NameId, NameId> closed;    // none of its tasks begins until it has given way to that one
  std::map<NameId, Time> overdue_at;  // of those that are wanted and absent: when others give way
  std::map<MemoryWish, Time> memory_overdue_at;  // the same of memory that is not there
  // GPUs of which no memory is given now, but to that one; of a model, mebibytes is 0.
  std::map<NameId, MemoryWish> kept;
  std::optional<Time> next;  // when it may be another's turn, if nothing else happens before
  bool operator==(const ModelTurns&) const = default;
};

// The uses in `room` are what keeps a model where it is.
[[nodiscard]] ModelTurns model_turns(ModelRoom room, const Names& names,
                                     const std::map<NameId, Time>& wanted, Duration patience,
                                     const std::map<MemoryWish, Time>& memory = {});
// Of what a state knows; empty where no model is wanted, which costs nothing where there are none.
[[nodiscard]] ModelTurns model_turns(const State& state, Time now, Duration patience);

// Why a task that names a model waits for it.
struct ModelWait {
  enum class Kind : std::uint8_t {
    usable,           // it does not
    short_of_memory,  // `numbers` say of what: "needs 9.2 GiB, device 0 has 5.9 free, …"
    next,             // there is room: it is the next to be loaded
    makes_room,       // `other` is unloaded for it
    loading,          // since then
    unloading,        // since then
    has_failed,       // its last load: it is tried again then
    gives_way,        // to `other`, a model or a demand of memory, which has waited since then
    unknown,          // nobody can say whether it is loaded, or its GPU is not there
  };
  Kind kind = Kind::usable;
  std::string numbers = {};
  std::optional<NameId> other = {};
  Time since = {};
};
// As far as the state knows.
[[nodiscard]] ModelWait model_wait(const State& state, NameId model, Time now);
// The same of memory: usable, short_of_memory, makes_room, or gives_way where there is some that is
// kept for another.
[[nodiscard]] ModelWait memory_wait(const State& state, const MemoryWish& wish, Time now);

}  // namespace almanac
