#include <almanac/projections/resource_limits.h>

#include <almanac/log/limits.h>
#include <almanac/projections/named_settings.h>

#include <algorithm>
#include <array>

namespace almanac {
namespace {

constexpr std::string_view kind_prefix = "kind:";
constexpr std::string_view recovery_prefix = "recovery:";

// A token in parts such that a rate of n a minute brings n parts back each microsecond.
constexpr std::uint64_t parts = 60'000'000;

// What is missing at `now` when nothing is taken meanwhile.
std::uint64_t missing_at(const Bucket& bucket, const LimitSetting& rate, Time now) {
  const std::uint64_t most = rate.burst * parts;
  const std::uint64_t missing = std::min(bucket.missing, most);
  if (now <= bucket.at || missing == 0) return missing;
  const auto elapsed = static_cast<std::uint64_t>((now - bucket.at).count());
  if (rate.per_minute == 0) return missing;
  if (elapsed >= missing / rate.per_minute + 1) return 0;
  return missing - std::min(missing, elapsed * rate.per_minute);
}

// Brings a bucket to what it holds now, before its rate changes or something is taken.
void settle(ResourceLimits& limits, NameId limit, const LimitSetting& rate, Time at) {
  Bucket* bucket = limits.buckets.edit(limit);
  if (bucket == nullptr) return;
  bucket->missing = missing_at(*bucket, rate, at);
  bucket->at = std::max(bucket->at, at);
  if (bucket->missing == 0) limits.buckets.erase(limit);
}

LimitSetting rated(LimitSetting setting) { return setting.per_minute > 0 ? setting : default_rate; }

void settle_all(ResourceLimits& limits, const Names& names, Time at) {
  const PersistentMap<NameId, Bucket> before = limits.buckets;
  for (const auto& [limit, bucket] : before) {
    settle(limits, limit, rated(setting_of(limits, names, limit)), at);
  }
}

// For a name without a setting of its own.
LimitSetting inherited(const ResourceLimits& limits, const Names& names, std::string_view name) {
  if (limits.families > 0) {
    const LimitSetting* family = find_family_setting(limits.settings, names, name);
    if (family != nullptr) return *family;
  }
  if (is_recovery_limit(name)) return default_recovery;
  const LimitSetting* all =
      limits.families > 0 ? find_setting(limits.settings, names, "*") : nullptr;
  return all == nullptr ? LimitSetting() : *all;
}

}  // namespace

void ResourceLimits::hash_into(StateHasher& hasher) const {
  constexpr std::uint64_t part = 0x6c696d697473;  // "limits"
  hasher.number(part);
  hasher.number(settings.size());
  for (const auto& [limit, setting] : settings) {
    hasher.numbers(std::array{std::uint64_t{limit.value}, setting.units,
                              std::uint64_t{setting.per_minute}, std::uint64_t{setting.burst}});
  }
  hasher.number(buckets.size());
  for (const auto& [limit, bucket] : buckets) {
    hasher.numbers(std::array{std::uint64_t{limit.value}, bucket.missing,
                              std::uint64_t(bucket.at.time_since_epoch().count())});
  }
}

LimitSetting setting_of(const ResourceLimits& limits, const Names& names, NameId limit) {
  const LimitSetting* own = limits.settings.find(limit);
  return own != nullptr ? *own : inherited(limits, names, names.text(limit));
}

LimitSetting setting_of(const ResourceLimits& limits, const Names& names, std::string_view limit) {
  const LimitSetting* own = find_setting(limits.settings, names, limit);
  return own != nullptr ? *own : inherited(limits, names, limit);
}

LimitSetting rate_of(const ResourceLimits& limits, const Names& names, std::string_view limit) {
  return rated(setting_of(limits, names, limit));
}

std::string_view kind_of_limit(std::string_view limit) {
  return limit.starts_with(kind_prefix) ? limit.substr(kind_prefix.size()) : std::string_view();
}

std::string recovery_limit(std::string_view queue) {
  std::string name = std::string(recovery_prefix) + std::string(queue);
  // Queues whose names are near the longest share one.
  return name.size() <= limits::name_bytes_max ? name : std::string(recovery_prefix);
}

bool is_recovery_limit(std::string_view limit) { return limit.starts_with(recovery_prefix); }

std::uint64_t tokens_at(const ResourceLimits& limits, NameId limit, const LimitSetting& rate,
                        Time now) {
  if (rate.per_minute == 0) return UINT64_MAX;
  const Bucket* bucket = limits.buckets.find(limit);
  if (bucket == nullptr) return rate.burst;
  return (rate.burst * parts - missing_at(*bucket, rate, now)) / parts;
}

Time tokens_due(const ResourceLimits& limits, NameId limit, const LimitSetting& rate,
                std::uint32_t tokens) {
  const Bucket* bucket = limits.buckets.find(limit);
  if (bucket == nullptr || rate.per_minute == 0) return {};
  const std::uint64_t missing = missing_at(*bucket, rate, bucket->at);
  const std::uint64_t allowed = (rate.burst - tokens) * parts;
  if (missing <= allowed) return bucket->at;
  const std::uint64_t wait = (missing - allowed + rate.per_minute - 1) / rate.per_minute;
  return bucket->at + Duration(static_cast<std::int64_t>(wait));
}

void take_tokens(ResourceLimits& limits, NameId limit, const LimitSetting& rate,
                 std::uint32_t tokens, Time at) {
  if (rate.per_minute == 0 || tokens == 0) return;
  settle(limits, limit, rate, at);
  const Bucket* bucket = limits.buckets.find(limit);
  const Bucket before = bucket == nullptr ? Bucket{0, at} : *bucket;
  limits.buckets.set(limit,
                     {std::min(before.missing + tokens * parts, rate.burst * parts), before.at});
}

// The first token is there at that time.
void empty_until(ResourceLimits& limits, NameId limit, const LimitSetting& rate, Time until) {
  const Bucket* bucket = limits.buckets.find(limit);
  const Time at = until - Duration(static_cast<std::int64_t>(parts / rate.per_minute));
  limits.buckets.set(limit,
                     {rate.burst * parts, bucket == nullptr ? at : std::max(bucket->at, at)});
}

void set_limit(ResourceLimits& limits, Names& names, NameId limit, const LimitSetting& setting) {
  const std::string_view name = names.text(limit);
  const bool was = limits.settings.contains(limit);
  if (setting.is_set()) {
    limits.settings.set(limit, setting);
  } else {
    limits.settings.erase(limit);
  }
  if (is_family(name) && was != setting.is_set()) limits.families += was ? -1 : 1;
  if (const std::string_view kind = kind_of_limit(name); !kind.empty() && !is_family(name)) {
    const NameId id = names.intern(std::string(kind));
    if (setting.is_set()) {
      limits.kinds.set(id, limit);
    } else {
      limits.kinds.erase(id);
    }
  }
}

bool fold(ResourceLimits& limits, Names& names, Time at, const LimitConfigured& event) {
  settle_all(limits, names, at);
  set_limit(limits, names, names.intern(event.name),
            {.units = event.units, .per_minute = event.per_minute, .burst = event.burst});
  return true;
}

bool fold(ResourceLimits& limits, Names& names, Time at, const TokensTaken& event) {
  const NameId limit = names.intern(event.limit);
  const LimitSetting rate = rate_of(limits, names, event.limit);
  if (event.until > at) {
    empty_until(limits, limit, rate, event.until);
  } else {
    take_tokens(limits, limit, rate, event.tokens, at);
  }
  return true;
}

}  // namespace almanac
