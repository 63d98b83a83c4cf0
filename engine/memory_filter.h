// What searching memories is made of, with an index or without.
#pragma once

#include <almanac/engine/memory_query.h>
#include <almanac/engine/memory_reader.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace almanac {

// Errors: invalid (the field is named).
[[nodiscard]] Result<void> check_query(const Memories& memories, const Names& names,
                                       const MemoryQuery& query);
// 0 where one of them has no direction. As long as each other.
[[nodiscard]] double cosine(std::span<const float> one, std::span<const float> other);
// The best of them, in order: the more similar first, of equal ones the older.
void keep_best(std::vector<MemoryHit>& hits, std::size_t limit);

// What a query asks beside its embedding. Borrows it.
class MemoryFilter {
 public:
  MemoryFilter(const Names& names, const MemoryQuery& query, Time now);
  // Of an entry that is opened, where it can be.
  [[nodiscard]] bool admits(const Memory& memory) const;
  // By what is known of a sealed one: false where it need not be opened.
  [[nodiscard]] bool may_admit(const Memory& memory) const;
  // All of one kind, so that none need be looked at.
  [[nodiscard]] bool admits_all(const Memories& memories, NameId kind) const;

 private:
  [[nodiscard]] bool has_tags(const Memory& memory) const;

  const MemoryQuery& query_;
  Time now_;
  bool nothing_ = false;  // it names what no entry has
  std::optional<NameId> kind_;
  std::optional<NameId> user_;
  std::vector<std::optional<NameId>> tags_;  // none = a name that no entry has in the clear
  std::string text_;                         // in lower case
};

// The newest that the filter admits, of entries that the reader has still to open, if there is one.
[[nodiscard]] std::vector<MemoryHit> newest(const PersistentMap<MemoryId, MemoryVersion>& entries,
                                            const MemoryFilter& filter, std::size_t limit,
                                            const MemoryReader* reader = nullptr);

}  // namespace almanac
