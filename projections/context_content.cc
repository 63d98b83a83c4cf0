#include <almanac/projections/context_content.h>

#include <almanac/projections/sealed_bytes.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

// What sealed bytes are, which is part of what proves them.
constexpr std::string_view field_place = "almanac context field, format 1";
constexpr std::string_view turn_place = "almanac conversation turn, format 1";

// Its length first.
void write_name(ClearBytes& clear, const ContextFieldName& field) {
  clear.byte(static_cast<std::size_t>(field.kind));
  clear.byte(field.name.size());
  clear.text(field.name);
}

Result<ContextValue> read_value(ClearReader& reader) {
  const std::size_t type = reader.byte();
  ContextValue value;
  if (type == 0) value = reader.byte() != 0;
  if (type == 1) value = reader.number();
  if (type == 2) value = std::string(std::exchange(reader.rest, {}));
  if (reader.failed || !reader.rest.empty() || type > 2) return makes_no_sense();
  return value;
}

}  // namespace

std::string_view name(TurnRole role) {
  switch (role) {
    case TurnRole::user: return "user";
    case TurnRole::assistant: return "assistant";
    case TurnRole::system: return "system";
    case TurnRole::tool: return "tool";
  }
  return "unknown";
}

FieldMark mark_of(const ContextFieldName& field, const EncryptionKey& key) {
  ClearBytes clear;
  clear.text(field_place);
  write_name(clear, field);
  const Digest digest = keyed_blake2b(clear.bytes(), key);
  FieldMark mark;
  std::copy_n(digest.begin(), mark.size(), mark.begin());
  return mark;
}

std::string seal(const ContextFieldName& field, const ContextValue& value,
                 const EncryptionKey& key) {
  ClearBytes clear;
  write_name(clear, field);
  clear.byte(value.index());
  if (const auto* truth = std::get_if<bool>(&value)) clear.byte(*truth ? 1 : 0);
  if (const auto* number = std::get_if<double>(&value)) clear.number(*number);
  if (const auto* text = std::get_if<std::string>(&value)) clear.text(*text);
  return clear.sealed(key, field_place);
}

std::string seal(const ConversationTurn& turn, const EncryptionKey& key) {
  ClearBytes clear;
  clear.byte(static_cast<std::size_t>(turn.role));
  clear.text(turn.text);
  return clear.sealed(key, turn_place);
}

Result<OpenField> open_field(std::string_view content, const EncryptionKey& key) {
  return opened(content, key, field_place, [](ClearReader& reader) -> Result<OpenField> {
    OpenField field;
    const std::size_t kind = reader.byte();
    field.name.name = reader.text(reader.byte());
    if (reader.failed || kind >= context_field_kind_count) return makes_no_sense();
    field.name.kind = static_cast<ContextFieldKind>(kind);
    auto value = read_value(reader);
    if (!value) return std::unexpected(value.error());
    field.value = std::move(*value);
    return field;
  });
}

Result<ConversationTurn> open_turn(std::string_view content, Time at, const EncryptionKey& key) {
  return opened(content, key, turn_place, [&](ClearReader& reader) -> Result<ConversationTurn> {
    const std::size_t role = reader.byte();
    if (reader.failed || role >= turn_role_count) return makes_no_sense();
    return ConversationTurn{static_cast<TurnRole>(role), std::string(reader.rest), at};
  });
}

Result<OpenContext> open_context(const UserContext& context, const EncryptionKey& key) {
  OpenContext open{.version = context.version,
                   .changed_at = context.changed_at,
                   .turns_added = context.turns_added};
  for (const auto& [mark, content] : context.fields) {
    auto field = open_field(content.view(), key);
    if (!field) return std::unexpected(field.error());
    auto& [name, value] = *field;
    if (name.kind == ContextFieldKind::friendship) {
      const auto* number = std::get_if<double>(&value);
      if (number == nullptr) return makes_no_sense();
      open.friendship = *number;
    } else {
      auto& values = name.kind == ContextFieldKind::preference ? open.preferences : open.fields;
      values.emplace(std::move(name.name), std::move(value));
    }
  }
  open.turns.reserve(context.turns.size());
  for (const auto& [number, sealed] : context.turns) {
    auto turn = open_turn(sealed.content.view(), sealed.at, key);
    if (!turn) return std::unexpected(turn.error());
    open.turns.push_back(std::move(*turn));
  }
  return open;
}

}  // namespace almanac
