#include <almanac/tools/context_commands.h>
#include <almanac/tools/context_text.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/snapshots/user_keys.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// What one event has made known.
struct Line {
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

  std::optional<Line> operator()(const ContextChanged& event) const {
    if (event.user != user_) return std::nullopt;
    const auto key = key_of(event.key);
    if (event.content.empty()) return Line{{{"removed", to_hex(event.field)}}, "a field is gone"};
    const auto field = key ? open_field(as_text(event.content), *key) : sealed<OpenField>();
    if (!field) return unreadable();
    const std::string name = std::string(kind_name(field->name.kind)) +
                             (field->name.name.empty() ? "" : " " + field->name.name);
    return Line{{{"field", name}, {"value", value_json(field->value)}},
                printable(name) + " = " + value_text(field->value)};
  }
  std::optional<Line> operator()(const ConversationTurnAdded& event) const {
    if (event.user != user_) return std::nullopt;
    const auto key = key_of(event.key);
    const auto turn =
        key ? open_turn(as_text(event.content), {}, *key) : sealed<ConversationTurn>();
    if (!turn) return unreadable();
    return Line{{{"role", name(turn->role)}, {"text", turn->text}},
                fmt::format("{}: {}", name(turn->role), printable(turn->text))};
  }
  std::optional<Line> operator()(const UserForgotten& event) const {
    if (event.user != user_) return std::nullopt;
    return Line{{{"forgotten", true}}, "the user was forgotten"};
  }
  std::optional<Line> operator()(const auto&) const { return std::nullopt; }

 private:
  template <class Value>
  static Result<Value> sealed() {
    return fail(ErrorCode::refused, "it is sealed");
  }
  static Line unreadable() { return {{{"unreadable", true}}, "what nobody can read any more"}; }
  [[nodiscard]] std::shared_ptr<const EncryptionKey> key_of(Bytes key) const {
    const auto id = sixteen_bytes(key);
    return id ? keys_.find(*id) : nullptr;
  }

  std::string_view user_;
  const UserKeys& keys_;
};

void print(const RecordedEvent& event, Line line, bool json) {
  if (!json) {
    fmt::print("{:>8}  {}  {}\n", event.position.value, format_time(event.event.at), line.text);
    return;
  }
  ordered_json object{{"position", event.position.value}, {"at", format_time(event.event.at)}};
  object.update(line.json);
  fmt::print("{}\n",
             printable_json(object.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

}  // namespace

ExitCode context_history(const ContextHistoryCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto keys = UserKeys::open(command.folder);
  if (!keys) return report(keys.error());
  const auto base = source->log->base();
  if (!base) return report(base.error());
  const Describe describe(command.user, **keys);
  std::uint64_t found = 0;
  const auto read =
      source->log->read(base->last.next(), [&](const RecordedEvent& event) -> Result<bool> {
        if (event.position > source->state.position) return false;
        if (auto line = std::visit(describe, event.event.body)) {
          print(event, std::move(*line), command.json);
          ++found;
        }
        return true;
      });
  if (!read) return report(read.error());
  return found > 0 ? ExitCode::ok : report(nobody(command.user));
}

}  // namespace almanac
