#include <almanac/snapshots/deferred_tasks.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/deferred_rows.h>
#include <almanac/snapshots/tasks_codec.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {
namespace {

using AllTasks = PersistentVector<TaskId, Task>;
using KeyTexts = PersistentVector<TextNumber, SharedText>;
using KeyedTasks = PersistentVector<TextNumber, KeyedTask>;

// The tasks of a table whose numbers rise, by stretches of numbers.
class DeferredTasks final : public AllTasks::Source {
 public:
  // `firsts` has the first number of each block.
  DeferredTasks(BlockTable table, std::vector<std::uint64_t> firsts)
      : table_(std::move(table)), firsts_(std::move(firsts)) {}

  [[nodiscard]] AllTasks::Subtree* make(std::uint64_t stretch) const noexcept override {
    const std::uint64_t first = stretch * AllTasks::deferred_numbers;
    const std::uint64_t last = first + (AllTasks::deferred_numbers - 1);
    const std::size_t from = table_.begin_of(block_of(first));
    const std::size_t end = table_.begin_of(block_of(last) + 1);
    AllTasks::SubtreeBuilder builder(first);
    for_each_row<task_columns>(table_, {from, end - from},
                               [&](const Row<task_columns>& row, std::size_t) {
                                 builder.put(row[task_number_column], task_of(legal(row)));
                               });
    return builder.finish();
  }

 private:
  // What a block says that was not looked into before: nonsense is some task, never a crash.
  [[nodiscard]] static Row<task_columns> legal(Row<task_columns> row) {
    if (row[task_state_column] >= task_state_count) row[task_state_column] = 0;
    if (row[task_status_column] >= std::uint64_t(attempt_status_count)) row[task_status_column] = 0;
    return row;
  }
  // The last block that begins at a number or in front of it.
  [[nodiscard]] std::size_t block_of(std::uint64_t number) const {
    const auto behind = std::ranges::upper_bound(firsts_, number);
    return behind == firsts_.begin() ? 0 : static_cast<std::size_t>(behind - firsts_.begin()) - 1;
  }

  const BlockTable table_;
  const std::vector<std::uint64_t> firsts_;
};

// Goes through the numbers of a table, which have to rise, block by block.
class NumberScan {
 public:
  [[nodiscard]] bool add(std::span<const std::uint64_t> block) {
    firsts.push_back(block.front());
    for (const std::uint64_t number : block) {
      if (is_started_ && number <= last_) return false;
      add_stretch_of(number);
    }
    return true;
  }
  // The same of a block without looking into it; false where that has to be.
  [[nodiscard]] bool add(std::uint64_t first, std::uint64_t first_of_next) {
    if (first_of_next <= first || stretch_of(first) != stretch_of(first_of_next - 1)) return false;
    if (is_started_ && first <= last_) return false;
    firsts.push_back(first);
    add_stretch_of(first);
    return true;
  }

  std::vector<std::uint64_t> firsts;     // of the blocks
  std::vector<std::uint64_t> stretches;  // that have a task

 private:
  [[nodiscard]] static std::uint64_t stretch_of(std::uint64_t number) {
    return number / AllTasks::deferred_numbers;
  }
  void add_stretch_of(std::uint64_t number) {
    if (stretches.empty() || stretches.back() != stretch_of(number)) {
      stretches.push_back(stretch_of(number));
    }
    last_ = number;
    is_started_ = true;
  }

