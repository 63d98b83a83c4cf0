#include <almanac/tools/event_json.h>

#include <almanac/tools/encoding.h>
#include <almanac/tools/event_fields.h>
#include <almanac/tools/nearest.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <limits>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

namespace almanac {

struct EventMemory::Parts {
  rapidjson::MemoryPoolAllocator<> json;  // the text of JSON strings
  std::deque<std::string> decoded;
  std::deque<std::vector<std::string_view>> names;
  std::deque<std::vector<TaskId>> ids;
};

EventMemory::EventMemory() : parts_(std::make_unique<Parts>()) {}
EventMemory::~EventMemory() = default;

void EventMemory::clear() {
  parts_->json.Clear();
  parts_->decoded.clear();
  parts_->names.clear();
  parts_->ids.clear();
}

// A quote inside a JSON string is never followed
// by a colon unless it ends a key.
std::size_t column_of(std::string_view line, std::string_view key, std::size_t after) {
  auto quoted = '"' + std::string(key) + '"';
  for (auto at = line.find(quoted, after); at != std::string_view::npos;
       at = line.find(quoted, at + 1)) {
    auto behind = line.find_first_not_of(" \t", at + quoted.size());
    if (behind != std::string_view::npos && line[behind] == ':') return at + 1;
  }
  return 1;
}

namespace {

using rapidjson::Value;

constexpr const char* how_to_write = "`almanac log export` shows how events are written";

std::string_view view(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

// Fills the fields from the members of one object. The first thing that is wrong stays.
template <class Memory>
class ObjectFields {
 public:
  ObjectFields(std::string_view line, const Value& object, Memory& memory)
      : line_(line), object_(object), memory_(memory), used_(object.MemberCount(), false) {}

  // Whether there is a field of this name; it is filled.
  template <class Field>
  bool operator()(const char* name, Field& field) {
    known_.emplace_back(name);
    const Value* value = take(name);
    if (value == nullptr || fault_) return false;
    name_ = name;
    get(*value, field);
    return true;
  }
  template <class Field>
  void always(const char* name, Field& field) {
    if (!(*this)(name, field) && !fault_) {
      fault_ = {1, fmt::format("the field '{}' is missing", name), how_to_write};
      is_missing_ = true;
    }
  }
  void wrong(const char* name, std::string message, std::string next_step) {
    if (fault_) return;
    fault_ = {column_of(line_, name), std::move(message), std::move(next_step)};
  }
  // What was found wrong, also that a member of the object is not known. A field that is missing
  // was perhaps only mistyped: then that is said.
  [[nodiscard]] std::optional<LineFault> finish() {
    for (rapidjson::SizeType i = 0; i < object_.MemberCount(); ++i) {
      if (used_[i] || (fault_ && !is_missing_)) continue;
      unknown(view((object_.MemberBegin() + i)->name));
      is_missing_ = false;
    }
    return fault_;
  }

 private:
  const Value* take(std::string_view name) {
    for (rapidjson::SizeType i = 0; i < object_.MemberCount(); ++i) {
      const auto& member = *(object_.MemberBegin() + i);
      if (used_[i] || view(member.name) != name) continue;
      used_[i] = true;
      return &member.value;
    }
    return nullptr;
  }
  void unknown(std::string_view name) {
    if (std::ranges::find(known_, name) != known_.end()) {
      auto first = column_of(line_, name);
      fault_ = {column_of(line_, name, first),
                fmt::format("the field '{}' stands in it twice", name), "remove one of them"};
      return;
    }
    auto meant = nearest(name, known_);
    fault_ = {column_of(line_, name), fmt::format("an event of this type has no field '{}'", name),
              meant ? fmt::format("did you mean '{}'?", *meant)
                    : "a newer version of Almanac may have written it: use that one"};
  }
  void expected(std::string_view what) {
    wrong(name_, fmt::format("the field '{}' is not {}", name_, what), how_to_write);
  }

  void get(const Value& value, bool& field) {
    if (!value.IsBool()) return expected("true or false");
    field = value.GetBool();
  }
  template <class Field>
    requires std::integral<Field>
  void get(const Value& value, Field& field) {
    using Limits = std::numeric_limits<Field>;
    bool fits = std::is_signed_v<Field>
                    ? value.IsInt64() && value.GetInt64() >= std::int64_t{Limits::min()} &&
                          value.GetInt64() <= static_cast<std::int64_t>(Limits::max())
                    : value.IsUint64() && value.GetUint64() <= std::uint64_t{Limits::max()};
    if (!fits) {
      return expected(fmt::format("a whole number from {} to {}", Limits::min(), Limits::max()));
    }
    field = std::is_signed_v<Field> ? static_cast<Field>(value.GetInt64())
                                    : static_cast<Field>(value.GetUint64());
  }
  template <class Tag>
  void get(const Value& value, Number<Tag>& field) {
    get(value, field.value);
  }
  void get(const Value& value, Duration& field) {
    std::int64_t count = 0;
    get(value, count);
    field = Duration(count);
  }
  void get(const Value& value, Time& field) {
    if (value.IsInt64()) {
      field = Time(Duration(value.GetInt64()));
      return;
    }
    if (!value.IsString()) return expected("a time");
    auto time = parse_time(view(value));
    if (!time) return wrong(name_, time.error().message, time.error().next_step);
    field = *time;
  }
  template <class Choice>
  void choose(const Value& value, Choice& field, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      auto word = name(static_cast<Choice>(i));
      if (value.IsString() && view(value) == word) {
        field = static_cast<Choice>(i);
        return;
      }
      all += (i == 0 ? "" : i + 1 < count ? ", " : " or ") + std::string(word);
    }
    expected(all);
  }
  void get(const Value& value, AttemptStatus& field) { choose(value, field, attempt_status_count); }
  void get(const Value& value, HandBackReason& field) {
    choose(value, field, hand_back_reason_count);
  }

  // The only member of the object, when that is its name.
  static const Value* only(const Value& object, std::string_view name) {
    if (!object.IsObject() || object.MemberCount() != 1) return nullptr;
    const auto& member = *object.MemberBegin();
    return view(member.name) == name && member.value.IsString() ? &member.value : nullptr;
  }
  // Also says whether it was base64 at all.
  bool decode(const Value& value, std::string_view& field) {
    const Value* text = only(value, "base64");
    if (text == nullptr) return false;
    auto bytes = from_base64(view(*text));
    if (bytes) {
      field = memory_.decoded.emplace_back(std::move(*bytes));
    } else {
      expected("whole base64");
    }
    return true;
  }
  void get(const Value& value, std::string_view& field) {
    if (value.IsString()) {
      field = view(value);
    } else if (!decode(value, field)) {
      expected("text, or {\"base64\": \"…\"}");
    }
  }
  void get(const Value& value, Bytes& field) {
    std::string_view bytes;
    if (const Value* text = only(value, "text")) {
      bytes = view(*text);
    } else if (!decode(value, bytes)) {
      expected("{\"text\": \"…\"} or {\"base64\": \"…\"}");
    }
    field = as_bytes(bytes);
  }
  void get(const Value& value, NameListView& field) {
    if (!value.IsArray()) return expected("a list of texts");
    auto& names = memory_.names.emplace_back();
    for (const Value& element : value.GetArray()) get(element, names.emplace_back());
    field = NameListView(names);
  }
  void get(const Value& value, std::span<const TaskId>& field) {
    if (!value.IsArray()) return expected("a list of tasks' numbers");
    auto& ids = memory_.ids.emplace_back();
    for (const Value& element : value.GetArray()) get(element, ids.emplace_back());
    field = ids;
  }

  std::string_view line_;
  const Value& object_;
  Memory& memory_;
  std::vector<bool> used_;
  std::vector<std::string_view> known_;
  const char* name_ = "";  // of the field that is being read
  std::optional<LineFault> fault_;
  bool is_missing_ = false;  // that is all the fault says
};

// The body of the type that the line names, with nothing set.
template <class Fields>
EventBody body_of_type(Fields& fields) {
  std::string_view type;
  fields.always("type", type);
  const auto& names = event_type_names();
  auto found = std::ranges::find(names, type);
  if (found != names.end()) return empty_bodies()[static_cast<std::size_t>(found - names.begin())];
  auto meant = nearest(type, names);
  fields.wrong("type", fmt::format("there is no event type '{}'", type),
               meant ? fmt::format("did you mean '{}'?", *meant)
                     : "a newer version of Almanac may have written it: use that one");
  return {};
}

template <class Fields>
ParsedEvent read_fields(Fields& fields) {
  ParsedEvent parsed;
  Event& event = parsed.recorded.event;
  fields.always("position", parsed.recorded.position);
  fields.always("time", event.at);
  bool begins_frame = false;
  fields("frame", begins_frame);
  FrameMark frame{.time = event.at};
  bool has_time = fields("frame_time", frame.time);
  if (has_time && !begins_frame) {
    fields.wrong("frame_time", "'frame_time' stands in a line that begins no frame",
                 "add \"frame\": true, or remove it");
  }
  if (begins_frame) parsed.frame = frame;
  event.body = body_of_type(fields);
  describe_body(fields, event.body);
  describe_meta(fields, event);
  return parsed;
}

}  // namespace

std::expected<ParsedEvent, LineFault> parse_event(std::string_view line, EventMemory& memory) {
  constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag |
                             rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;
  rapidjson::Document document(&memory.parts_->json);
  document.Parse<flags>(line.data(), line.size());
  if (document.HasParseError()) {
    return std::unexpected(LineFault{
        document.GetErrorOffset() + 1,
        fmt::format("not valid JSON: {}", rapidjson::GetParseError_En(document.GetParseError())),
        "every line must be one whole JSON object"});
  }
  if (!document.IsObject()) {
    return std::unexpected(LineFault{1, "the line is not a JSON object", how_to_write});
  }
  ObjectFields fields(line, document, *memory.parts_);
  auto parsed = read_fields(fields);
  if (auto fault = fields.finish()) return std::unexpected(std::move(*fault));
  return parsed;
}

}  // namespace almanac
