#include <almanac/projections/text_table.h>

#include <almanac/log/error.h>
#include <almanac/log/hash.h>

namespace almanac {

TextNumber TextTable::intern(std::string_view text) {
  const Place place = locate(text);
  if (place.number) return *place.number;
  const auto last = texts_.last();
  const TextNumber number{last ? last->key.value + 1 : 0};
  numbers_.set(place.hash, number);
  texts_.set(number, SharedText(text));
  return number;
}

// A place that becomes free would hide what stands behind it up to the next free one: that is
// entered again.
void TextTable::erase(TextNumber number) {
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
