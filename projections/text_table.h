// Every text of a kind once, with a small number to refer to it by. Numbers are given in order of
// first appearance and rise, so they are in the same order wherever the log is folded. Looking a
// text up compares numbers (its XXH3) and then its bytes once; what it is looked up by is never
// stored in the tree, so that neither a lookup nor a change to a shared table allocates per text.
#pragma once

#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/shared_text.h>
#include <almanac/projections/persistent/vector.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

struct TextNumber {
  std::uint32_t value = 0;
  auto operator<=>(const TextNumber&) const = default;
};

// A value; O(1) copy.
class TextTable {
 public:
  // A text and its XXH3.
  struct Hashed {
    std::uint64_t hash = 0;
    TextNumber number;
    auto operator<=>(const Hashed&) const = default;
  };
  // From different texts and the hash of each. O(n log n); looks at none of the texts.
  [[nodiscard]] static TextTable of(PersistentVector<TextNumber, SharedText> texts,
                                    std::vector<Hashed> hashes);

  // The number of a text, a fresh one when it is new. O(log n), and O(1) for one that was given
  // lately: events in a row speak of the same few.
  TextNumber intern(std::string_view text);
  // Forgets the text of a number, which must be one of this table's. O(log n).
  void erase(TextNumber number);
  // O(log n); allocates nothing.
  [[nodiscard]] std::optional<TextNumber> find(std::string_view text) const;
  // Lives as long as this value, or a copy of it. The number must be one of this table's.
  [[nodiscard]] std::string_view text(TextNumber number) const;
  [[nodiscard]] std::size_t size() const { return texts_.size(); }

 private:
  // The place of a text, or where it would be: the first from its hash on that is its own or free.
  struct Place {
    std::uint64_t hash = 0;
    std::optional<TextNumber> number;
  };
  [[nodiscard]] Place locate(std::string_view text) const;

  // A text that was interned lately; it points into `texts_`.
  struct Recent {
    std::string_view text;  // empty = none
    TextNumber number;
  };
  // None when it is not one of them.
  [[nodiscard]] std::optional<TextNumber> find_recent(std::string_view text) const {
    for (const Recent& one : recent_) {
      if (one.text == text && !text.empty()) return one.number;
    }
    return std::nullopt;
  }

  std::array<Recent, 4> recent_;
  std::size_t oldest_ = 0;  // of `recent_`
  PersistentVector<TextNumber, SharedText> texts_;
  PersistentMap<std::uint64_t, TextNumber> numbers_;  // by hash
};

}  // namespace almanac
