#include <almanac/tools/help_text.h>

#include <almanac/tools/text.h>

#include <algorithm>
#include <array>
#include <utility>

namespace almanac {
namespace {

constexpr std::array guides = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"run", "workloads"},
    {"submit", "tasks"},
    {"list", "time-travel"},
    {"show", "tasks"},
    {"cancel", "tasks"},
    {"retry", "tasks"},
    {"pause", "tasks"},
    {"resume", "tasks"},
    {"queues", "scheduling"},
    {"recommend", "scheduling"},
    {"stats", "scheduling"},
    {"limits", "limits"},
    {"backups", "backup"},
    {"why", "time-travel"},
    {"history", "time-travel"},
    {"diff", "time-travel"},
    {"bisect", "time-travel"},
    {"replay", "time-travel"},
    {"fork", "time-travel"},
    {"health", "resilience"},
    {"whatif", "what-if"},
    {"serve", "daemon"},
    {"top", "top"},
    {"audit", "daemon"},
    {"queue", "scheduling"},
    {"review", "backup"},
    {"schedule", "recurring"},
    {"circuit", "resilience"},
    {"group", "tasks"},
    {"diagnostics", "resilience"},
    {"component", "self-healing"},
    {"heal", "self-healing"},
    {"pool", "resilience"},
    {"gpu", "gpu"},
    {"model", "gpu"},
    {"advisor", "advisors"},
    {"memory", "memory"},
    {"token", "daemon"},
    {"context", "contexts"},
    {"log", "log_tools"},
    {"state", "time-travel"},
    {"snapshot", "backup"},
});

constexpr std::string_view blanks = " \n";

}  // namespace

std::string wrapped(std::string_view text, std::size_t columns_max) {
  std::string lines;
  std::size_t used = 0;
  for (std::size_t begin = text.find_first_not_of(blanks); begin < text.size();) {
    const auto end = std::min(text.find_first_of(blanks, begin), text.size());
    const auto word = text.substr(begin, end - begin);
    const auto needed = columns(word);
    if (!lines.empty()) {
      const bool fits = used + 1 + needed <= columns_max;
      lines += fits ? ' ' : '\n';
      used = fits ? used + 1 : 0;
    }
    lines += word;
    used += needed;
    begin = text.find_first_not_of(blanks, end);
  }
  return lines;
}

std::string_view guide_of(std::string_view command) {
  const auto* found = std::ranges::find(guides, command, [](const auto& of) { return of.first; });
  return found == guides.end() ? std::string_view() : found->second;
}

}  // namespace almanac
