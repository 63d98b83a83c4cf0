// What RapidJSON tells of each line becomes our tree.
#include <almanac/tools/workload_value.h>

#include <almanac/tools/limits.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace almanac::workload {
namespace {

constexpr std::string_view blank = " \t\r";

// Builds the value of one line. A function that answers false ends the parsing.
class ValueBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, ValueBuilder> {
 public:
  explicit ValueBuilder(int line) : line_(line) {}

  bool Null() { return add({line_, Value::Null{}}); }
  bool Bool(bool value) { return add({line_, value}); }
  bool Int(int value) { return Int64(value); }
  bool Uint(unsigned value) { return Int64(value); }
  bool Int64(std::int64_t value) { return add({line_, value}); }
  // No key takes numbers as large as these: the largest that fits is refused just as well.
  bool Uint64(std::uint64_t) { return Int64(std::numeric_limits<std::int64_t>::max()); }
  bool Double(double value) { return add({line_, value}); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return add({line_, std::string(text, size)});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    open_.back().key.assign(text, size);
    return true;
  }
  bool StartObject() { return open(Value::Table{}); }
  bool StartArray() { return open(Value::List{}); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  bool EndObject(rapidjson::SizeType) {
    auto twice = find_twice(std::get<Value::Table>(open_.back().value.content));
    if (!twice) return close();
    fault_ = {line_, "the key '" + *twice + "' stands in one object twice", "remove one of them"};
    return false;
  }

  [[nodiscard]] Value take() { return std::move(result_); }
  [[nodiscard]] const std::optional<Fault>& fault() const { return fault_; }

 private:
  struct Open {
    Value value;
    std::string key = {};  // of the member that comes next
  };

  bool open(decltype(Value::content) content) {
    if (open_.size() == limits::workload_nesting_max) {
      fault_ = {line_, "objects and lists stand inside each other too deeply",
                "a task needs no more than two levels"};
      return false;
    }
    open_.push_back({{line_, std::move(content)}});
    return true;
  }

  bool close() {
    Value done = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(done));
  }

  bool add(Value value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else if (auto* list = std::get_if<Value::List>(&open_.back().value.content)) {
      list->push_back(std::move(value));
    } else {
      std::get<Value::Table>(open_.back().value.content)
          .push_back({std::move(open_.back().key), line_, std::move(value)});
    }
    return true;
  }

  static std::optional<std::string> find_twice(const Value::Table& table) {
    std::vector<std::string_view> keys;
    keys.reserve(table.size());
    for (const Member& member : table) keys.push_back(member.key);
    std::ranges::sort(keys);
    auto twice = std::ranges::adjacent_find(keys);
    if (twice == keys.end()) return {};
    return std::string(*twice);
  }

  int line_;
  std::vector<Open> open_;
  Value result_;
  std::optional<Fault> fault_;
};

Checked<Value> parse_json(std::string_view text, int line) {
  constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag |
                             rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  ValueBuilder builder(line);
  auto parsed = reader.Parse<flags>(stream, builder);
  if (builder.fault()) return std::unexpected(*builder.fault());
  if (parsed.IsError()) {
    return fault(line,
                 "not valid JSON at column " + std::to_string(parsed.Offset() + 1) + ": " +
                     rapidjson::GetParseError_En(parsed.Code()),
                 "write one whole JSON object on each line");
  }
  return builder.take();
}

// The object behind "workload" when the line holds that; a fault when it holds more.
Checked<const Value::Table*> find_head(const Value& value) {
  const auto* table = std::get_if<Value::Table>(&value.content);
  if (table == nullptr) return nullptr;
  auto found = std::ranges::find(*table, "workload", &Member::key);
  if (found == table->end()) return nullptr;
  const auto* head = std::get_if<Value::Table>(&found->value.content);
  if (head == nullptr || table->size() > 1) {
    return fault(value.line, "'workload' must be an object, alone on the first line",
                 R"(write {"workload": {"name": "nightly"}})");
  }
  return head;
}

}  // namespace

Checked<void> read_json_lines(std::string_view text, const Sink& sink) {
  bool is_first = true;
  for (int line = 1; !text.empty(); ++line) {
    auto end = std::min(text.find('\n'), text.size());
    auto content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.find_first_not_of(blank) == std::string_view::npos) continue;
    auto value = parse_json(content, line);
    if (!value) return std::unexpected(std::move(value.error()));
    auto head = find_head(*value);
    if (!head) return std::unexpected(std::move(head.error()));
    if (*head != nullptr && !is_first) {
      return fault(line, "'workload' stands behind a task", "move it to the first line");
    }
    if (is_first) {
      if (auto read = sink.head(*head != nullptr ? **head : Value::Table{}); !read) return read;
    }
    is_first = false;
    if (*head != nullptr) continue;
    if (auto read = sink.task(*value); !read) return read;
  }
  return {};
}

}  // namespace almanac::workload
