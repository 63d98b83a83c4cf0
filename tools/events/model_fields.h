// The fields of the model domain's events.
#pragma once

#include <almanac/log/events/model.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<ModelRegistered> auto& event) {
  fields("model", event.model);
  fields("bytes", event.bytes);
  fields("gpu", event.gpu);
  fields("alternative", event.alternative);
  fields("priority", event.priority);
  fields("pinned", event.pinned);
  fields("residency_us", event.residency);
  fields("timeout_us", event.timeout);
  fields("commands", event.commands);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelChanged> auto& event) {
  fields("model", event.model);
  fields("pinned", event.pinned);
  fields("priority", event.priority);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelRemoved> auto& event) {
  fields("model", event.model);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelLoadStarted> auto& event) {
  fields("model", event.model);
  fields("gpu", event.gpu);
  fields("bytes", event.bytes);
  fields("deadline", event.deadline);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelLoaded> auto& event) {
  fields("model", event.model);
  fields("took_us", event.took);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelLoadFailed> auto& event) {
  fields("model", event.model);
  fields("message", event.message);
  fields("next", event.next);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelMeasured> auto& event) {
  fields("model", event.model);
  fields("bytes", event.bytes);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelUnloadStarted> auto& event) {
  fields("model", event.model);
  fields.always("cause", event.cause);
  fields("beneficiary", event.beneficiary);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelUnloaded> auto& event) {
  fields("model", event.model);
  fields("took_us", event.took);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelUnloadFailed> auto& event) {
  fields("model", event.model);
  fields("message", event.message);
  fields("next", event.next);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelReleased> auto& event) {
  fields("model", event.model);
  fields("bytes", event.bytes);
  fields("is_slow", event.is_slow);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelLost> auto& event) {
  fields("model", event.model);
  fields("message", event.message);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelChecked> auto& event) {
  fields("model", event.model);
  fields("is_loaded", event.is_loaded);
  fields("message", event.message);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelUsed> auto& event) {
  fields("model", event.model);
  fields("uses", event.uses);
  fields("last", event.last);
}

template <class Fields>
void describe(Fields& fields, Describes<ModelDegraded> auto& event) {
  fields("model", event.model);
  fields("alternative", event.alternative);
  fields("times", event.times);
  fields("reason", event.reason);
}

}  // namespace almanac
