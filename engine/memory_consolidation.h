// Making less of what is remembered: entries that say the same, and many that matter little, for
// which one stands that sums them up.
#pragma once

#include <almanac/engine/memory_query.h>
#include <almanac/engine/memory_spec.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// An entry that says what an older one of the same kind and user says.
struct MemoryDuplicate {
  MemoryId of;  // the older one
  MemoryId id;
  bool is_same = false;   // the same content, but for blanks at its ends and case in ASCII
  double similarity = 1;  // of their embeddings, where it is not the same
};

struct DuplicateQuery {
  std::string kind = {};  // empty = of any
  std::string user = {};
  double similarity_min = 2;  // also those whose embeddings are so near; above 1 = none
  Time now = {};              // not set = the time of the state
};

// In the order of their numbers, each of the first entry that it repeats, which is itself none.
// O(entries) for contents, by their hash; for embeddings each is compared with those of its kind
// and user that are none: some 50 nanoseconds for each pair of 384 numbers. What cannot be opened
// is not looked at.
[[nodiscard]] std::vector<MemoryDuplicate> find_duplicates(const State& state,
                                                           const DuplicateQuery& query,
                                                           const UserKeys* keys = nullptr);

// Which entries a summary stands for from now on.
struct Consolidation {
  std::string kind;       // of the entries and of the summary
  std::string user = {};  // whose both are; empty = nobody's
  double significance_below = 0.3;
  Duration older_than{0};  // since they were stored
  Time now = {};           // not set = the time of the state
};

// The oldest first; as many as fit into one append. What cannot be opened is left. Errors: invalid.
[[nodiscard]] Result<std::vector<MemoryHit>> find_consolidated(const State& state,
                                                               const Consolidation& consolidation,
                                                               const UserKeys* keys = nullptr);
// Stores `summary` in their place, all or nothing: its kind and user are theirs, and its metadata
// say how many they are and when the first and the last of them were stored. It is refused as a
// conflict where one of them was changed since it was found: what it says now is not summed up.
// Errors: not_found (there are none).
[[nodiscard]] Result<MemoryTransaction> consolidate(const Consolidation& consolidation,
                                                    const std::vector<MemoryHit>& replaced,
                                                    MemorySpec summary);

}  // namespace almanac
