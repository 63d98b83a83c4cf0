// BLAKE2b as RFC 7693 describes it, with eight messages in the eight numbers of each vector.
#include <almanac/log/digest_lanes.h>

#include <almanac/log/hash.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace almanac {
namespace {

// One after the other.
void digest_in_turn(DigestLane& lane) {
  while (const auto message = lane.next()) lane.tell(blake2b(*message));
}

#if defined(__x86_64__)

constexpr std::size_t blake2b_block_bytes = 128;
constexpr std::size_t blake2b_words = 8;
constexpr std::size_t blake2b_rounds = 12;

alignas(64) constexpr std::uint64_t blake2b_start[blake2b_words] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
// Of a digest of 32 bytes without a key: fanout 1, depth 1.
constexpr std::uint64_t blake2b_parameters = 0x01010020;

constexpr std::uint8_t blake2b_order[blake2b_rounds][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

// What goes into one step of all lanes.
struct LaneBlocks {
  const std::byte* at[digest_lanes];                // a block of each
  alignas(64) std::uint64_t counted[digest_lanes];  // bytes of each message, this block included
  alignas(64) std::uint64_t is_last[digest_lanes];  // all bits where the block is the last
};

// Only what is in here is made for processors that not every machine has: what a header defines
// must not be.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f")
#endif

// A number of each lane.
using Row [[gnu::vector_size(64)]] = std::uint64_t;

// Eight rows of eight numbers each; row i of the result has number i of each.
void turn_rows(Row* rows) {
  Row pairs[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  Row fours[8];
  for (int i = 0; i < 2; ++i) {
    for (int half = 0; half < 8; half += 4) {
      const Row& one = pairs[i + half];
      const Row& other = pairs[i + half + 2];
      fours[i + half] = __builtin_shufflevector(one, other, 0, 1, 4, 5, 8, 9, 12, 13);
      fours[i + half + 2] = __builtin_shufflevector(one, other, 2, 3, 6, 7, 10, 11, 14, 15);
    }
  }
  for (int i = 0; i < 4; ++i) {
    rows[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 4, 5, 8, 9, 12, 13);
    rows[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 2, 3, 6, 7, 10, 11, 14, 15);
  }
}

[[gnu::always_inline]] inline void turn_right(Row& row, int bits) {
  row = (row >> bits) | (row << (64 - bits));
}

[[gnu::always_inline]] inline void mix(Row& a, Row& b, Row& c, Row& d, const Row& x, const Row& y) {
  a += x + b;
  d ^= a;
  turn_right(d, 32);
  c += d;
  b ^= c;
  turn_right(b, 24);
  a += y + b;
  d ^= a;
  turn_right(d, 16);
  c += d;
  b ^= c;
  turn_right(b, 63);
}

// One block of each lane. `state` has word i of all lanes in its row i.
void compress_block(std::uint64_t (*state)[digest_lanes], const LaneBlocks& blocks) {
  Row m[16];
  for (int i = 0; i < 8; ++i) {
    std::memcpy(&m[i], blocks.at[i], sizeof(Row));
    std::memcpy(&m[i + 8], blocks.at[i] + sizeof(Row), sizeof(Row));
  }
  turn_rows(m);
  turn_rows(m + 8);
  Row v[16];
  for (int i = 0; i < 8; ++i) {
    std::memcpy(&v[i], state[i], sizeof(Row));
    v[i + 8] = blake2b_start[i] - Row{};
  }
  Row changed;
  std::memcpy(&changed, blocks.counted, sizeof(Row));
  v[12] ^= changed;
  std::memcpy(&changed, blocks.is_last, sizeof(Row));
  v[14] ^= changed;
  for (const auto& order : blake2b_order) {
    mix(v[0], v[4], v[8], v[12], m[order[0]], m[order[1]]);
    mix(v[1], v[5], v[9], v[13], m[order[2]], m[order[3]]);
    mix(v[2], v[6], v[10], v[14], m[order[4]], m[order[5]]);
    mix(v[3], v[7], v[11], v[15], m[order[6]], m[order[7]]);
    mix(v[0], v[5], v[10], v[15], m[order[8]], m[order[9]]);
    mix(v[1], v[6], v[11], v[12], m[order[10]], m[order[11]]);
    mix(v[2], v[7], v[8], v[13], m[order[12]], m[order[13]]);
    mix(v[3], v[4], v[9], v[14], m[order[14]], m[order[15]]);
  }
  for (int i = 0; i < 8; ++i) {
    Row word;
    std::memcpy(&word, state[i], sizeof(Row));
    word ^= v[i] ^ v[i + 8];
    std::memcpy(state[i], &word, sizeof(Row));
  }
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

// Up to eight sequences on their way.
class SideBySide {
 public:
  explicit SideBySide(std::span<DigestLane* const> lanes) : waiting_(lanes) {
    for (std::size_t i = 0; i < digest_lanes; ++i) begin_lane(i);
  }

  void run() {
    while (busy_ > 0) {
      for (std::size_t i = 0; i < digest_lanes; ++i) load(i);
      compress_block(state_, blocks_);
      for (std::size_t i = 0; i < digest_lanes; ++i) {
        if (blocks_.is_last[i] != 0) end_message(i);
      }
    }
  }

 private:
  // Another sequence in this place, as long as one has a message.
  void begin_lane(std::size_t i) {
    owners_[i] = nullptr;
    while (!waiting_.empty()) {
      owners_[i] = waiting_.front();
      waiting_ = waiting_.subspan(1);
      if (begin_message(i)) {
        ++busy_;
        return;
      }
      owners_[i] = nullptr;
    }
    blocks_.at[i] = idle_;
    blocks_.is_last[i] = 0;
  }

  bool begin_message(std::size_t i) {
    const auto message = owners_[i]->next();
    if (!message) return false;
    rest_[i] = *message;
    blocks_.counted[i] = 0;
    for (std::size_t word = 0; word < blake2b_words; ++word) {
      state_[word][i] = blake2b_start[word] ^ (word == 0 ? blake2b_parameters : 0);
    }
    return true;
  }

  // The next block of the lane's message: the last one is filled up with zeros.
  void load(std::size_t i) {
    if (owners_[i] == nullptr) return;
    Bytes& rest = rest_[i];
    const bool is_last = rest.size() <= blake2b_block_bytes;
    const std::size_t bytes = std::min(rest.size(), blake2b_block_bytes);
    blocks_.at[i] = rest.data();
    if (is_last) {
      std::byte* filled = filled_[i];
      std::memset(filled, 0, blake2b_block_bytes);
      if (bytes > 0) std::memcpy(filled, rest.data(), bytes);
      blocks_.at[i] = filled;
    }
    blocks_.counted[i] += bytes;
    blocks_.is_last[i] = is_last ? ~std::uint64_t{0} : 0;
    rest = rest.subspan(bytes);
  }

  void end_message(std::size_t i) {
    Digest digest;
    for (std::size_t word = 0; word < sizeof(digest) / sizeof(std::uint64_t); ++word) {
      std::memcpy(digest.data() + word * sizeof(std::uint64_t), &state_[word][i],
                  sizeof(std::uint64_t));
    }
    owners_[i]->tell(digest);
    if (begin_message(i)) return;
    --busy_;
    begin_lane(i);
  }

  alignas(64) std::uint64_t state_[blake2b_words][digest_lanes] = {};
  LaneBlocks blocks_ = {};
  alignas(64) std::byte filled_[digest_lanes][blake2b_block_bytes];
  alignas(64) const std::byte idle_[blake2b_block_bytes] = {};
  std::array<DigestLane*, digest_lanes> owners_ = {};
  std::array<Bytes, digest_lanes> rest_;
  std::span<DigestLane* const> waiting_;
  std::size_t busy_ = 0;
};

bool can_go_side_by_side() {
  static const bool can = __builtin_cpu_supports("avx512f") > 0;
  return can;
}

#endif

// Fewer are faster in turn: eight at once take as long as three.
constexpr std::size_t side_by_side_min = 4;

}  // namespace

void blake2b(std::span<DigestLane* const> lanes) {
#if defined(__x86_64__)
  if (lanes.size() >= side_by_side_min && can_go_side_by_side()) {
    SideBySide(lanes).run();
    return;
  }
#endif
  for (DigestLane* lane : lanes) digest_in_turn(*lane);
}

}  // namespace almanac
