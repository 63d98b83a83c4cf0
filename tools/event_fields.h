// The fields of every event type, and of what all events have, by name: see events/field_names.h.
#pragma once

#include <almanac/log/event.h>
#include <almanac/tools/events/advisor_fields.h>
#include <almanac/tools/events/audit_fields.h>
#include <almanac/tools/events/backup_fields.h>
#include <almanac/tools/events/circuit_fields.h>
#include <almanac/tools/events/component_fields.h>
#include <almanac/tools/events/context_fields.h>
#include <almanac/tools/events/engine_fields.h>
#include <almanac/tools/events/gpu_fields.h>
#include <almanac/tools/events/group_fields.h>
#include <almanac/tools/events/health_fields.h>
#include <almanac/tools/events/implementation_fields.h>
#include <almanac/tools/events/limit_fields.h>
#include <almanac/tools/events/memory_fields.h>
#include <almanac/tools/events/model_fields.h>
#include <almanac/tools/events/pause_fields.h>
#include <almanac/tools/events/pool_fields.h>
#include <almanac/tools/events/queue_fields.h>
#include <almanac/tools/events/schedule_fields.h>
#include <almanac/tools/events/task_fields.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<CustomEvent> auto& event) {
  fields("custom_type", event.type);
  fields("data", event.data);
}

template <class Fields>
void describe_body(Fields& fields, Describes<EventBody> auto& body) {
  std::visit([&](auto& event) { describe(fields, event); }, body);
}

// Behind the body's.
template <class Fields>
void describe_meta(Fields& fields, Describes<Event> auto& event) {
  fields("key", event.idempotency_key);
  fields("stream", event.stream);
  fields("correlation", event.correlation);
  fields("causation", event.causation);
}

// Whether a field holds anything but 0 or nothing.
template <class Field>
[[nodiscard]] bool is_set(const Field& field) {
  if constexpr (requires { field.size(); }) {
    return field.size() > 0;
  } else {
    return field != Field();
  }
}

// The body of every type with nothing set, not even what has a default: fields that are left out
// are 0 or empty.
[[nodiscard]] const std::vector<EventBody>& empty_bodies();
// As type_name() gives them.
[[nodiscard]] const std::vector<std::string_view>& event_type_names();

}  // namespace almanac
