// The tasks that are ready, in the order in which they are to run, lane by lane. A lane is what one
// handler runs in the slots of one queue, with the same demands and of one version: its tasks can
// start or cannot for the same reason. Dispatch takes from the front of lanes, so each is an order
// of its own, with keys of two numbers instead of five.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/demand_sets.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/diff.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace almanac {

// The tasks of one queue, kind and version that ask for the same.
struct Lane {
  NameId queue;
  NameId kind;
  DemandsId demands = {};
  std::uint32_t version = 0;
  [[nodiscard]] bool is_plain() const { return !demands && version == 0; }
  auto operator<=>(const Lane&) const = default;
};

// The place of a task in its lane.
struct LanePlace {
  std::int64_t rank = 0;  // by the policy of the queue (policy.h): the smallest runs first
  TaskId id;
  auto operator<=>(const LanePlace&) const = default;
  // The order of the default, as one comparison without branches: the largest part of what folding
  // an event costs is finding places in this order.
  friend bool operator<(const LanePlace& one, const LanePlace& other) {
    return one.packed() < other.packed();
  }

 private:
  __extension__ using Wide = unsigned __int128;
  [[nodiscard]] Wide packed() const {
    return Wide{static_cast<std::uint64_t>(rank) ^ std::uint64_t{1} << 63} << 64 | id.value;
  }
};

// Ordered by lane, and in a lane by place.
struct ReadyKey {
  Lane lane;
  LanePlace place;
  auto operator<=>(const ReadyKey&) const = default;
};

// A value; O(1) copy. An ordered set of ReadyKey with the costs of a PersistentSet.
class ReadyOrder {
 public:
  using Places = PersistentSet<LanePlace>;
  using Lanes = PersistentMap<Lane, Places>;

  class Iterator {
   public:
    using value_type = ReadyKey;
    using reference = ReadyKey;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    Iterator(Lanes::Iterator lane, Lanes::Iterator end) : lane_(lane), end_(end) { enter(); }

    [[nodiscard]] ReadyKey operator*() const { return {(*lane_).key, *place_}; }
    Iterator& operator++() {
      if (++place_ == (*lane_).value.end()) {
        ++lane_;
        enter();
      }
      return *this;
    }
    Iterator operator++(int) { return std::exchange(*this, std::next(*this)); }
    bool operator==(const Iterator& other) const {
      return lane_ == other.lane_ && (lane_ == end_ || place_ == other.place_);
    }

   private:
    void enter() {
      if (lane_ != end_) place_ = (*lane_).value.begin();
    }

    Lanes::Iterator lane_;
    Lanes::Iterator end_;
    Places::Iterator place_;
  };
  using const_iterator = Iterator;

  // From keys that rise: O(keys). nullopt when they do not.
  template <class Keys>
  [[nodiscard]] static std::optional<ReadyOrder> from_sorted(Keys&& keys);

  // Enters a lane with all of its tasks, which are some; false where it is there already.
  [[nodiscard]] bool add(const Lane& lane, Places places) {
    const std::size_t count = places.size();
    if (!lanes_.insert(lane, std::move(places))) return false;
    size_ += count;
    return true;
  }

  // True when the key was not there before.
  bool insert(const ReadyKey& key) noexcept;
  // True when there was something to erase.
  bool erase(const ReadyKey& key) noexcept;
  [[nodiscard]] bool contains(const ReadyKey& key) const;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Iterator begin() const { return {lanes_.begin(), lanes_.end()}; }
  [[nodiscard]] Iterator end() const { return {lanes_.end(), lanes_.end()}; }

  // Those that have a task; none is empty.
  [[nodiscard]] const Lanes& lanes() const { return lanes_; }

 private:
  Lanes lanes_;
  std::size_t size_ = 0;
};

template <class Keys>
std::optional<ReadyOrder> ReadyOrder::from_sorted(Keys&& keys) {
  ReadyOrder built;
  std::vector<LanePlace> places;
  std::optional<Lane> lane;
  const auto close_lane = [&] {
    auto sorted = Places::from_sorted(places);
    if (!lane || !sorted) return !lane.has_value();
    built.size_ += places.size();
    places.clear();
    return built.lanes_.insert(*lane, std::move(*sorted));
  };
  for (const ReadyKey& key : keys) {
    if (lane != key.lane) {
      if (!close_lane() || (lane && key.lane < *lane)) return std::nullopt;
      lane = key.lane;
    }
    places.push_back(key.place);
  }
  if (!close_lane()) return std::nullopt;
  return built;
}

// Visits what only one of them has, in order: visit(ReadyKey, Change).
template <class Visit>
void diff(const ReadyOrder& before, const ReadyOrder& after, Visit visit) {
  const ReadyOrder::Places none;
  diff(before.lanes(), after.lanes(),
       [&](Lane lane, const ReadyOrder::Places* was, const ReadyOrder::Places* is) {
         diff(was == nullptr ? none : *was, is == nullptr ? none : *is,
              [&](const LanePlace& place, Change change) { visit(ReadyKey{lane, place}, change); });
       });
}

}  // namespace almanac
