// What an engine is told about models: what each takes of a GPU's memory, and how it is loaded and
// unloaded. By commands, or by functions of the program.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/events/model.h>
#include <almanac/log/types.h>
#include <almanac/projections/models.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// One load or unload, for the function that does it.
struct ModelJob {
  std::string model;
  std::string gpu;  // its identity
  std::uint64_t bytes = 0;
  std::stop_token stop;  // its GPU is lost, it is late, or the engine stops
};

// A program and its arguments, never a shell, unless it is named. What it starts ends with it: a
// model that is to stay is loaded by a server that is there already. Shown ALMANAC_MODEL,
// ALMANAC_GPU and ALMANAC_BYTES.
struct ModelCommands {
  std::vector<std::string> load;
  std::vector<std::string> unload;
  // Ends with 0 where the model is loaded: asked when an engine starts and finds that it was.
  // Without, it is unloaded then.
  std::vector<std::string> check;
  bool operator==(const ModelCommands&) const = default;
};

struct ModelSpec {
  std::string name;
  std::uint64_t bytes = 0;  // what it takes, until that was measured
  std::string gpu;          // the only one it goes to, by its identity; empty = any
  std::string alternative;  // a smaller model, used where there is no way to make room for this one
  std::int32_t priority = 0;                      // gives way only to models of at least this one
  bool is_pinned = false;                         // never gives way
  Duration residency = std::chrono::seconds(30);  // gives way to no other so long
  Duration timeout = std::chrono::minutes(2);     // of a load, and of an unload
  // What a load takes, for what_if() alone: an engine measures it.
  Duration load_time{0};
  // Either these …
  ModelCommands commands;
  // … or these, on a thread of the engine; to be named again by each program that opens it.
  std::function<Result<void>(const ModelJob&)> on_load;
  std::function<Result<void>(const ModelJob&)> on_unload;
};

// Errors: invalid (the field is named).
[[nodiscard]] Result<void> check(const ModelSpec& spec);

// As it is on record, and back; empty for none. What is on record was made by the first.
[[nodiscard]] std::string commands_json(const ModelCommands& commands);
[[nodiscard]] ModelCommands commands_in(std::string_view json);

struct ModelOptions {
  // After a load, until what is free of its GPU's memory is steady; then what there is counts.
  Duration settle_limit = std::chrono::seconds(10);
  // After an unload, until what it took is free; then it counts as slow, and as gone.
  Duration release_limit = std::chrono::seconds(10);
  // How long tasks that name a model wait before one gives way to it that has tasks of its own; and
  // how long each keeps its place before it does (model_turns.h).
  Duration patience = std::chrono::seconds(30);
};

struct ModelUseOptions {
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  // until it can be used
  bool may_degrade = true;  // to its alternative, where there is one
};

// What has come of a model, from what loads it.
struct ModelStep {
  enum class Kind : std::uint8_t {
    load,
    loaded,
    load_failed,
    measured,
    unload,
    unloaded,
    unload_failed,
    released,
    lost,
    checked,
    used,
    degraded,
  };
  Kind kind = Kind::load;
  std::string gpu = {};      // load
  std::uint64_t bytes = 0;   // measured, released
  std::uint64_t times = 0;   // used, degraded
  std::string other = {};    // unload: for which; degraded: to which
  std::string message = {};  // failures, lost, checked, degraded
  ModelUnloadCause cause = ModelUnloadCause::asked;
  bool is = false;   // released: slowly; checked: loaded
  Duration took{0};  // loaded, unloaded
  Time last = {};    // used
};

// How a model stands now, with what only the engine that uses it knows.
struct ModelStatus {
  std::string name;
  Model model;  // its GPU and alternative are names of the state
  std::string gpu;
  std::uint32_t in_use = 0;
  std::uint32_t waiting = 0;
  std::string reason;  // why it is not there, for those that wait; empty = nobody does
};

}  // namespace almanac
