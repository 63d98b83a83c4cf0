// Asking what is remembered: one value says what is looked for, by any of its properties together.
// search_memories() looks at each entry of a state, also of a past one; memory_index.h finds the
// same faster where there are many, and where one searches often.
#pragma once

#include <almanac/log/error.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/user_keys.h>

#include <cstddef>
#include <string>
#include <vector>

namespace almanac {

// What is not set does not matter.
struct MemoryQuery {
  // The most similar come first; without it the newest do. Entries of as long embeddings alone.
  std::vector<float> embedding = {};
  std::string kind = {};
  std::string user = {};
  std::vector<std::string> tags = {};  // all of them
  std::string text = {};               // in the content or the summary; case matters not in ASCII
  Time from = {};                      // stored then or later
  Time until = {};                     // stored before
  double significance_min = 0;
  std::size_t limit = 10;
  // Also what nobody can open, where embedding, tags and text do not matter: the rest is known.
  bool unreadable = false;
  Time now = {};  // what has expired by then is not found; not set = the time of the state
};

struct MemoryHit {
  MemoryId id;
  double similarity = 0;  // cosine: 1 = the same direction, -1 = the opposite; 0 without embedding
  MemoryVersion memory;
};

// O(entries): each is looked at, and those of users are opened with the keys, which takes some 5
// microseconds for each; without keys, or without theirs, they are not found. Hits are opened.
// Errors: invalid (the field is named).
[[nodiscard]] Result<std::vector<MemoryHit>> search_memories(const State& state,
                                                             const MemoryQuery& query,
                                                             const UserKeys* keys = nullptr);

}  // namespace almanac
