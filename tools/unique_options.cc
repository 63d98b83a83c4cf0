#include <almanac/tools/unique_options.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/units.h>

namespace almanac {

void add_unique_options(OptionSet& options, UniqueOptions& unique) {
  options.flag("--unique", unique.by_command,
               "Only where there is no task of the same command\nand folder that has not ended");
  options.text("--unique-key", unique.key, {"TEXT", "The same by a text instead of the command"});
  options.flag("--unique-in-queue", unique.per_queue, "Look at tasks of the same queue alone");
  options.text("--unique-until", unique.until,
               {"STATE",
                "How far the other must be: ended, started,\nsucceeded, or enqueued with "
                "--unique-within"});
  options.text("--unique-within", unique.within,
               {"TIME", "And how long ago it must have been submitted"});
  options.text(
      "--on-conflict", unique.on_conflict,
      {"WHAT", "Where there is one: existing answers its number,\nskip, replace it, or refuse"});
}

Result<std::optional<UniqueSpec>> make_unique_spec(const UniqueOptions& unique) {
  const bool is_any = unique.by_command || unique.per_queue || !unique.key.empty() ||
                      !unique.until.empty() || !unique.within.empty() ||
                      !unique.on_conflict.empty();
  if (!is_any) return std::nullopt;
  UniqueSpec spec{.key = unique.key, .per_queue = unique.per_queue};
  if (!unique.until.empty()) {
    auto until = unique_until_from(unique.until);
    if (!until) return std::unexpected(until.error());
    spec.until = *until;
  }
  if (!unique.within.empty()) {
    auto within = parse_duration(unique.within);
    if (!within) return std::unexpected(within.error());
    spec.within = *within;
  }
  if (!unique.on_conflict.empty()) {
    auto on_conflict = on_conflict_from(unique.on_conflict);
    if (!on_conflict) return std::unexpected(on_conflict.error());
    spec.on_conflict = *on_conflict;
  }
  return spec;
}

}  // namespace almanac
