#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

ForgetCause cause(schema::ForgetCause from) {
  const auto number = static_cast<unsigned>(from);
  KJ_REQUIRE(number < forget_cause_count, "a cause this version does not know");
  return static_cast<ForgetCause>(number);
}

MemoryContent read(schema::MemoryContent::Reader from) {
  return {view(from.getContent()), view(from.getSummary()), view(from.getEmbedding()),
          view(from.getMetadata())};
}

SealedMemory read(schema::SealedMemory::Reader from) {
  return {view(from.getKey()), view(from.getContent()), from.getDimension()};
}

MemoryStored read(schema::MemoryStored::Reader from, const Names& names) {
  return {.id = MemoryId(from.getId()),
          .kind = names.at(from.getKind()),
          .user = names.at(from.getUser()),
          .said = read(from.getSaid()),
          .tags = names.list(in_place<std::uint16_t>(from.getTags())),
          .significance = from.getSignificance(),
          .expires_at = time(from.getExpiresAt()),
          .task = TaskId(from.getTask()),
          .sealed = read(from.getSealed())};
}

MemoryUpdated read(schema::MemoryUpdated::Reader from, const Names& names) {
  return {.id = MemoryId(from.getId()),
          .changed = names.list(in_place<std::uint16_t>(from.getChanged())),
          .said = read(from.getSaid()),
          .tags = names.list(in_place<std::uint16_t>(from.getTags())),
          .significance = from.getSignificance(),
          .expires_at = time(from.getExpiresAt()),
          .sealed = read(from.getSealed())};
}

MemoryForgotten read(schema::MemoryForgotten::Reader from) {
  return {MemoryId(from.getId()), cause(from.getCause()), view(from.getReason())};
}

void write(const MemoryContent& from, schema::MemoryContent::Builder to) {
  set_text(from.content, [&](unsigned size) { return to.initContent(size); });
  set_text(from.summary, [&](unsigned size) { return to.initSummary(size); });
  if (!from.embedding.empty()) to.setEmbedding(data(from.embedding));
  set_text(from.metadata, [&](unsigned size) { return to.initMetadata(size); });
}

void write(const SealedMemory& from, schema::SealedMemory::Builder to) {
  if (!from.key.empty()) to.setKey(data(from.key));
  if (!from.content.empty()) to.setContent(data(from.content));
  to.setDimension(from.dimension);
}

bool is_there(const SealedMemory& sealed) {
  return !sealed.key.empty() || !sealed.content.empty() || sealed.dimension > 0;
}

void write(const NameListView& from, capnp::List<std::uint16_t>::Builder to, NameTable& names) {
  for (unsigned i = 0; i < to.size(); ++i) to.set(i, names.index(from[i]));
}

unsigned size_of(const NameListView& list) { return static_cast<unsigned>(list.size()); }

}  // namespace

void write(const MemoryStored& from, schema::Event::Body::Builder body, NameTable& names) {
  auto to = body.initMemoryStored();
  to.setId(from.id.value);
  to.setKind(names.index(from.kind));
  to.setUser(names.index(from.user));
  write(from.said, to.initSaid());
  if (from.tags.size() > 0) write(from.tags, to.initTags(size_of(from.tags)), names);
  to.setSignificance(from.significance);
  to.setExpiresAt(micros(from.expires_at));
  to.setTask(from.task.value);
  if (is_there(from.sealed)) write(from.sealed, to.initSealed());
}

void write(const MemoryUpdated& from, schema::Event::Body::Builder body, NameTable& names) {
  auto to = body.initMemoryUpdated();
  to.setId(from.id.value);
  if (from.changed.size() > 0) write(from.changed, to.initChanged(size_of(from.changed)), names);
  write(from.said, to.initSaid());
  if (from.tags.size() > 0) write(from.tags, to.initTags(size_of(from.tags)), names);
  to.setSignificance(from.significance);
  to.setExpiresAt(micros(from.expires_at));
  if (is_there(from.sealed)) write(from.sealed, to.initSealed());
}

void write(const MemoryForgotten& from, schema::Event::Body::Builder body, NameTable&) {
  auto to = body.initMemoryForgotten();
  to.setId(from.id.value);
  to.setCause(static_cast<schema::ForgetCause>(from.cause));
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

bool read_memory_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::MEMORY_STORED: to = read(body.getMemoryStored(), names); return true;
    case Which::MEMORY_UPDATED: to = read(body.getMemoryUpdated(), names); return true;
    case Which::MEMORY_FORGOTTEN: to = read(body.getMemoryForgotten()); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
