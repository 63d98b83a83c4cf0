#include <almanac/tools/context_events.h>

#include <almanac/tools/context_text.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// What one event has made known.
struct ContextLine {
  ordered_json json;
  std::string text;
};

std::string_view kind_name(ContextFieldKind kind) {
  switch (kind) {
    case ContextFieldKind::preference: return "preference";
    case ContextFieldKind::friendship: return "friendship";
    case ContextFieldKind::declared: return "field";
  }
  return "unknown";
}

// Nothing of what was sealed with a key that is not there.
class Describe {
 public:
  Describe(std::string_view user, const UserKeys& keys) : user_(user), keys_(keys) {}

  std::optional<ContextLine> operator()(const ContextChanged& event) const {
    if (event.user != user_) return std::nullopt;
    const auto key = key_of(event.key);
    if (event.content.empty())
      return ContextLine{{{"removed", to_hex(event.field)}}, "a field is gone"};
    const auto field = key ? open_field(as_text(event.content), *key) : sealed<OpenField>();
    if (!field) return unreadable();
    const std::string name = std::string(kind_name(field->name.kind)) +
                             (field->name.name.empty() ? "" : " " + field->name.name);
    return ContextLine{{{"field", name}, {"value", value_json(field->value)}},
                       printable(name) + " = " + value_text(field->value)};
  }
  std::optional<ContextLine> operator()(const ConversationTurnAdded& event) const {
    if (event.user != user_) return std::nullopt;
    const auto key = key_of(event.key);
    const auto turn =
        key ? open_turn(as_text(event.content), {}, *key) : sealed<ConversationTurn>();
    if (!turn) return unreadable();
    return ContextLine{{{"role", name(turn->role)}, {"text", turn->text}},
                       fmt::format("{}: {}", name(turn->role), printable(turn->text))};
  }
  std::optional<ContextLine> operator()(const UserForgotten& event) const {
    if (event.user != user_) return std::nullopt;
    return ContextLine{{{"forgotten", true}}, "the user was forgotten"};
  }
  std::optional<ContextLine> operator()(const auto&) const { return std::nullopt; }

 private:
  template <class Value>
  static Result<Value> sealed() {
    return fail(ErrorCode::refused, "it is sealed");
  }
  static ContextLine unreadable() {
    return {{{"unreadable", true}}, "what nobody can read any more"};
  }
  [[nodiscard]] std::shared_ptr<const EncryptionKey> key_of(Bytes key) const {
    const auto id = sixteen_bytes(key);
    return id ? keys_.find(*id) : nullptr;
  }

  std::string_view user_;
  const UserKeys& keys_;
};

}  // namespace

Result<void> read_context_events(const ContextEventsOptions& options,
                                 const std::function<bool(const ContextEvent&)>& visit) {
  const auto first = options.log.first();
  if (!first) return std::unexpected(first.error());
  const Describe describe(options.user, options.keys);
  return options.log.read(
      std::max(*first, options.from), [&](const RecordedEvent& recorded) -> Result<bool> {
        if (recorded.position > options.through) return false;
        auto line = std::visit(describe, recorded.event.body);
        if (!line) return true;
        ContextEvent event{
            .position = recorded.position,
            .at = recorded.event.at,
            .json = {{"position", recorded.position.value}, {"at", format_time(recorded.event.at)}},
            .text = std::move(line->text)};
        event.json.update(line->json);
        return visit(event);
      });
}

}  // namespace almanac