  std::uint64_t last_ = 0;
  bool is_started_ = false;
};

[[nodiscard]] bool count_states(std::span<const std::uint64_t> states, Tasks& tasks) {
  for (const std::uint64_t state : states) {
    if (state >= task_state_count) return false;
    ++tasks.counts[state];
  }
  return true;
}

// What is asked of each block before the tasks are made: their numbers, and where the table does
// not say it, how many are in which state. Of a block of neighbours that is kept elsewhere its
// first number says enough.
[[nodiscard]] bool scan_block(const BlockTable& table, std::size_t block, NumberScan& numbers,
                              Tasks& tasks) {
  const bool is_last = block + 1 == table.blocks();
  if (table.knows_firsts() && !is_last &&
      numbers.add(table.first_of(block), table.first_of(block + 1))) {
    return true;
  }
  const auto column = std::make_unique_for_overwrite<Column>();
  if (!numbers.add(table.column(block, task_number_column, *column))) return false;
  if (table.knows_firsts()) return true;
  if (!count_states(table.column(block, task_state_column, *column), tasks)) return false;
  const auto status = table.column(block, task_status_column, *column);
  return std::ranges::max(status) < std::uint64_t(attempt_status_count);
}

// Where the places of a lane stand.
struct LaneRows {
  Lane lane;
  RowRange rows;
};

[[nodiscard]] std::vector<LaneRows> lanes_of(const BlockTable& table) {
  std::vector<LaneRows> lanes;
  auto queues = std::make_unique_for_overwrite<Column>();
  auto kinds = std::make_unique_for_overwrite<Column>();
  for (std::size_t block = 0; block < table.blocks(); ++block) {
    const auto queue = table.column(block, 0, *queues);
    const auto kind = table.column(block, 1, *kinds);
    // Lanes rise: of most blocks all rows are of one.
    const bool is_one = queue.front() == queue.back() && kind.front() == kind.back();
    const std::size_t step = is_one ? queue.size() : 1;
    for (std::size_t i = 0; i < queue.size(); i += step) {
      const Lane lane = plain_lane(queue[i], kind[i]);
      if (lanes.empty() || lanes.back().lane != lane) {
        lanes.push_back({lane, {table.begin_of(block) + i, 0}});
      }
      lanes.back().rows.count += step;
    }
  }
  return lanes;
}

// The texts of the keys, one behind the other in each block, and how long each is.
class KeyRows {
 public:
  // Behind them, with the reader; fails it where their bytes are missing.
  explicit KeyRows(ColumnReader& reader) : table_(reader, key_columns), keeper_(reader.keeper()) {
    for (std::size_t block = 0; block < table_.blocks() && !reader.failed(); ++block) {
      ColumnReader stored = behind_columns(block);
      ColumnReader& texts = table_.knows_firsts() ? stored : reader;
      texts_.push_back(as_text(texts.bytes(bytes_in(block, texts.rest().size()))));
      if (texts.failed()) reader.fail();
    }
    if (table_.rows() > std::numeric_limits<std::uint32_t>::max()) reader.fail();
  }

  [[nodiscard]] const BlockTable& table() const { return table_; }
  [[nodiscard]] std::size_t size() const { return table_.rows(); }

  // Calls act(number, text) for each of a range.
  template <class Act>
  void each_text(RowRange range, Act act) const {
    if (range.count == 0) return;
    const auto lengths = std::make_unique_for_overwrite<Column>();
    const std::size_t end = range.first + range.count;
    for (std::size_t block = table_.block_of(range.first); table_.begin_of(block) < end; ++block) {
      std::size_t at = table_.begin_of(block);
      std::size_t begin = 0;
      for (const std::uint64_t length : table_.column(block, 0, *lengths)) {
        if (range.first <= at && at < end) {
          act(static_cast<std::uint32_t>(at), texts_[block].substr(begin, length));
        }
        ++at;
        begin += length;
      }
    }
  }

 private:
  [[nodiscard]] ColumnReader behind_columns(std::size_t block) const {
    ColumnReader reader = table_.block(block);
    for (std::size_t i = 0; i < key_columns; ++i) reader.skip_column(table_.rows_in(block));
    return reader;
  }
  // Of the texts of a block; more than there are where they cannot be there.
  [[nodiscard]] std::size_t bytes_in(std::size_t block, std::size_t bytes_max) const {
    const auto lengths = std::make_unique_for_overwrite<Column>();
    std::size_t bytes = 0;
    for (const std::uint64_t length : table_.column(block, 0, *lengths)) {
      if (length > bytes_max - bytes) return bytes_max + 1;
      bytes += length;
    }
    return bytes;
  }

