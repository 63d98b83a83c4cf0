// The one door to toml++: its tree becomes ours.
#include <almanac/tools/workload_value.h>

#include <almanac/tools/limits.h>

#include <algorithm>
#include <sstream>
#include <type_traits>
#include <utility>

#include <toml++/toml.h>

namespace almanac::workload {
namespace {

int line_of(const toml::source_region& source) { return static_cast<int>(source.begin.line); }

Value value_of(const toml::node& node);

Value::Table table_of(const toml::table& table) {
  std::vector<std::pair<toml::source_position, Member>> placed;
  for (const auto& [key, node] : table) {
    placed.emplace_back(key.source().begin,
                        Member{std::string(key.str()), line_of(key.source()), value_of(node)});
  }
  std::ranges::sort(placed, [](const auto& a, const auto& b) {
    return a.first == b.first ? a.second.key < b.second.key : a.first < b.first;
  });
  Value::Table members;
  for (auto& [position, member] : placed) members.push_back(std::move(member));
  return members;
}

Value value_of(const toml::node& node) {
  Value value{.line = line_of(node.source()), .content = {}};
  node.visit([&](const auto& found) {
    using Found = std::decay_t<decltype(found)>;
    if constexpr (std::is_same_v<Found, toml::table>) {
      value.content = table_of(found);
    } else if constexpr (std::is_same_v<Found, toml::array>) {
      auto& list = value.content.emplace<Value::List>();
      for (const toml::node& element : found) list.push_back(value_of(element));
    } else if constexpr (toml::is_string<Found> || toml::is_integer<Found> ||
                         toml::is_floating_point<Found> || toml::is_boolean<Found>) {
      value.content = found.get();
    } else {
      std::ostringstream text;
      text << found.get();
      value.content = Value::Moment{text.str()};
    }
  });
  return value;
}

Checked<Value::Table> parse_toml(std::string_view text) {
  try {
    return table_of(toml::parse(text));
  } catch (const toml::parse_error& error) {
    auto begin = error.source().begin;
    return fault(static_cast<int>(begin.line),
                 "not valid TOML at column " + std::to_string(begin.column) + ": " +
                     std::string(error.description()),
                 "correct this line; https://toml.io describes the format");
  }
}

}  // namespace

Checked<void> read_toml(std::string_view text, const Sink& sink) {
  auto root = parse_toml(text);
  if (!root) return std::unexpected(std::move(root.error()));
  auto tasks = std::ranges::find(*root, "task", &Member::key);
  Member found;
  if (tasks != root->end()) {
    found = std::move(*tasks);
    root->erase(tasks);
    if (!std::holds_alternative<Value::List>(found.value.content)) {
      return fault(found.line, "'task' must be a list of tables",
                   "write [[task]], with two brackets, in front of each task");
    }
  }
  if (auto read = sink.head(*root); !read) return read;
  if (auto* list = std::get_if<Value::List>(&found.value.content)) {
    for (const Value& task : *list) {
      if (auto read = sink.task(task); !read) return read;
    }
  }
  return {};
}

}  // namespace almanac::workload
