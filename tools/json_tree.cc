#include <almanac/tools/json_tree.h>

#include <almanac/tools/limits.h>

#include <cstring>
#include <utility>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace almanac {
namespace {

// A function that answers false ends the parsing.
class TreeBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, TreeBuilder> {
 public:
  explicit TreeBuilder(std::pmr::memory_resource& texts) : texts_(texts) {}

  bool Null() { return add({JsonValue::Null{}}); }
  bool Bool(bool value) { return add({value}); }
  bool Int(int value) { return Int64(value); }
  bool Uint(unsigned value) { return Uint64(value); }
  bool Int64(std::int64_t value) { return add({value}); }
  bool Uint64(std::uint64_t value) { return add({value}); }
  bool Double(double value) { return add({value}); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return add({kept({text, size})});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    open_.back().key = kept({text, size});
    return true;
  }
  bool StartObject() { return open({JsonValue::Object{}}); }
  bool StartArray() { return open({JsonValue::List{}}); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  [[nodiscard]] JsonValue take() { return std::move(result_); }

 private:
  struct Open {
    JsonValue value;
    std::string_view key;  // of the member that comes next
  };

  std::string_view kept(std::string_view text) {
    if (text.empty()) return {};
    auto* copy = static_cast<char*>(texts_.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }
  bool open(JsonValue value) {
    if (open_.size() == limits::export_nesting_max) return false;
    open_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    auto done = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(done));
  }
  bool add(JsonValue value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else if (auto* list = std::get_if<JsonValue::List>(&open_.back().value.content)) {
      list->push_back(std::move(value));
    } else {
      auto& object = std::get<JsonValue::Object>(open_.back().value.content);
      object.push_back({open_.back().key, std::move(value)});
    }
    return true;
  }

  std::pmr::memory_resource& texts_;
  std::vector<Open> open_;
  JsonValue result_;
};

}  // namespace

std::expected<JsonValue, JsonFault> parse_json(std::string_view line,
                                               std::pmr::memory_resource& texts) {
  constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag |
                             rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;
  rapidjson::MemoryStream stream(line.data(), line.size());
  rapidjson::Reader reader;
  TreeBuilder builder(texts);
  auto parsed = reader.Parse<flags>(stream, builder);
  if (!parsed.IsError()) return builder.take();
  bool is_too_deep = parsed.Code() == rapidjson::kParseErrorTermination;
  return std::unexpected(JsonFault{
      parsed.Offset(), is_too_deep ? "lists and objects stand inside each other too deeply"
                                   : rapidjson::GetParseError_En(parsed.Code())});
}

}  // namespace almanac
