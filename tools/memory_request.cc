#include <almanac/tools/memory_request.h>

#include <almanac/tools/context_text.h>
#include <almanac/tools/json_fields.h>
#include <almanac/tools/memory_file.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <charconv>
#include <utility>

namespace almanac {

using nlohmann::ordered_json;

namespace {

ordered_json metadata_json(const Metadata& metadata) {
  return metadata.empty() ? ordered_json::object() : ordered_json::parse(to_json(metadata));
}

ordered_json stored_json(const MemorySpec& spec) {
  ordered_json json{{"kind", spec.kind}, {"content", spec.content}};
  if (!spec.user.empty()) json["user"] = spec.user;
  if (!spec.summary.empty()) json["summary"] = spec.summary;
  if (!spec.embedding.empty()) json["embedding"] = spec.embedding;
  if (!spec.tags.empty()) json["tags"] = spec.tags;
  if (!spec.metadata.empty()) json["metadata"] = metadata_json(spec.metadata);
  json["significance"] = spec.significance;
  if (spec.time_to_live > Duration(0)) json["time_to_live"] = format_duration(spec.time_to_live);
  return json;
}

ordered_json update_json(const MemoryUpdate& update) {
  ordered_json json{{"memory", update.id.value}};
  if (update.content) json["content"] = *update.content;
  if (update.summary) json["summary"] = *update.summary;
  if (update.embedding) json["embedding"] = *update.embedding;
  if (update.tags) json["tags"] = *update.tags;
  if (update.metadata) json["metadata"] = metadata_json(*update.metadata);
  if (update.significance) json["significance"] = *update.significance;
  if (update.time_to_live) json["time_to_live"] = format_duration(*update.time_to_live);
  if (update.expected) json["expected"] = update.expected.value;
  return json;
}

Result<MemoryId> memory_id_of(const ordered_json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > 0) {
    return MemoryId(value.get<std::uint64_t>());
  }
  return fail(ErrorCode::invalid, "it is no number of an entry", "send a number, such as 7");
}

Result<void> not_a_list(std::string_view what) {
  return fail(ErrorCode::invalid, fmt::format("it is not a list of {}", what), "send [ … ]");
}

Result<void> read_stored(const ordered_json& list, Time now, std::vector<MemorySpec>& stored) {
  if (!list.is_array()) return not_a_list("entries");
  for (const ordered_json& each : list) {
    auto entry =
        parse_memory(each.dump(-1, ' ', false, ordered_json::error_handler_t::replace), now);
    if (!entry) return std::unexpected(entry.error());
    if (*entry) stored.push_back(std::move(**entry));
  }
  return {};
}

Result<void> read_updates(const ordered_json& list, std::vector<MemoryUpdate>& updates) {
  if (!list.is_array()) return not_a_list("updates");
  for (const ordered_json& each : list) {
    const auto number = each.is_object() ? each.find("memory") : each.end();
    if (number == each.end()) {
      return fail(ErrorCode::invalid, "an update names no entry", "send its number as \"memory\"");
    }
    const auto id = memory_id_of(*number);
    if (!id) return std::unexpected(id.error());
    auto update = memory_update_of(*id, each);
    if (!update) return std::unexpected(update.error());
    updates.push_back(std::move(*update));
  }
  return {};
}

Result<void> read_forgotten(const ordered_json& list, std::vector<MemoryId>& forgotten) {
  if (!list.is_array()) return not_a_list("numbers");
  for (const ordered_json& each : list) {
    const auto id = memory_id_of(each);
    if (!id) return std::unexpected(id.error());
    forgotten.push_back(*id);
  }
  return {};
}

Result<void> read_expected(const ordered_json& object, std::map<MemoryId, Position>& expected) {
  if (!object.is_object()) return fail(ErrorCode::invalid, "it is no object", "send {\"7\": 41}");
  for (const auto& [key, value] : object.items()) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || !value.is_number_unsigned()) {
      return fail(ErrorCode::invalid, "it names no position of an entry", "send {\"7\": 41}");
    }
    expected[MemoryId(id)] = Position(value.get<std::uint64_t>());
  }
  return {};
}

using ContextValues = std::map<std::string, std::optional<ContextValue>>;

ordered_json context_values_json(const ContextValues& values) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, value] : values) json[name] = value ? value_json(*value) : ordered_json();
  return json;
}

