#include <almanac/projections/text_table.h>

#include <almanac/log/error.h>
#include <almanac/log/hash.h>

namespace almanac {

TextNumber TextTable::intern(std::string_view text) {
  const Place place = locate(text);
  if (place.number) return *place.number;
  const TextNumber number{static_cast<std::uint32_t>(texts_.size())};
  numbers_.set(place.hash, number);
  texts_.set(number, SharedText(text));
  return number;
}

// Nothing is ever erased, so that a text is found before the first free place.
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
