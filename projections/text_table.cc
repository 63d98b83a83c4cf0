#include <almanac/projections/text_table.h>

#include <almanac/log/error.h>
#include <almanac/log/hash.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t sorted_together = 16;

// Hashes are spread evenly: what begins alike is brought together first, and is little to sort.
void sort_hashes(std::vector<TextTable::Hashed>& hashes) {
  const auto bits = static_cast<unsigned>(std::bit_width(hashes.size() / sorted_together));
  if (bits == 0) {
    std::ranges::sort(hashes);
    return;
  }
  const auto bucket_of = [&](const TextTable::Hashed& one) { return one.hash >> (64 - bits); };
  std::vector<std::size_t> ends((std::size_t{1} << bits) + 1);
  for (const auto& one : hashes) ++ends[bucket_of(one) + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<TextTable::Hashed> sorted(hashes.size());
  for (const auto& one : hashes) sorted[ends[bucket_of(one)]++] = one;
  std::size_t begin = 0;
  for (const std::size_t end : std::span(ends).first(ends.size() - 1)) {
    std::ranges::sort(std::span(sorted).subspan(begin, end - begin));
    begin = end;
  }
  hashes = std::move(sorted);
}

}  // namespace

// Of texts of one hash each but the first goes to the next free place, as in locate().
TextTable TextTable::of(PersistentVector<TextNumber, SharedText> texts,
                        std::vector<Hashed> hashes) {
  sort_hashes(hashes);
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