Result<void> read_context_values(const ordered_json& object, ContextValues& values) {
  if (!object.is_object()) return fail(ErrorCode::invalid, "it is no object", "send {\"a\": 1}");
  for (const auto& [name, value] : object.items()) {
    auto& place = values[name];
    if (value.is_boolean()) place = value.get<bool>();
    if (value.is_number()) place = value.get<double>();
    if (value.is_string()) place = value.get<std::string>();
    if (!place && !value.is_null()) {
      return fail(ErrorCode::invalid, fmt::format("'{}' is a list or an object", name),
                  "send a text, a number, true, false, or null to take it away");
    }
  }
  return {};
}

Result<void> read_added_turns(const ordered_json& list, std::vector<ConversationTurn>& turns) {
  if (!list.is_array()) return not_a_list("turns");
  for (const ordered_json& each : list) {
    ConversationTurn& turn = turns.emplace_back();
    JsonFields fields(each);
    fields.word("role", turn.role, parse_role);
    fields.text("text", turn.text);
    fields.require("role");
    fields.require("text");
    fields.skip("at");
    if (auto done = fields.done(); !done) return done;
  }
  return {};
}

}  // namespace

ordered_json memory_transaction_json(const MemoryTransaction& transaction) {
  ordered_json json = ordered_json::object();
  for (const MemorySpec& spec : transaction.store) json["store"].push_back(stored_json(spec));
  for (const MemoryUpdate& update : transaction.update) {
    json["update"].push_back(update_json(update));
  }
  for (const MemoryId id : transaction.forget) json["forget"].push_back(id.value);
  for (const auto& [id, position] : transaction.forget_expected) {
    json["forget_expected"][std::to_string(id.value)] = position.value;
  }
  if (!transaction.reason.empty()) json["reason"] = transaction.reason;
  return json;
}

Result<MemoryTransaction> memory_transaction_of(const ordered_json& json, Time now) {
  MemoryTransaction transaction;
  JsonFields fields(json);
  fields.value("store",
               [&](const ordered_json& list) { return read_stored(list, now, transaction.store); });
  fields.value("update",
               [&](const ordered_json& list) { return read_updates(list, transaction.update); });
  fields.value("forget",
               [&](const ordered_json& list) { return read_forgotten(list, transaction.forget); });
  fields.value("forget_expected", [&](const ordered_json& object) {
    return read_expected(object, transaction.forget_expected);
  });
  fields.text("reason", transaction.reason);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  return transaction;
}

Result<MemoryUpdate> memory_update_of(MemoryId id, const ordered_json& json) {
  MemoryUpdate update{.id = id};
  JsonFields fields(json);
  fields.text("content", update.content);
  fields.text("summary", update.summary);
  fields.value("embedding", [&](const ordered_json& value) -> Result<void> {
    auto embedding = parse_embedding(value.dump());
    if (!embedding) return std::unexpected(embedding.error());
    update.embedding = std::move(*embedding);
    return {};
  });
  std::vector<std::string> tags;
  fields.texts("tags", tags);
  if (json.is_object() && json.contains("tags") && !json["tags"].is_null()) update.tags = tags;
  fields.value("metadata", [&](const ordered_json& value) -> Result<void> {
    auto metadata = parse_metadata(value.dump());
    if (!metadata) return std::unexpected(metadata.error());
    update.metadata = std::move(*metadata);
    return {};
  });
  fields.real("significance", update.significance);
  fields.duration("time_to_live", update.time_to_live);
  fields.number("expected", update.expected.value);
  fields.skip("memory kind user stored stored_at changed changed_at expires_at task similarity");
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  return update;
}

ordered_json context_changes_json(const ContextChanges& changes) {
  ordered_json json = ordered_json::object();
  if (!changes.preferences.empty()) {
    json["preferences"] = context_values_json(changes.preferences);
  }
  if (changes.friendship) json["friendship"] = *changes.friendship;
  if (!changes.fields.empty()) json["fields"] = context_values_json(changes.fields);
  for (const ConversationTurn& turn : changes.turns) {
    json["add_turns"].push_back({{"role", name(turn.role)}, {"text", turn.text}});
  }
  return json;
}

Result<ContextChanges> context_changes_of(const ordered_json& json) {
  ContextChanges changes;
  JsonFields fields(json);
  fields.value("preferences", [&](const ordered_json& object) {
    return read_context_values(object, changes.preferences);
  });
  fields.real("friendship", changes.friendship);
  fields.value("fields", [&](const ordered_json& object) {
    return read_context_values(object, changes.fields);
  });
  fields.value("add_turns",
               [&](const ordered_json& list) { return read_added_turns(list, changes.turns); });
  fields.skip("user version changed_at turns_added turns");
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  return changes;
}

}  // namespace almanac
