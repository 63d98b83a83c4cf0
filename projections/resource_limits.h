// The limits: how many units of something tasks may hold at once, and token buckets, whose level is
// worked out from what was taken and when. How many units are in use follows from the leases
// (limit_use.h).
//
// What a limit's name says:
//   memory       tasks name it and say how much they ask for
//   kind:video   every task of the kind asks for one unit, without naming it
//   customer:*   the setting of every limit customer:… that has none of its own
//   recovery:q   what tasks of queue q wait for that many ran at a crash (TaskHandedBack::paced)
//   *            the setting of every limit that has no other
#pragma once

#include <almanac/log/events/limit.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace almanac {

struct LimitSetting {
  std::uint64_t units = 0;       // in use at once; 0 = any number
  std::uint32_t per_minute = 0;  // tokens that come back; 0 = at no rate
  std::uint32_t burst = 0;       // tokens at most
  [[nodiscard]] bool is_set() const { return units > 0 || per_minute > 0; }
  bool operator==(const LimitSetting&) const = default;
};

// Of what a program takes tokens from that has no rate by any setting.
inline constexpr LimitSetting default_rate{.per_minute = 60, .burst = 10};
// Of recovery:… without a setting: a thousand a second, and so many at once.
inline constexpr LimitSetting default_recovery{.per_minute = 60'000, .burst = 1'000};

// Without one it is full.
struct Bucket {
  std::uint64_t missing = 0;  // sixty-millionths of a token, as of …
  Time at;
  bool operator==(const Bucket&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct ResourceLimits {
  PersistentMap<NameId, LimitSetting> settings;
  PersistentMap<NameId, Bucket> buckets;

  // Follow from the settings.
  PersistentMap<NameId, NameId> kinds;  // those with a limit of their own, and that one
  std::uint64_t families = 0;           // settings of names that end in "*"

  [[nodiscard]] bool empty() const { return settings.empty() && buckets.empty(); }
  void hash_into(StateHasher& hasher) const;
};

// Its own setting, its family's, or that of all names. O(log settings).
[[nodiscard]] LimitSetting setting_of(const ResourceLimits& limits, const Names& names,
                                      NameId limit);
// The same for a name that may be new.
[[nodiscard]] LimitSetting setting_of(const ResourceLimits& limits, const Names& names,
                                      std::string_view limit);
// With the default when the setting has no rate.
[[nodiscard]] LimitSetting rate_of(const ResourceLimits& limits, const Names& names,
                                   std::string_view limit);

// "kind:video" → "video", and "" for what is none.
[[nodiscard]] std::string_view kind_of_limit(std::string_view limit);
// The limit that tasks of a queue wait for after a crash.
[[nodiscard]] std::string recovery_limit(std::string_view queue);
[[nodiscard]] bool is_recovery_limit(std::string_view limit);

// Whole tokens there are at a time, at most `rate.burst`. Any number where there is no rate.
[[nodiscard]] std::uint64_t tokens_at(const ResourceLimits& limits, NameId limit,
                                      const LimitSetting& rate, Time now);
// When there will be so many, which must not be more than the burst, if none is taken meanwhile.
[[nodiscard]] Time tokens_due(const ResourceLimits& limits, NameId limit, const LimitSetting& rate,
                              std::uint32_t tokens);

// Empties the bucket when there are fewer.
void take_tokens(ResourceLimits& limits, NameId limit, const LimitSetting& rate,
                 std::uint32_t tokens, Time at);

// Enters a setting where it is found again, for fold() and for what reads a stored state.
void set_limit(ResourceLimits& limits, Names& names, NameId limit, const LimitSetting& setting);

bool fold(ResourceLimits& limits, Names& names, Time at, const LimitConfigured& event);
bool fold(ResourceLimits& limits, Names& names, Time at, const TokensTaken& event);

}  // namespace almanac
