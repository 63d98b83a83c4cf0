#include <almanac/projections/context_content.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <utility>

namespace almanac {
namespace {

// What sealed bytes are, which is part of what proves them.
constexpr std::string_view field_place = "almanac context field, format 1";
constexpr std::string_view turn_place = "almanac conversation turn, format 1";

// Bytes in the clear, which are overwritten when this goes.
class Clear {
 public:
  void byte(std::size_t value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void text(std::string_view text) {
    const Bytes bytes = as_bytes(text);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  // Its length first.
  void name(const ContextFieldName& field) {
    byte(static_cast<std::size_t>(field.kind));
    byte(field.name.size());
    text(field.name);
  }
  void number(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (unsigned shift = 0; shift < 64; shift += 8) byte(bits >> shift & 0xff);
  }
  ~Clear() { wipe(bytes_); }

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] std::string sealed(const EncryptionKey& key, std::string_view place) const {
    return std::string(as_text(encrypt(bytes_, key, place)));
  }

 private:
  std::vector<std::byte> bytes_;
};

// What was written so; where it was not, `failed`.
struct ContentReader {
  std::string_view rest;
  bool failed = false;

  std::string_view text(std::size_t size) {
    failed = failed || size > rest.size();
    if (failed) return {};
    const auto text = rest.substr(0, size);
    rest.remove_prefix(size);
    return text;
  }
  std::size_t byte() {
    const auto one = text(1);
    return failed ? 0 : static_cast<unsigned char>(one.front());
  }
  double number() {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{byte()} << shift;
    return std::bit_cast<double>(bits);
  }
};

std::unexpected<Error> makes_no_sense() {
  return fail(ErrorCode::corrupt, "what is known of the user makes no sense",
              "a newer version of Almanac may have written it: use that one");
}

template <class Read>
auto opened(std::string_view content, const EncryptionKey& key, std::string_view place, Read read)
    -> decltype(read(std::declval<ContentReader&>())) {
  const Bytes bytes = as_bytes(content);
  auto clear = decrypt({bytes.begin(), bytes.end()}, key, place);
  if (!clear) return std::unexpected(clear.error());
  const WipedAtEnd wiped(*clear);
  ContentReader reader{as_text(*clear)};
  return read(reader);
}

Result<ContextValue> read_value(ContentReader& reader) {
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
  Clear clear;
  clear.text(field_place);
  clear.name(field);
  const Digest digest = keyed_blake2b(clear.bytes(), key);
  FieldMark mark;
  std::copy_n(digest.begin(), mark.size(), mark.begin());
  return mark;
}

std::string seal(const ContextFieldName& field, const ContextValue& value,
                 const EncryptionKey& key) {
  Clear clear;
  clear.name(field);
  clear.byte(value.index());
  if (const auto* truth = std::get_if<bool>(&value)) clear.byte(*truth ? 1 : 0);
  if (const auto* number = std::get_if<double>(&value)) clear.number(*number);
  if (const auto* text = std::get_if<std::string>(&value)) clear.text(*text);
  return clear.sealed(key, field_place);
}

std::string seal(const ConversationTurn& turn, const EncryptionKey& key) {
  Clear clear;
  clear.byte(static_cast<std::size_t>(turn.role));
  clear.text(turn.text);
  return clear.sealed(key, turn_place);
}

Result<OpenField> open_field(std::string_view content, const EncryptionKey& key) {
  return opened(content, key, field_place, [](ContentReader& reader) -> Result<OpenField> {
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
  return opened(content, key, turn_place, [&](ContentReader& reader) -> Result<ConversationTurn> {
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
