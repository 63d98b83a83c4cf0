#include <almanac/tools/event_text.h>

#include <almanac/tools/event_fields.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <type_traits>

namespace almanac {
namespace {

constexpr std::size_t position_columns = 8;

// Appends "  NAME=VALUE" for each field that is set.
class LineFields {
 public:
  explicit LineFields(std::string& line) : line_(line) {}

  void operator()(const char* name, const auto& value) {
    bool is_for_machines = std::string_view(name) == "content_hash";
    if (is_set(value) && !is_for_machines) always(name, value);
  }
  void always(const char* name, const auto& value) {
    line_ += fmt::format("  {}={}", name, text_of(value));
  }

 private:
  template <class Value>
    requires std::is_integral_v<Value>
  static std::string text_of(const Value& value) {
    return std::to_string(value);
  }
  template <class Tag>
  static std::string text_of(Number<Tag> value) {
    return text_of(value.value);
  }
  static std::string text_of(Duration value) { return text_of(value.count()); }
  static std::string text_of(Time value) { return format_time(value); }
  static std::string text_of(AttemptStatus value) { return std::string(name(value)); }
  static std::string text_of(HandBackReason value) { return std::string(name(value)); }
  static std::string text_of(HoldReason value) { return std::string(name(value)); }
  static std::string text_of(TaskOutcome value) { return std::string(name(value)); }
  static std::string text_of(QueuePolicy value) { return std::string(name(value)); }
  static std::string text_of(BackupAction value) { return std::string(name(value)); }
  static std::string text_of(MissedPolicy value) { return std::string(name(value)); }
  static std::string text_of(OverlapPolicy value) { return std::string(name(value)); }
  static std::string text_of(SkipReason value) { return std::string(name(value)); }
  static std::string text_of(LaneBlock value) { return std::string(name(value)); }
  static std::string text_of(CircuitCause value) { return std::string(name(value)); }
  static std::string text_of(ComponentIssue value) { return std::string(name(value)); }
  static std::string text_of(RepairStrategy value) { return std::string(name(value)); }
  static std::string text_of(RepairOutcome value) { return std::string(name(value)); }
  static std::string text_of(SwitchCause value) { return std::string(name(value)); }
  static std::string text_of(HealthTrend value) { return std::string(name(value)); }
  static std::string text_of(const std::optional<RepairStrategy>& value) { return text_of(*value); }
  static std::string text_of(PoolRetirement value) { return std::string(name(value)); }
  static std::string text_of(Health value) { return std::string(name(value)); }
  static std::string text_of(GpuKind value) { return std::string(name(value)); }
  static std::string text_of(GpuAbsence value) { return std::string(name(value)); }
  static std::string text_of(GpuLevel value) { return std::string(name(value)); }
  static std::string text_of(AdvisorFault value) { return std::string(name(value)); }
  static std::string text_of(ForgetCause value) { return std::string(name(value)); }
  static std::string text_of(ModelUnloadCause value) { return std::string(name(value)); }
  static std::string text_of(AuditDoor value) { return std::string(name(value)); }
  static std::string text_of(RefusalReason value) { return std::string(name(value)); }
  static std::string text_of(bool value) { return value ? "true" : "false"; }
  static std::string text_of(DependencyCondition value) { return std::string(name(value)); }
  static std::string text_of(RetryPolicy value) { return std::string(name(value)); }
  static std::string text_of(PauseScope value) { return std::string(name(value)); }
  static std::string text_of(UniqueUntil value) { return std::string(name(value)); }
  static std::string text_of(const TaskIdentity& value) { return to_text(value); }
  static std::string text_of(std::string_view value) { return printable(value); }
  static std::string text_of(Bytes value) {
    auto text = as_text(value);
    return is_utf8(text) ? printable(text) : "hex:" + to_hex(value);
  }
  static std::string text_of(const NameListView& names) {
    std::string list;
    for (std::size_t i = 0; i < names.size(); ++i) {
      list += (i == 0 ? "" : ",") + printable(names[i]);
    }
    return list;
  }
  template <class Number>
    requires std::same_as<Number, TaskId> || std::same_as<Number, std::uint64_t>
  static std::string text_of(std::span<const Number> numbers) {
    std::string list;
    for (Number number : numbers) list += (list.empty() ? "" : ",") + text_of(number);
    return list;
  }
  static std::string text_of(std::span<const DependencyCondition> conditions) {
    std::string list;
    for (DependencyCondition condition : conditions) {
      list += (list.empty() ? "" : ",") + std::string(name(condition));
    }
    return list;
  }
  template <class Item, class Count>
  static std::string text_of(const NumberedNamesView<Item, Count>& items) {
    std::string list;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto& [name, count] = items[i];
      list += fmt::format("{}{}:{}", i == 0 ? "" : ",", printable(name), count);
    }
    return list;
  }
  static std::string text_of(const DescribedImplementationsView& items) {
    std::string list;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto& [name, traits] = items[i];
      list += fmt::format("{}{}:{}", i == 0 ? "" : ",", printable(name), to_text(traits));
    }
    return list;
  }

