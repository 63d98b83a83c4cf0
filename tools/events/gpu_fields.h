// The fields of the GPU domain's events.
#pragma once

#include <almanac/log/events/gpu.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<GpuDeviceAppeared> auto& event) {
  fields("device", event.device);
  fields("name", event.name);
  fields.always("kind", event.kind);
  fields("sizes", event.sizes);
  fields("local", event.local);
  fields("is_estimate", event.is_estimate);
}

template <class Fields>
void describe(Fields& fields, Describes<GpuDeviceVanished> auto& event) {
  fields("device", event.device);
  fields.always("absence", event.absence);
  fields("message", event.message);
}

template <class Fields>
void describe(Fields& fields, Describes<GpuSampled> auto& event) {
  fields("device", event.device);
  fields("own", event.own);
  fields("budget", event.budget);
}

template <class Fields>
void describe(Fields& fields, Describes<GpuAlertRaised> auto& event) {
  fields("device", event.device);
  fields("heap", event.heap);
  fields.always("level", event.level);
  fields.always("before", event.before);
}

template <class Fields>
void describe(Fields& fields, Describes<GpuAlertCleared> auto& event) {
  fields("device", event.device);
  fields("heap", event.heap);
}

}  // namespace almanac