  BlockTable table_;
  std::vector<std::string_view> texts_;  // by block
  std::shared_ptr<const void> keeper_;
};

template <class Numbered>
[[nodiscard]] RowRange stretch_of(const KeyRows& keys, std::uint64_t stretch) {
  const auto first = static_cast<std::size_t>(stretch * Numbered::deferred_numbers);
  return {first, std::min<std::size_t>(Numbered::deferred_numbers, keys.size() - first)};
}

class DeferredTexts final : public KeyTexts::Source {
 public:
  explicit DeferredTexts(std::shared_ptr<const KeyRows> keys) : keys_(std::move(keys)) {}
  [[nodiscard]] KeyTexts::Subtree* make(std::uint64_t stretch) const noexcept override {
    const RowRange range = stretch_of<KeyTexts>(*keys_, stretch);
    KeyTexts::SubtreeBuilder builder(range.first);
    keys_->each_text(range, [&](std::uint32_t number, std::string_view text) {
      builder.put(number, SharedText(text));
    });
    return builder.finish();
  }

 private:
  const std::shared_ptr<const KeyRows> keys_;
};

class DeferredKeyedTasks final : public KeyedTasks::Source {
 public:
  explicit DeferredKeyedTasks(std::shared_ptr<const KeyRows> keys) : keys_(std::move(keys)) {}
  [[nodiscard]] KeyedTasks::Subtree* make(std::uint64_t stretch) const noexcept override {
    const RowRange range = stretch_of<KeyedTasks>(*keys_, stretch);
    KeyedTasks::SubtreeBuilder builder(range.first);
    for_each_row<key_columns>(keys_->table(), range,
                              [&](const Row<key_columns>& row, std::size_t number) {
                                builder.put(number, keyed_task_of(row));
                              });
    return builder.finish();
  }

 private:
  const std::shared_ptr<const KeyRows> keys_;
};

template <class Numbered, class Source>
[[nodiscard]] Numbered all_numbers(const std::shared_ptr<const KeyRows>& keys) {
  std::vector<std::uint64_t> stretches;
  for (std::uint64_t first = 0; first < keys->size(); first += Numbered::deferred_numbers) {
    stretches.push_back(stretches.size());
  }
  return Numbered::from_source(std::make_shared<const Source>(keys), stretches, keys->size());
}

}  // namespace

void read_all_deferred(ColumnReader& reader, Tasks& tasks) {
  BlockTable table(reader, task_columns);
  NumberScan numbers;
  for (std::size_t block = 0; block < table.blocks(); ++block) {
    if (!scan_block(table, block, numbers, tasks)) return reader.fail();
  }
  const std::size_t rows = table.rows();
  tasks.all = AllTasks::from_source(
      std::make_shared<const DeferredTasks>(std::move(table), std::move(numbers.firsts)),
      numbers.stretches, rows);
}

void read_ready_deferred(ColumnReader& reader, Tasks& tasks) {
  const auto table = std::make_shared<const BlockTable>(reader, ready_columns);
  for (const LaneRows& each : lanes_of(*table)) {
    auto places = defer_rows<ready_columns, ReadyOrder::Places>(
        table, each.rows, [](const Row<ready_columns>& row) { return place_of(row); });
    if (!places || !tasks.ready.add(each.lane, std::move(*places))) return reader.fail();
  }
}

void read_keys_deferred(ColumnReader& reader, Tasks& tasks) {
  const auto keys = std::make_shared<const KeyRows>(reader);
  if (reader.failed()) return;
  std::vector<TextTable::Hashed> hashed;
  hashed.reserve(keys->size());
  keys->each_text({0, keys->size()}, [&](std::uint32_t number, std::string_view text) {
    hashed.push_back({xxh3(as_bytes(text)), {number}});
  });
  auto texts = TextTable::of(all_numbers<KeyTexts, DeferredTexts>(keys), std::move(hashed));
  tasks.keys = TaskKeys(std::move(texts), all_numbers<KeyedTasks, DeferredKeyedTasks>(keys));
}

}  // namespace almanac
