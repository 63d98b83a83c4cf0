#include <almanac/tools/memory_json.h>

#include <almanac/log/hash.h>
#include <almanac/tools/state_json.h>

#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

ordered_json memory_json(const Names& names, const Memory& memory) {
  const MemoryContent said = content_of(memory);
  ordered_json tags = ordered_json::array();
  for (const auto tag : tags_of(names, memory)) tags.push_back(tag);
  ordered_json metadata = ordered_json::object();
  if (!said.metadata.empty()) metadata = ordered_json::parse(said.metadata, nullptr, false);
  ordered_json json = {{"kind", names.text(memory.kind)}};
  if (memory.user) json["user"] = names.text(*memory.user);
  if (!memory.is_readable()) {
    json["user_key"] = to_hex(memory.sealed->key);
    json["sealed_bytes"] = memory.sealed->bytes.view().size();
  } else {
    json["content"] = said.content;
    json["summary"] = said.summary;
    json["embedding"] = embedding_of(memory);
    json["tags"] = std::move(tags);
    json["metadata"] = std::move(metadata);
  }
  json["significance"] = double(memory.significance) / significance_max;
  json["stored"] = memory.stored.value;
  json["stored_at"] = time_json(memory.stored_at);
  json["changed"] = memory.changed.value;
  json["changed_at"] = time_json(memory.changed_at);
  json["expires_at"] = time_json(memory.expires_at);
  json["task"] = memory.task.value;
  return json;
}

}  // namespace almanac
