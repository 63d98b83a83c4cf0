#include <almanac/projections/text_table.h>

#include <almanac/log/error.h>
#include <almanac/log/hash.h>

#include <algorithm>
#include <utility>

namespace almanac {

// Of texts of one hash each but the first goes to the next free place, as in locate().
TextTable TextTable::of(PersistentVector<TextNumber, SharedText> texts,
                        std::vector<Hashed> hashes) {
  std::ranges::sort(hashes);
  std::vector<std::pair<std::uint64_t, TextNumber>> placed;
  placed.reserve(hashes.size());
  std::vector<Hashed> displaced;
  for (const Hashed& one : hashes) {
    if (placed.empty() || placed.back().first != one.hash) {
      placed.emplace_back(one.hash, one.number);
    } else {
      displaced.push_back(one);
    }
  }
  TextTable table;
  table.texts_ = std::move(texts);
  table.numbers_ = *PersistentMap<std::uint64_t, TextNumber>::from_sorted(placed);
  for (auto [hash, number] : displaced) {
    while (table.numbers_.contains(hash)) ++hash;
    table.numbers_.set(hash, number);
  }
  return table;
}

TextNumber TextTable::intern(std::string_view text) {
  if (const auto recent = find_recent(text)) return *recent;
  const Place place = locate(text);
  TextNumber number;
  if (place.number) {
    number = *place.number;
  } else {
    const auto last = texts_.last();
    if (last) number.value = last->key.value + 1;
    numbers_.set(place.hash, number);
    texts_.set(number, SharedText(text));
  }
  recent_[oldest_] = {this->text(number), number};
  oldest_ = (oldest_ + 1) % recent_.size();
  return number;
}

std::optional<TextNumber> TextTable::find(std::string_view text) const {
  const auto recent = find_recent(text);
  return recent ? recent : locate(text).number;
}

// A place that becomes free would hide what stands behind it up to the next free one: that is
// entered again.
void TextTable::erase(TextNumber number) {
  recent_ = {};
  std::uint64_t hash = locate(text(number)).hash;
  numbers_.erase(hash);
  texts_.erase(number);
  while (const TextNumber* behind = numbers_.find(++hash)) {
    const TextNumber moved = *behind;
    numbers_.erase(hash);
    numbers_.set(locate(text(moved)).hash, moved);
  }
}

// A text is found before the first free place.
TextTable::Place TextTable::locate(std::string_view text) const {
  for (std::uint64_t hash = xxh3(as_bytes(text));; ++hash) {
    const TextNumber* number = numbers_.find(hash);
    if (number == nullptr) return {hash, std::nullopt};
    if (texts_.find(*number)->view() == text) return {hash, *number};
  }
}

std::string_view TextTable::text(TextNumber number) const {
  const SharedText* text = texts_.find(number);
  ALMANAC_CHECK(text != nullptr);
  return text->view();
}

}  // namespace almanac
