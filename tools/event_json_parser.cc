#include <almanac/tools/event_json.h>

#include <almanac/tools/encoding.h>
#include <almanac/tools/event_fields.h>
#include <almanac/tools/json_tree.h>
#include <almanac/tools/nearest.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <memory_resource>

namespace almanac {

struct EventMemory::Parts {
  std::pmr::monotonic_buffer_resource texts;  // of JSON strings
  std::deque<std::string> decoded;
  std::deque<std::vector<std::string_view>> names;
  std::deque<std::vector<TaskId>> ids;
  std::deque<std::vector<std::uint64_t>> numbers;
  std::deque<std::vector<DependencyCondition>> conditions;
  std::deque<std::vector<Demand>> demands;
  std::deque<std::vector<QueueWeight>> weights;
  std::deque<std::vector<RankedImplementation>> implementations;
  std::deque<std::vector<DescribedImplementation>> described;
};

EventMemory::EventMemory() : parts_(std::make_unique<Parts>()) {}
EventMemory::~EventMemory() = default;

void EventMemory::clear() {
  parts_->texts.release();
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

constexpr const char* how_to_write = "`almanac log export` shows how events are written";

// Fills the fields from the members of one object. The first thing that is wrong stays.
template <class Memory>
class ObjectFields {
 public:
  ObjectFields(std::string_view line, const JsonValue::Object& object, Memory& memory)
      : line_(line), object_(object), memory_(memory), used_(object.size(), false) {}

  // Whether there is a field of this name; it is filled.
  template <class Field>
  bool operator()(const char* name, Field& field) {
    known_.emplace_back(name);
    const JsonValue* value = take(name);
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
    for (std::size_t i = 0; i < object_.size(); ++i) {
      if (used_[i] || (fault_ && !is_missing_)) continue;
      unknown(object_[i].name);
      is_missing_ = false;
    }
    return fault_;
  }

 private:
  const JsonValue* take(std::string_view name) {
    for (std::size_t i = 0; i < object_.size(); ++i) {
      if (used_[i] || object_[i].name != name) continue;
      used_[i] = true;
      return &object_[i].value;
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

  void get(const JsonValue& value, bool& field) {
    const auto* found = value.get<bool>();
    if (found == nullptr) return expected("true or false");
    field = *found;
  }
  template <class Field>
    requires std::integral<Field>
  void get(const JsonValue& value, Field& field) {
    using Limits = std::numeric_limits<Field>;
    const auto* whole = value.get<std::uint64_t>();
    const auto* negative = value.get<std::int64_t>();
    if (whole != nullptr && *whole <= static_cast<std::uint64_t>(Limits::max())) {
      field = static_cast<Field>(*whole);
    } else if (negative != nullptr && std::is_signed_v<Field> &&
               *negative >= static_cast<std::int64_t>(Limits::min())) {
      field = static_cast<Field>(*negative);
    } else {
      expected(fmt::format("a whole number from {} to {}", Limits::min(), Limits::max()));
    }
  }
  template <class Tag>
  void get(const JsonValue& value, Number<Tag>& field) {
    get(value, field.value);
  }
  void get(const JsonValue& value, Duration& field) {
    std::int64_t count = 0;
    get(value, count);
    field = Duration(count);
  }
  void get(const JsonValue& value, Time& field) {
    const auto* text = value.get<std::string_view>();
    if (text == nullptr) {
      Duration since_1970{0};
      get(value, since_1970);
      field = Time(since_1970);
      return;
    }
    auto time = parse_time(*text);
    if (!time) return wrong(name_, time.error().message, time.error().next_step);
    field = *time;
  }
  template <class Choice>
  void choose(const JsonValue& value, Choice& field, int count) {
    const auto* text = value.get<std::string_view>();
    std::string all;
    for (int i = 0; i < count; ++i) {
      auto word = name(static_cast<Choice>(i));
      if (text != nullptr && *text == word) {
        field = static_cast<Choice>(i);
        return;
      }
      all += (i == 0 ? "" : i + 1 < count ? ", " : " or ") + std::string(word);
    }
    expected(all);
  }
  void get(const JsonValue& value, AttemptStatus& field) {
    choose(value, field, attempt_status_count);
  }
  void get(const JsonValue& value, HandBackReason& field) {
    choose(value, field, hand_back_reason_count);
  }
  void get(const JsonValue& value, HoldReason& field) { choose(value, field, hold_reason_count); }
  void get(const JsonValue& value, TaskOutcome& field) { choose(value, field, task_outcome_count); }
  void get(const JsonValue& value, QueuePolicy& field) { choose(value, field, queue_policy_count); }
  void get(const JsonValue& value, BackupAction& field) {
    choose(value, field, backup_action_count);
  }
  void get(const JsonValue& value, MissedPolicy& field) {
    choose(value, field, missed_policy_count);
  }
  void get(const JsonValue& value, OverlapPolicy& field) {
    choose(value, field, overlap_policy_count);
  }
  void get(const JsonValue& value, SkipReason& field) { choose(value, field, skip_reason_count); }
  void get(const JsonValue& value, LaneBlock& field) { choose(value, field, lane_block_count); }
  void get(const JsonValue& value, CircuitCause& field) {
    choose(value, field, circuit_cause_count);
  }
  void get(const JsonValue& value, DependencyCondition& field) {
    choose(value, field, dependency_condition_count);
  }
  void get(const JsonValue& value, ComponentIssue& field) {
    choose(value, field, component_issue_count);
  }
  void get(const JsonValue& value, RepairStrategy& field) {
    choose(value, field, repair_strategy_count);
  }
  void get(const JsonValue& value, RepairOutcome& field) {
    choose(value, field, repair_outcome_count);
  }
  void get(const JsonValue& value, SwitchCause& field) { choose(value, field, switch_cause_count); }
  void get(const JsonValue& value, HealthTrend& field) { choose(value, field, health_trend_count); }
  void get(const JsonValue& value, std::optional<RepairStrategy>& field) {
    get(value, field.emplace());
  }
  void get(const JsonValue& value, PoolRetirement& field) {
    choose(value, field, pool_retirement_count);
  }
  void get(const JsonValue& value, Health& field) { choose(value, field, health_count); }
  void get(const JsonValue& value, GpuKind& field) { choose(value, field, gpu_kind_count); }
  void get(const JsonValue& value, GpuAbsence& field) { choose(value, field, gpu_absence_count); }
  void get(const JsonValue& value, GpuLevel& field) { choose(value, field, gpu_level_count); }
  void get(const JsonValue& value, AdvisorFault& field) {
    choose(value, field, advisor_fault_count);
  }
  void get(const JsonValue& value, ForgetCause& field) { choose(value, field, forget_cause_count); }
  void get(const JsonValue& value, ModelUnloadCause& field) {
    choose(value, field, model_unload_cause_count);
  }
  void get(const JsonValue& value, AuditDoor& field) { choose(value, field, audit_door_count); }
  void get(const JsonValue& value, RefusalReason& field) {
    choose(value, field, refusal_reason_count);
  }
  void get(const JsonValue& value, RetryPolicy& field) { choose(value, field, retry_policy_count); }
  void get(const JsonValue& value, UniqueUntil& field) { choose(value, field, unique_until_count); }
  void get(const JsonValue& value, TaskIdentity& field) {
    const auto* text = value.get<std::string_view>();
    const auto identity = text == nullptr ? std::nullopt : parse_task_identity(*text);
    if (!identity) return expected("32 hexadecimal digits");
    field = *identity;
  }
  void get(const JsonValue& value, PauseScope& field) { choose(value, field, pause_scope_count); }

  // The text that is the only member of the object, when that is its name.
  static const std::string_view* only(const JsonValue& value, std::string_view name) {
    const auto* object = value.get<JsonValue::Object>();
    if (object == nullptr || object->size() != 1 || object->front().name != name) return nullptr;
    return object->front().value.get<std::string_view>();
  }
  // Whether it is base64 at all.
  bool decode(const JsonValue& value, std::string_view& field) {
    const auto* text = only(value, "base64");
    if (text == nullptr) return false;
    auto bytes = from_base64(*text);
    if (bytes) {
      field = memory_.decoded.emplace_back(std::move(*bytes));
    } else {
      expected("whole base64");
    }
    return true;
  }
  void get(const JsonValue& value, std::string_view& field) {
    if (const auto* text = value.get<std::string_view>()) {
      field = *text;
    } else if (!decode(value, field)) {
      expected("text, or {\"base64\": \"…\"}");
    }
  }
  void get(const JsonValue& value, Bytes& field) {
    std::string_view bytes;
    if (const auto* text = only(value, "text")) {
      bytes = *text;
    } else if (!decode(value, bytes)) {
      expected("{\"text\": \"…\"} or {\"base64\": \"…\"}");
    }
    field = as_bytes(bytes);
  }
  void get(const JsonValue& value, NameListView& field) {
    const auto* list = value.get<JsonValue::List>();
    if (list == nullptr) return expected("a list of texts");
    auto& names = memory_.names.emplace_back();
    for (const JsonValue& element : *list) get(element, names.emplace_back());
    field = NameListView(names);
  }
  void get(const JsonValue& value, std::span<const TaskId>& field) {
    const auto* list = value.get<JsonValue::List>();
    if (list == nullptr) return expected("a list of tasks' numbers");
    auto& ids = memory_.ids.emplace_back();
    for (const JsonValue& element : *list) get(element, ids.emplace_back());
    field = ids;
  }
  void get(const JsonValue& value, std::span<const std::uint64_t>& field) {
    const auto* list = value.get<JsonValue::List>();
    if (list == nullptr) return expected("a list of numbers");
    auto& numbers = memory_.numbers.emplace_back();
    for (const JsonValue& element : *list) get(element, numbers.emplace_back());
    field = numbers;
  }
  void get(const JsonValue& value, std::span<const DependencyCondition>& field) {
    const auto* list = value.get<JsonValue::List>();
    if (list == nullptr) return expected("a list of conditions");
    auto& conditions = memory_.conditions.emplace_back();
    for (const JsonValue& element : *list) get(element, conditions.emplace_back());
    field = conditions;
  }
  void get(const JsonValue& value, DemandListView& field) {
    const auto* list = value.get<JsonValue::List>();
    if (list == nullptr) return expected("a list of limits and units");
    auto& demands = memory_.demands.emplace_back();
    for (const JsonValue& element : *list) {
      Demand& demand = demands.emplace_back();
      get_pair(element, {"limit", "units"}, demand.limit, demand.units);
    }
    field = DemandListView(demands);
  }
  void get(const JsonValue& value, QueueWeightListView& field) {
    const auto* list = value.get<JsonValue::List>();
    if (list == nullptr) return expected("a list of names and weights");
    auto& weights = memory_.weights.emplace_back();
    for (const JsonValue& element : *list) {
      QueueWeight& weight = weights.emplace_back();
      get_pair(element, {"name", "weight"}, weight.name, weight.weight);
    }
    field = QueueWeightListView(weights);
  }
  void get(const JsonValue& value, ImplementationListView& field) {
    const auto* list = value.get<JsonValue::List>();
    if (list == nullptr) return expected("a list of names and attempts");
    auto& implementations = memory_.implementations.emplace_back();
    for (const JsonValue& element : *list) {
      RankedImplementation& one = implementations.emplace_back();
      get_pair(element, {"name", "attempts"}, one.name, one.attempts);
    }
    field = ImplementationListView(implementations);
  }
  void get(const JsonValue& value, ImplementationTraits& field) {
    const auto* text = value.get<std::string_view>();
    const auto traits = text == nullptr ? std::nullopt : parse_traits(*text);
    if (!traits) return expected("a kind and strategies, as in program:build,clean_build");
    field = *traits;
  }
  void get(const JsonValue& value, DescribedImplementationsView& field) {
    const auto* list = value.get<JsonValue::List>();
    if (list == nullptr) return expected("a list of names and traits");
    auto& described = memory_.described.emplace_back();
    for (const JsonValue& element : *list) {
      DescribedImplementation& one = described.emplace_back();
      get_pair(element, {"name", "traits"}, one.name, one.traits);
    }
    field = DescribedImplementationsView(described);
  }
  // Such as {"limit": "…", "units": 1}.
  template <class Count>
  void get_pair(const JsonValue& value, std::array<const char*, 2> keys, std::string_view& text,
                Count& count) {
    const auto* object = value.get<JsonValue::Object>();
    const bool is_whole = object != nullptr && object->size() == 2 &&
                          (*object)[0].name == keys[0] && (*object)[1].name == keys[1];
    if (!is_whole) return expected(fmt::format(R"({{"{}": "…", "{}": 1}})", keys[0], keys[1]));
    get((*object)[0].value, text);
    get((*object)[1].value, count);
  }

  std::string_view line_;
  const JsonValue::Object& object_;
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
  auto json = parse_json(line, memory.parts_->texts);
  if (!json) {
    return std::unexpected(LineFault{json.error().offset + 1,
                                     "not valid JSON: " + json.error().message,
                                     "every line must be one whole JSON object"});
  }
  const auto* object = json->get<JsonValue::Object>();
  if (object == nullptr) {
    return std::unexpected(LineFault{1, "the line is not a JSON object", how_to_write});
  }
  ObjectFields fields(line, *object, *memory.parts_);
  auto parsed = read_fields(fields);
  if (auto fault = fields.finish()) return std::unexpected(std::move(*fault));
  return parsed;
}

}  // namespace almanac
