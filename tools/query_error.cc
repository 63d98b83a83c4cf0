#include <almanac/tools/query_error.h>

#include <almanac/tools/nearest.h>
#include <almanac/tools/text.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {
namespace {

constexpr std::size_t columns_before_max = 50;
constexpr std::size_t excerpt_columns = 70;

// The expression around the place, and a mark below it.
std::string marked(std::string_view text, std::size_t column) {
  auto before = printable(text.substr(0, std::min(column - 1, text.size())));
  auto behind = printable(text.substr(std::min(column - 1, text.size())));
  if (before.size() > columns_before_max) {
    std::size_t from = before.size() - columns_before_max;
    while (from < before.size() && (static_cast<unsigned char>(before[from]) & 0xC0U) == 0x80U) {
      ++from;
    }
    before = "…" + before.substr(from);
  }
  return fmt::format("{}\n{}^", cut(before + behind, excerpt_columns),
                     std::string(columns(before), ' '));
}

std::string hint(const QueryFault& fault) {
  auto meant = nearest(fault.word, fault.known);
  if (meant) return fmt::format("; did you mean '{}'?", *meant);
  constexpr std::size_t few = 10;
  if (fault.known.empty() || fault.known.size() > few) return {};
  std::string list;
  for (auto word : fault.known) {
    if (!word.empty()) list += (list.empty() ? "" : ", ") + std::string(word);
  }
  return "; use " + list;
}

}  // namespace

Result<Query> parse_query(std::string_view text, QuerySubject subject) {
  auto query = Query::parse(text, subject);
  if (query) return *query;
  const QueryFault& fault = query.error();
  return fail(ErrorCode::invalid,
              fmt::format("column {}: {}{}", fault.column, printable(fault.message), hint(fault)),
              marked(text, fault.column));
}

}  // namespace almanac
