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
    const std::size_t from = block_of(first) * block_rows;
    const std::size_t end = std::min((block_of(last) + 1) * block_rows, table_.rows());
    AllTasks::SubtreeBuilder builder(first);
    for_each_row<task_columns>(table_, {from, end - from},
                               [&](const Row<task_columns>& row, std::size_t) {
                                 builder.put(row[task_number_column], task_of(row));
                               });
    return builder.finish();
  }

 private:
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
      const std::uint64_t stretch = number / AllTasks::deferred_numbers;
      if (stretches.empty() || stretches.back() != stretch) stretches.push_back(stretch);
      last_ = number;
      is_started_ = true;
    }
    return true;
  }

  std::vector<std::uint64_t> firsts;     // of the blocks
  std::vector<std::uint64_t> stretches;  // that have a task

 private:
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

// Where the places of a lane stand.
struct LaneRows {
  Lane lane;
  RowRange rows;
};

[[nodiscard]] std::vector<LaneRows> lanes_of(const BlockTable& table) {
  std::vector<LaneRows> lanes;
  auto queues = std::make_unique<Column>();
  auto kinds = std::make_unique<Column>();
  for (std::size_t block = 0; block < table.blocks(); ++block) {
    const auto queue = table.column(block, 0, *queues);
    const auto kind = table.column(block, 1, *kinds);
    for (std::size_t i = 0; i < queue.size(); ++i) {
      const Lane lane = plain_lane(queue[i], kind[i]);
      if (lanes.empty() || lanes.back().lane != lane) {
        lanes.push_back({lane, {block * block_rows + i, 0}});
      }
      ++lanes.back().rows.count;
    }
  }
  return lanes;
}

// The texts of the keys, one behind the other, and how long each is.
class KeyRows {
 public:
  // Behind them, with the reader; fails it where their bytes are missing.
  explicit KeyRows(ColumnReader& reader) : table_(reader, key_columns), keeper_(reader.keeper()) {
    std::uint64_t bytes = 0;
    auto lengths = std::make_unique<Column>();
    for (std::size_t block = 0; block < table_.blocks(); ++block) {
      begins_.push_back(bytes);
      for (const std::uint64_t length : table_.column(block, 0, *lengths)) {
        if (length > reader.rest().size() - bytes) {
          reader.fail();
          return;
        }
        bytes += length;
      }
    }
    texts_ = as_text(reader.bytes(bytes));
    if (table_.rows() > std::numeric_limits<std::uint32_t>::max()) reader.fail();
  }

  [[nodiscard]] const BlockTable& table() const { return table_; }
  [[nodiscard]] std::size_t size() const { return table_.rows(); }

  // Calls act(number, text) for each of a range that begins with a block.
  template <class Act>
  void each_text(RowRange range, Act act) const {
    const auto lengths = std::make_unique<Column>();
    const std::size_t end = std::min(range.first + range.count, size());
    for (std::size_t at = range.first; at < end;) {
      std::size_t begin = begins_[at / block_rows];
      for (const std::uint64_t length : table_.column(at / block_rows, 0, *lengths)) {
        if (at < end) act(static_cast<std::uint32_t>(at++), texts_.substr(begin, length));
        begin += length;
      }
    }
  }

 private:
  BlockTable table_;
  std::vector<std::size_t> begins_;  // of the texts of each block
  std::string_view texts_;
  std::shared_ptr<const void> keeper_;
};

template <class Numbered>
[[nodiscard]] RowRange stretch_of(const KeyRows& keys, std::uint64_t stretch) {
  const auto first = static_cast<std::size_t>(stretch * Numbered::deferred_numbers);
  static_assert(Numbered::deferred_numbers % block_rows == 0);
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
  const auto column = std::make_unique<Column>();
  for (std::size_t block = 0; block < table.blocks(); ++block) {
    if (!numbers.add(table.column(block, task_number_column, *column)) ||
        !count_states(table.column(block, task_state_column, *column), tasks)) {
      return reader.fail();
    }
    const auto status = table.column(block, task_status_column, *column);
    if (std::ranges::max(status) >= std::uint64_t(attempt_status_count)) return reader.fail();
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
