#include <almanac/projections/audits.h>

#include <almanac/projections/limits.h>
#include <almanac/projections/tasks.h>

#include <numeric>

namespace almanac {
namespace {

AuditCounts& counts_of(Audits& audits, NameId principal) {
  if (!audits.principals.contains(principal)) {
    if (audits.principals.size() >= limits::audit_principals_max) return audits.others;
    audits.principals.set(principal, {});
  }
  return *audits.principals.edit(principal);
}

void stamp(AuditCounts& counts, const EventPlace& place) {
  counts.last = place.position;
  counts.last_at = place.at;
}

void keep(PersistentMap<Position, AuditEntry>& entries, Position position, AuditEntry entry) {
  entries.set(position, std::move(entry));
  if (entries.size() > limits::audits_kept_max) entries.erase(entries.begin()->key);
}

void hash_counts(StateHasher& hasher, const AuditCounts& counts) {
  hasher.numbers(
      std::array{counts.requests, counts.refusals, counts.last.value, number_of(counts.last_at)});
}

void hash_entries(StateHasher& hasher, const PersistentMap<Position, AuditEntry>& entries) {
  hasher.number(entries.size());
  for (const auto& [position, entry] : entries) {
    hasher.numbers(std::array{position.value, number_of(entry.at), std::uint64_t(entry.door),
                              std::uint64_t(entry.reason), std::uint64_t{entry.status},
                              entry.request, entry.count, std::uint64_t{entry.principal.value}});
    hasher.text(entry.action);
    hasher.text(entry.subject);
    hasher.text(entry.remote);
  }
}

}  // namespace

bool fold(Audits& audits, Names& names, const EventPlace& place, const RequestAudited& event) {
  const NameId principal = names.intern(event.principal);
  AuditCounts& counts = counts_of(audits, principal);
  counts.requests += event.count;
  stamp(counts, place);
  keep(audits.requests, place.position,
       {.at = place.at,
        .door = event.door,
        .request = event.request,
        .count = event.count,
        .principal = principal,
        .action = std::string(event.action),
        .subject = std::string(event.subject),
        .remote = std::string(event.remote)});
  return true;
}

bool fold(Audits& audits, Names& names, const EventPlace& place, const RequestRefused& event) {
  const NameId principal = names.intern(event.principal);
  AuditCounts& counts = counts_of(audits, principal);
  counts.refusals += 1 + event.left_out;
  stamp(counts, place);
  ++audits.by_reason[static_cast<std::size_t>(event.reason)];
  keep(audits.refusals, place.position,
       {.at = place.at,
        .door = event.door,
        .reason = event.reason,
        .status = event.status,
        .request = event.request,
        .count = event.left_out,
        .principal = principal,
        .action = std::string(event.action),
        .subject = {},
        .remote = std::string(event.remote)});
  return true;
}

std::vector<std::string> broken_invariants(const Audits& audits, const Names& names) {
  std::vector<std::string> broken;
  const auto expect = [&](bool holds, const char* sentence) {
    if (!holds) broken.emplace_back(sentence);
  };
  expect(audits.requests.size() <= limits::audits_kept_max &&
             audits.refusals.size() <= limits::audits_kept_max,
         "more requests or refusals are kept than may be");
  expect(audits.principals.size() <= limits::audit_principals_max,
         "more principals are counted than may be");
  std::uint64_t refusals = audits.others.refusals;
  for (const auto& [principal, counts] : audits.principals) {
    expect(names.contains(principal), "a principal is counted that has no name");
    refusals += counts.refusals;
  }
  expect(refusals >=
             std::accumulate(audits.by_reason.begin(), audits.by_reason.end(), std::uint64_t{0}),
         "refusals have a reason that nobody was refused for");
  for (const auto* entries : {&audits.requests, &audits.refusals}) {
    for (const auto& [position, entry] : *entries) {
      expect(names.contains(entry.principal), "a request is on record of who has no name");
    }
  }
  return broken;
}

void Audits::hash_into(StateHasher& hasher) const {
  if (empty()) return;
  constexpr std::uint64_t part = 0x617564697473;  // "audits"
  hasher.number(part);
  hasher.number(principals.size());
  for (const auto& [principal, counts] : principals) {
    hasher.number(principal.value);
    hash_counts(hasher, counts);
  }
  hash_counts(hasher, others);
  hash_entries(hasher, requests);
  hash_entries(hasher, refusals);
  hasher.numbers(by_reason);
}

}  // namespace almanac
