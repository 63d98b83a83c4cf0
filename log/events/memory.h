// The events of the memory domain as C++ sees them: entries that a program remembers, and finds
// again.
#pragma once

#include <almanac/log/events/lists.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <string_view>

namespace almanac {

// An entry's number, dense from 1 in the order in which they were stored. 0 means "none".
using MemoryId = Number<struct MemoryIdTag>;

// How much an entry matters is told in millionths: 0 to this.
inline constexpr std::uint32_t significance_max = 1'000'000;

// What an entry says, where it is nobody's.
struct MemoryContent {
  std::string_view content;
  std::string_view summary;
  Bytes embedding;            // numbers of 32 bits, little-endian; empty = none
  std::string_view metadata;  // a JSON object of texts, numbers and truth values; empty = none
};

// What an entry of a user says, its tags too: sealed with a key of the user's that is not in the
// log.
struct SealedMemory {
  Bytes key = {};               // a UserKeyId: which key seals it
  Bytes content = {};           // a PersonalMemory (projections/memory_content.h); empty = none
  std::uint32_t dimension = 0;  // of its embedding
};

struct MemoryStored {
  MemoryId id;
  std::string_view kind;
  std::string_view user;  // whose it is; empty = nobody's
  MemoryContent said;
  NameListView tags;
  std::uint32_t significance = 0;
  Time expires_at;           // not set = it is kept until it is forgotten
  TaskId task;               // with whose end it was stored; none = by the program itself
  SealedMemory sealed = {};  // where there is one, nothing is in `said` and `tags`
};

// Of the fields that `changed` names, what they are from now on; all others stay as they were.
struct MemoryUpdated {
  MemoryId id;
  NameListView changed;
  MemoryContent said;
  NameListView tags;
  std::uint32_t significance = 0;
  Time expires_at;
  SealedMemory sealed = {};
};

enum class ForgetCause : std::uint8_t { asked, expired };
inline constexpr int forget_cause_count = 2;
[[nodiscard]] std::string_view name(ForgetCause cause);

struct MemoryForgotten {
  MemoryId id;
  ForgetCause cause = ForgetCause::asked;
  std::string_view reason;
};

}  // namespace almanac
