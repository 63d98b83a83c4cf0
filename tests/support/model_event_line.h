// The fields of the model domain's events in a line of text (event_line.h), by their bindings: one
// that is added is missed here at once.
#pragma once

#include <almanac/tests/support/event_line.h>

namespace almanac::test {

inline void add_fields(EventLine& line, const ModelRegistered& event) {
  const auto& [model, bytes, gpu, alternative, priority, pinned, residency, timeout, commands] =
      event;
  line.add("model", model)
      .add("bytes", std::uint64_t{bytes})
      .add("gpu", gpu)
      .add("alternative", alternative)
      .add("priority", priority)
      .add("pinned", std::uint64_t{pinned})
      .add("residency", residency)
      .add("timeout", timeout)
      .add("commands", commands);
}

inline void add_fields(EventLine& line, const ModelChanged& event) {
  const auto& [model, pinned, priority] = event;
  line.add("model", model).add("pinned", std::uint64_t{pinned}).add("priority", priority);
}

inline void add_fields(EventLine& line, const ModelRemoved& event) {
  const auto& [model] = event;
  line.add("model", model);
}

inline void add_fields(EventLine& line, const ModelLoadStarted& event) {
  const auto& [model, gpu, bytes, deadline] = event;
  line.add("model", model)
      .add("gpu", gpu)
      .add("bytes", std::uint64_t{bytes})
      .add("deadline", deadline);
}

inline void add_fields(EventLine& line, const ModelLoaded& event) {
  const auto& [model, took] = event;
  line.add("model", model).add("took", took);
}

inline void add_fields(EventLine& line, const ModelLoadFailed& event) {
  const auto& [model, message, next] = event;
  line.add("model", model).add("message", message).add("next", next);
}

inline void add_fields(EventLine& line, const ModelMeasured& event) {
  const auto& [model, bytes] = event;
  line.add("model", model).add("bytes", std::uint64_t{bytes});
}

inline void add_fields(EventLine& line, const ModelUnloadStarted& event) {
  const auto& [model, cause, beneficiary] = event;
  line.add("model", model).add("cause", name(cause)).add("beneficiary", beneficiary);
}

inline void add_fields(EventLine& line, const ModelUnloaded& event) {
  const auto& [model, took] = event;
  line.add("model", model).add("took", took);
}

inline void add_fields(EventLine& line, const ModelUnloadFailed& event) {
  const auto& [model, message, next] = event;
  line.add("model", model).add("message", message).add("next", next);
}

inline void add_fields(EventLine& line, const ModelReleased& event) {
  const auto& [model, bytes, is_slow] = event;
  line.add("model", model)
      .add("bytes", std::uint64_t{bytes})
      .add("is_slow", std::uint64_t{is_slow});
}

inline void add_fields(EventLine& line, const ModelLost& event) {
  const auto& [model, message] = event;
  line.add("model", model).add("message", message);
}

inline void add_fields(EventLine& line, const ModelChecked& event) {
  const auto& [model, is_loaded, message] = event;
  line.add("model", model).add("is_loaded", std::uint64_t{is_loaded}).add("message", message);
}

inline void add_fields(EventLine& line, const ModelUsed& event) {
  const auto& [model, uses, last] = event;
  line.add("model", model).add("uses", std::uint64_t{uses}).add("last", last);
}

inline void add_fields(EventLine& line, const ModelDegraded& event) {
  const auto& [model, alternative, times, reason] = event;
  line.add("model", model)
      .add("alternative", alternative)
      .add("times", std::uint64_t{times})
      .add("reason", reason);
}

}  // namespace almanac::test
