// The standard library's containers. An unordered map has no order: its orders are std::set.
#include <almanac/bench/projections/subject.h>

#include <map>
#include <set>
#include <unordered_map>

namespace almanac::bench {
namespace {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

struct Ordered {
  template <class K, class V>
  using Map = std::map<K, V>;
  template <class V>
  using Texts = std::map<std::string, V, std::less<>>;
  template <class K>
  using Set = std::set<K>;
};

struct Unordered {
  template <class K, class V>
  using Map = std::unordered_map<K, V>;
  template <class V>
  using Texts = std::unordered_map<std::string, V, TextHash, std::equal_to<>>;
  template <class K>
  using Set = std::set<K>;
};

}  // namespace

std::vector<System> peers() {
  std::vector<System> all;
  all.push_back({.name = "std::unordered_map",
                 .what = "tasks, names and keys hashed, orders in std::set; in place",
                 .make = [] { return std::make_unique<Peer<Unordered>>(); }});
  all.push_back({.name = "std::map", .what = "all in std::map and std::set; in place", .make = [] {
                   return std::make_unique<Peer<Ordered>>();
                 }});
#ifdef ALMANAC_BENCH_ABSL
  all.push_back(absl_btree());
#endif
  return all;
}

}  // namespace almanac::bench
