// One line of text for an event: its type, then each field as name=value.
#pragma once

#include <almanac/log/event.h>
#include <almanac/log/hash.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace almanac::test {

class EventLine {
 public:
  static constexpr std::size_t shown_bytes_max = 64;

  explicit EventLine(std::string_view type) : text_(type) {}

  EventLine& add(std::string_view field, std::string_view text) {
    return put(field, "\"" + std::string(text) + "\"");
  }
  EventLine& add(std::string_view field, std::uint64_t number) {
    return put(field, std::to_string(number));
  }
  EventLine& add(std::string_view field, std::int32_t number) {
    return put(field, std::to_string(number));
  }
  EventLine& add(std::string_view field, Duration duration) {
    return put(field, std::to_string(duration.count()) + "us");
  }
  EventLine& add(std::string_view field, Time time) { return add(field, time.time_since_epoch()); }
  template <class Tag>
  EventLine& add(std::string_view field, Number<Tag> number) {
    return add(field, number.value);
  }
  EventLine& add(std::string_view field, Bytes bytes) {
    if (bytes.size() <= shown_bytes_max) return put(field, to_hex(bytes));
    return put(field,
               std::to_string(bytes.size()) + " bytes with hash " + std::to_string(xxh3(bytes)));
  }
  EventLine& add(std::string_view field, const NameListView& names) {
    std::string list;
    for (std::size_t i = 0; i < names.size(); ++i) list += std::string(names[i]) + ",";
    return put(field, "[" + list + "]");
  }
  EventLine& add(std::string_view field, std::span<const TaskId> ids) {
    std::string list;
    for (TaskId id : ids) list += std::to_string(id.value) + ",";
    return put(field, "[" + list + "]");
  }
  EventLine& add(std::string_view field, std::span<const std::uint64_t> numbers) {
    std::string list;
    for (std::uint64_t number : numbers) list += std::to_string(number) + ",";
    return put(field, "[" + list + "]");
  }
  EventLine& add(std::string_view field, std::span<const DependencyCondition> conditions) {
    std::string list;
    for (DependencyCondition condition : conditions) list += std::string(name(condition)) + ",";
    return put(field, "[" + list + "]");
  }
  template <class Item, class Count>
  EventLine& add(std::string_view field, const NumberedNamesView<Item, Count>& items) {
    std::string list;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto& [name, count] = items[i];
      list += std::string(name) + ":" + std::to_string(count) + ",";
    }
    return put(field, "[" + list + "]");
  }
  EventLine& add(const AttemptEnd& end) {
    const auto& [status, code, output_dropped, message, result, output, permanent] = end;
    if (permanent) add("permanent", std::uint64_t{1});
    add("status", name(status)).add("code", code).add("output_dropped", output_dropped);
    return add("message", message).add("result", result).add("output", output);
  }
  EventLine& add(const BackupRun& run) {
    const auto& [job, due, took] = run;
    return add("job", job).add("due", due).add("took", took);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  EventLine& put(std::string_view field, const std::string& value) {
    text_ += " " + std::string(field) + "=" + value;
    return *this;
  }
  std::string text_;
};

}  // namespace almanac::test
