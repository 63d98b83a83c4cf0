// The fields of the queue domain's events.
#pragma once

#include <almanac/log/events/queue.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<QueueConfigured> auto& event) {
  fields("queue", event.queue);
  fields.always("slots", event.slots);
  fields("policy", event.policy);
  fields("ageing_us", event.ageing);
  fields("window_us", event.window);
  fields("short_work_us", event.short_work);
  fields("weights", event.weights);
  fields("retain_succeeded_us", event.retention.succeeded);
  fields("retain_failed_us", event.retention.failed);
  fields("retain_cancelled_us", event.retention.cancelled);
}

}  // namespace almanac
