#include <almanac/projections/query_node.h>

namespace almanac::query {
namespace {

std::string_view operator_text(Kind kind) {
  switch (kind) {
    case Kind::both: return " && ";
    case Kind::either: return " || ";
    case Kind::equal: return " == ";
    case Kind::unequal: return " != ";
    case Kind::less: return " < ";
    case Kind::less_equal: return " <= ";
    case Kind::greater: return " > ";
    case Kind::greater_equal: return " >= ";
    case Kind::sum: return " + ";
    case Kind::difference: return " - ";
    case Kind::contains: return ".contains(";
    case Kind::starts_with: return ".startsWith(";
    case Kind::ends_with: return ".endsWith(";
    default: return "";
  }
}

bool is_method(Kind kind) { return kind >= Kind::contains && kind <= Kind::ends_with; }

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string literal_text(const Node& node) {
  switch (node.type) {
    case Type::truth: return node.number != 0 ? "true" : "false";
    case Type::number: return std::to_string(node.number);
    case Type::text: return in_quotes(node.text);
    case Type::duration: return duration_text(node.number);
    case Type::time: return "timestamp(" + in_quotes(time_text(node.number)) + ")";
  }
  return "";
}

// What has an operator between its parts stands in parentheses when it is a part itself.
std::string part_text(const Node& node) {
  const bool has_operator =
      node.kind >= Kind::both && node.kind <= Kind::tagged && !is_method(node.kind);
  return has_operator ? "(" + print(node) + ")" : print(node);
}

std::string list_text(const Node& node) {
  std::string list;
  for (std::size_t i = 1; i < node.parts.size(); ++i) {
    list += (i == 1 ? "" : ", ") + print(*node.parts[i]);
  }
  return "[" + list + "]";
}

}  // namespace

std::string print(const Node& node) {
  switch (node.kind) {
    case Kind::literal: return literal_text(node);
    case Kind::name: return std::string(node.name->name);
    case Kind::negation: return "!" + part_text(*node.parts[0]);
    case Kind::within: return part_text(*node.parts[0]) + " in " + list_text(node);
    case Kind::tagged: return part_text(*node.parts[0]) + " in tags";
    case Kind::demanded: return part_text(*node.parts[0]) + " in limits";
    case Kind::count: return "count(" + print(*node.parts[0]) + ")";
    case Kind::exists: return "exists(" + print(*node.parts[0]) + ")";
    default: break;
  }
  auto text = part_text(*node.parts[0]) + std::string(operator_text(node.kind));
  if (is_method(node.kind)) return text + print(*node.parts[1]) + ")";
  return text + part_text(*node.parts[1]);
}

}  // namespace almanac::query
