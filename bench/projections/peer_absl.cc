// Abseil's B-trees, where the package libabsl-dev is installed.
#include <almanac/bench/projections/subject.h>

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>

namespace almanac::bench {
namespace {

struct Trees {
  template <class K, class V>
  using Map = absl::btree_map<K, V>;
  template <class V>
  using Texts = absl::btree_map<std::string, V, std::less<>>;
  template <class K>
  using Set = absl::btree_set<K>;
};

}  // namespace

System absl_btree() {
  return {.name = "absl::btree_map",
          .what = "all in absl::btree_map and btree_set; in place",
          .make = [] { return std::make_unique<Peer<Trees>>(); }};
}

}  // namespace almanac::bench
