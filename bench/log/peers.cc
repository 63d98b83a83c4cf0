#include <almanac/bench/log/peers.h>

namespace almanac::bench {

std::vector<System> peers() {
  std::vector<System> all = {lmdb()};
#ifdef ALMANAC_BENCH_SQLITE
  all.push_back(sqlite());
#endif
#ifdef ALMANAC_BENCH_ROCKSDB
  all.push_back(rocksdb());
#endif
  return all;
}

}  // namespace almanac::bench
