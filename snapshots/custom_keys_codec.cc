#include <almanac/snapshots/custom_keys_codec.h>

#include <almanac/projections/limits.h>
#include <almanac/snapshots/state_columns.h>

namespace almanac {
namespace {

constexpr std::size_t custom_key_columns = 4;

}  // namespace

// In the order of their positions, which step by little.
void write_custom_keys(ColumnWriter& writer, const CustomKeys& keys) {
  writer.table<custom_key_columns>(
      keys.by_position, keys.by_position.size(), [&](const auto& entry) {
        const CustomUse* use = keys.uses.find(entry.value);
        ALMANAC_CHECK(use != nullptr);
        return Row<custom_key_columns>{entry.key.value, entry.value.front, entry.value.back,
                                       use->content_hash};
      });
}

void read_custom_keys(ColumnReader& reader, CustomKeys& keys) {
  read_sorted<custom_key_columns>(reader, keys.by_position,
                                  [&](const Row<custom_key_columns>& row) {
                                    const CustomKey key{row[1], row[2]};
                                    if (!keys.uses.insert(key, {Position(row[0]), row[3]}))
                                      reader.fail();
                                    return std::pair(Position(row[0]), key);
                                  });
  if (keys.uses.size() > limits::custom_keys_max) reader.fail();
}

}  // namespace almanac
