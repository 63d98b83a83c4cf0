#include <almanac/tools/group_options.h>

#include <almanac/tools/choices.h>

namespace almanac {

void add_group_options(OptionSet& options, GroupOptions& groups) {
  options.text("--group", groups.group, {"NAME", "A group it belongs to, open (`almanac group`)"});
  options.text(
      "--after-group", groups.after,
      {"NAME[:WHEN]",
       "A group it comes after: once that is closed and\nall of its tasks have succeeded, or "
       "as WHEN says:\nend, success_in_the_end"});
}

Result<AfterGroup> parse_after_group(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return AfterGroup{std::string(text)};
  auto condition = condition_from(text.substr(colon + 1));
  if (!condition) return std::unexpected(condition.error());
  return AfterGroup{std::string(text.substr(0, colon)), *condition};
}

Result<void> set_groups(TaskSpec& spec, const GroupOptions& groups) {
  spec.group = groups.group;
  if (groups.after.empty()) return {};
  auto after = parse_after_group(groups.after);
  if (!after) return std::unexpected(after.error());
  spec.after_group = std::move(*after);
  return {};
}

}  // namespace almanac
