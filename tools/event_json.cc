#include <almanac/tools/event_json.h>

#include <almanac/tools/encoding.h>
#include <almanac/tools/event_fields.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <algorithm>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace almanac {
namespace {

constexpr Time text_time_min = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
constexpr Time text_time_end = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);

// UTF-8 with nothing in it that text does not have; colours are in much that programs print.
bool looks_like_text(std::string_view text) {
  auto is_strange = [](char c) {
    bool is_control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    return is_control && std::string_view("\n\r\t\x1b").find(c) == std::string_view::npos;
  };
  return std::ranges::none_of(text, is_strange) && is_utf8(text);
}

// Adds the fields that are set.
class JsonFields {
 public:
  using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
  explicit JsonFields(Writer& writer) : writer_(writer) {}

  void operator()(const char* name, const auto& value) {
    if (is_set(value)) always(name, value);
  }
  void always(const char* name, const auto& value) {
    writer_.Key(name);
    put(value);
  }

 private:
  template <class Value>
    requires std::integral<Value>
  void put(Value value) {
    if constexpr (std::is_signed_v<Value>) {
      writer_.Int64(value);
    } else {
      writer_.Uint64(value);
    }
  }
  void put(Duration value) { writer_.Int64(value.count()); }
  template <class Tag>
  void put(Number<Tag> value) {
    writer_.Uint64(value.value);
  }
  void put(AttemptStatus value) { string(name(value)); }
  void put(HandBackReason value) { string(name(value)); }
  void put(HoldReason value) { string(name(value)); }
  void put(TaskOutcome value) { string(name(value)); }
  void put(QueuePolicy value) { string(name(value)); }
  void put(BackupAction value) { string(name(value)); }
  void put(MissedPolicy value) { string(name(value)); }
  void put(OverlapPolicy value) { string(name(value)); }
  void put(SkipReason value) { string(name(value)); }
  void put(LaneBlock value) { string(name(value)); }
  void put(CircuitCause value) { string(name(value)); }
  void put(DependencyCondition value) { string(name(value)); }
  void put(ComponentIssue value) { string(name(value)); }
  void put(RepairStrategy value) { string(name(value)); }
  void put(RepairOutcome value) { string(name(value)); }
  void put(SwitchCause value) { string(name(value)); }
  void put(HealthTrend value) { string(name(value)); }
  void put(const std::optional<RepairStrategy>& value) { put(*value); }
  void put(PoolRetirement value) { string(name(value)); }
  void put(Health value) { string(name(value)); }
  void put(GpuKind value) { string(name(value)); }
  void put(GpuAbsence value) { string(name(value)); }
  void put(GpuLevel value) { string(name(value)); }
  void put(AdvisorFault value) { string(name(value)); }
  void put(ForgetCause value) { string(name(value)); }
  void put(ModelUnloadCause value) { string(name(value)); }
  void put(AuditDoor value) { string(name(value)); }
  void put(RefusalReason value) { string(name(value)); }
  void put(RetryPolicy value) { string(name(value)); }
  void put(PauseScope value) { string(name(value)); }
  void put(UniqueUntil value) { string(name(value)); }
  void put(const TaskIdentity& value) { string(to_text(value)); }
  void put(bool value) { writer_.Bool(value); }
  void put(Time value) {
    if (value >= text_time_min && value < text_time_end) return string(format_time(value));
    writer_.Int64(value.time_since_epoch().count());
  }
  void put(std::string_view value) { is_utf8(value) ? string(value) : base64(as_bytes(value)); }
  void put(Bytes value) {
    if (!looks_like_text(as_text(value))) return base64(value);
    writer_.StartObject();
    writer_.Key("text");
    string(as_text(value));
    writer_.EndObject();
  }
  void put(const NameListView& names) {
    writer_.StartArray();
    for (std::size_t i = 0; i < names.size(); ++i) put(names[i]);
    writer_.EndArray();
  }
  void put(std::span<const DependencyCondition> conditions) {
    writer_.StartArray();
    for (DependencyCondition condition : conditions) put(condition);
    writer_.EndArray();
  }
  void put(const DemandListView& demands) {
    put_list(demands, [&](const Demand& demand) {
      always("limit", demand.limit);
      always("units", demand.units);
    });
  }
  void put(const QueueWeightListView& weights) {
    put_list(weights, [&](const QueueWeight& weight) {
      always("name", weight.name);
      always("weight", weight.weight);
    });
  }
  void put(const ImplementationListView& implementations) {
    put_list(implementations, [&](const RankedImplementation& one) {
      always("name", one.name);
      always("attempts", one.attempts);
    });
  }
  void put(const DescribedImplementationsView& implementations) {
    put_list(implementations, [&](const DescribedImplementation& one) {
      always("name", one.name);
      always("traits", to_text(one.traits));
    });
  }
  template <class List, class PutMembers>
  void put_list(const List& list, PutMembers put_members) {
    writer_.StartArray();
    for (std::size_t i = 0; i < list.size(); ++i) {
      writer_.StartObject();
      put_members(list[i]);
      writer_.EndObject();
    }
    writer_.EndArray();
  }
  template <class Number>
    requires std::same_as<Number, TaskId> || std::same_as<Number, std::uint64_t>
  void put(std::span<const Number> numbers) {
    writer_.StartArray();
    for (Number number : numbers) put(number);
    writer_.EndArray();
  }

  void string(std::string_view text) {
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  void base64(Bytes bytes) {
    writer_.StartObject();
    writer_.Key("base64");
    string(to_base64(bytes));
    writer_.EndObject();
  }

  Writer& writer_;
};

}  // namespace

std::string event_json(const RecordedEvent& recorded, const std::optional<FrameMark>& frame) {
  const Event& event = recorded.event;
  rapidjson::StringBuffer buffer;
  JsonFields::Writer writer(buffer);
  JsonFields fields(writer);
  writer.StartObject();
  fields.always("position", recorded.position);
  if (frame) {
    writer.Key("frame");
    writer.Bool(true);
    if (frame->time != event.at) fields.always("frame_time", frame->time);
  }
  fields.always("time", event.at);
  fields.always("type", type_name(event.body));
  describe_body(fields, event.body);
  describe_meta(fields, event);
  writer.EndObject();
  return printable_json({buffer.GetString(), buffer.GetSize()});
}

}  // namespace almanac
