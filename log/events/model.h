// The events of the model domain as C++ sees them: what is loaded into the memory of GPUs, and how
// that goes. GPUs are named by their identity; sizes are in bytes.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <string_view>

namespace almanac {

enum class ModelUnloadCause : std::uint8_t {
  asked,
  room,      // for another model
  critical,  // the memory of its GPU was
  unknown,   // nobody can say whether it is loaded
};
inline constexpr int model_unload_cause_count = 4;
[[nodiscard]] std::string_view name(ModelUnloadCause cause);

// There is a model, or it is no longer as it was.
struct ModelRegistered {
  std::string_view model;
  std::uint64_t bytes = 0;       // of a GPU's memory, as declared
  std::string_view gpu;          // the only one it goes to; empty = any
  std::string_view alternative;  // a smaller model, for want of room; empty = none
  std::int32_t priority = 0;
  bool pinned = false;
  Duration residency{0};      // stays at least so long
  Duration timeout{0};        // of a load, and of an unload
  std::string_view commands;  // a JSON object; empty = the program loads it itself
};

struct ModelChanged {
  std::string_view model;
  bool pinned = false;
  std::int32_t priority = 0;
};

struct ModelRemoved {
  std::string_view model;
};

struct ModelLoadStarted {
  std::string_view model;
  std::string_view gpu;
  std::uint64_t bytes = 0;  // kept free for it, until what it takes is known
  Time deadline;
};

struct ModelLoaded {
  std::string_view model;
  Duration took{0};
};

struct ModelLoadFailed {
  std::string_view model;
  std::string_view message;
  Time next;  // not tried again before
};

// What is free of the GPU's memory is steady again.
struct ModelMeasured {
  std::string_view model;
  std::uint64_t bytes = 0;  // it has taken; 0 = that cannot be told
};

struct ModelUnloadStarted {
  std::string_view model;
  ModelUnloadCause cause = ModelUnloadCause::asked;
  std::string_view beneficiary;  // the model that room is made for
};

struct ModelUnloaded {
  std::string_view model;
  Duration took{0};
};

// Nobody can say whether it is loaded.
struct ModelUnloadFailed {
  std::string_view model;
  std::string_view message;
  Time next;
};

// Its memory is free.
struct ModelReleased {
  std::string_view model;
  std::uint64_t bytes = 0;  // that have come free since the unload began
  bool is_slow = false;     // it has not come free in time, and is not waited for any more
};

// With its GPU.
struct ModelLost {
  std::string_view model;
  std::string_view message;
};

// Of one of which nobody could say whether it is loaded.
struct ModelChecked {
  std::string_view model;
  bool is_loaded = false;
  std::string_view message;
};

// Uses are counted in memory, and told now and then.
struct ModelUsed {
  std::string_view model;
  std::uint64_t uses = 0;  // since the event before
  Time last;
};

// The alternative was used for want of room.
struct ModelDegraded {
  std::string_view model;
  std::string_view alternative;
  std::uint64_t times = 0;  // since the event before
  std::string_view reason;  // the last time
};

}  // namespace almanac
