// The fields of the memory domain's events.
#pragma once

#include <almanac/log/events/memory.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe_said(Fields& fields, Describes<MemoryContent> auto& said) {
  fields("content", said.content);
  fields("summary", said.summary);
  fields("embedding", said.embedding);
  fields("metadata", said.metadata);
}

template <class Fields>
void describe_sealed(Fields& fields, Describes<SealedMemory> auto& sealed) {
  fields("user_key", sealed.key);
  fields("sealed", sealed.content);
  fields("dimension", sealed.dimension);
}

template <class Fields>
void describe(Fields& fields, Describes<MemoryStored> auto& event) {
  fields.always("memory", event.id);
  fields("kind", event.kind);
  fields("user", event.user);
  describe_said(fields, event.said);
  fields("tags", event.tags);
  fields("significance", event.significance);
  fields("expires_at", event.expires_at);
  fields("task", event.task);
  describe_sealed(fields, event.sealed);
}

template <class Fields>
void describe(Fields& fields, Describes<MemoryUpdated> auto& event) {
  fields.always("memory", event.id);
  fields("changed", event.changed);
  describe_said(fields, event.said);
  fields("tags", event.tags);
  fields("significance", event.significance);
  fields("expires_at", event.expires_at);
  describe_sealed(fields, event.sealed);
}

template <class Fields>
void describe(Fields& fields, Describes<MemoryForgotten> auto& event) {
  fields.always("memory", event.id);
  fields.always("cause", event.cause);
  fields("reason", event.reason);
}

}  // namespace almanac