  std::string& line_;
};

class Texts {
 public:
  explicit Texts(const std::function<void(std::string_view)>& visit) : visit_(visit) {}

  void operator()(const char*, const auto& value) { see(value); }
  void always(const char*, const auto& value) { see(value); }

 private:
  void see(std::string_view value) {
    if (!value.empty()) visit_(value);
  }
  void see(Bytes value) { see(as_text(value)); }
  void see(const NameListView& names) {
    for (std::size_t i = 0; i < names.size(); ++i) see(names[i]);
  }
  template <class Item, class Count>
  void see(const NumberedNamesView<Item, Count>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto& [name, count] = items[i];
      see(name);
    }
  }
  void see(std::span<const DependencyCondition> conditions) {
    for (DependencyCondition condition : conditions) see(condition);
  }
  void see(DependencyCondition value) { see(name(value)); }
  void see(AttemptStatus value) { see(name(value)); }
  void see(HandBackReason value) { see(name(value)); }
  void see(HoldReason value) { see(name(value)); }
  void see(TaskOutcome value) { see(name(value)); }
  void see(QueuePolicy value) { see(name(value)); }
  void see(BackupAction value) { see(name(value)); }
  void see(MissedPolicy value) { see(name(value)); }
  void see(OverlapPolicy value) { see(name(value)); }
  void see(SkipReason value) { see(name(value)); }
  void see(LaneBlock value) { see(name(value)); }
  void see(CircuitCause value) { see(name(value)); }
  void see(ComponentIssue value) { see(name(value)); }
  void see(RepairStrategy value) { see(name(value)); }
  void see(RepairOutcome value) { see(name(value)); }
  void see(SwitchCause value) { see(name(value)); }
  void see(HealthTrend value) { see(name(value)); }
  void see(const std::optional<RepairStrategy>& value) {
    if (value) see(*value);
  }
  void see(PoolRetirement value) { see(name(value)); }
  void see(Health value) { see(name(value)); }
  void see(GpuKind value) { see(name(value)); }
  void see(GpuAbsence value) { see(name(value)); }
  void see(GpuLevel value) { see(name(value)); }
  void see(AdvisorFault value) { see(name(value)); }
  void see(ForgetCause value) { see(name(value)); }
  void see(ModelUnloadCause value) { see(name(value)); }
  void see(AuditDoor value) { see(name(value)); }
  void see(RefusalReason value) { see(name(value)); }
  void see(RetryPolicy value) { see(name(value)); }
  void see(PauseScope value) { see(name(value)); }
  void see(UniqueUntil value) { see(name(value)); }
  void see(const TaskIdentity& value) { see(std::string_view(to_text(value))); }
  // Numbers and times are not text.
  void see(std::span<const TaskId>) {}
  void see(std::span<const std::uint64_t>) {}
  void see(Time) {}
  void see(Duration) {}
  template <class Value>
    requires std::is_integral_v<Value>
  void see(Value) {}
  template <class Tag>
  void see(Number<Tag>) {}

  const std::function<void(std::string_view)>& visit_;
};

}  // namespace

std::string event_line(const RecordedEvent& recorded, std::size_t columns_max) {
  const Event& event = recorded.event;
  auto line = fmt::format("{:>{}}  {}  {:<19}", recorded.position.value, position_columns,
                          format_time(event.at), type_name(event.body));
  LineFields fields(line);
  describe_body(fields, event.body);
  describe_meta(fields, event);
  line.erase(line.find_last_not_of(' ') + 1);
  return folded(line, columns_max, position_columns + 2);
}

void visit_texts(const Event& event, const std::function<void(std::string_view)>& visit) {
  Texts texts(visit);
  describe_body(texts, event.body);
  describe_meta(texts, event);
}

}  // namespace almanac
