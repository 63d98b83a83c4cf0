#include <almanac/tools/retention_options.h>

#include <almanac/tools/units.h>

namespace almanac {

void add_retention_options(OptionSet& options, RetentionText& keep) {
  options.text("--keep-within", keep.within,
               {"DURATION",
                "Keep those so much older than the newest, or\nless; 30d when no rule is given"});
  auto add = [&](const char* name, std::uint64_t& count, const char* keeps) {
    options.number(name, count, {}, {"NUMBER", keeps});
  };
  add("--keep-last", keep.last, "Keep the newest so many");
  add("--keep-hourly", keep.hourly, "Keep the newest of so many hours that have one");
  add("--keep-daily", keep.daily, "Of so many days, in UTC");
  add("--keep-weekly", keep.weekly, "Of so many weeks, from Monday on");
  add("--keep-monthly", keep.monthly, "Of so many months");
  add("--keep-yearly", keep.yearly, "Of so many years");
}

Result<RetentionPolicy> parse_retention(const RetentionText& keep) {
  RetentionPolicy policy{.within = {},
                         .last = keep.last,
                         .hourly = keep.hourly,
                         .daily = keep.daily,
                         .weekly = keep.weekly,
                         .monthly = keep.monthly,
                         .yearly = keep.yearly};
  if (!keep.within.empty()) {
    auto within = parse_duration(keep.within);
    if (!within) {
      return fail(within.error().code, "--keep-within: " + within.error().message,
                  within.error().next_step);
    }
    policy.within = *within;
  } else if (policy == RetentionPolicy{}) {
    policy.within = keep_within_default;
  }
  return policy;
}

}  // namespace almanac
