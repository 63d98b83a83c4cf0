#include <almanac/engine/embedding_table.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace almanac {
namespace {

constexpr int code_max = 127;
// Finer, as there is one of it: what it rounds off adds a sixteenth.
constexpr int asked_code_max = 2'047;
static_assert(limits::embedding_dimension_max * code_max * asked_code_max <= INT32_MAX);
// Numbers that are taken at once, and sums of their squares that stand beside each other.
constexpr std::size_t numbers_at_once = 32;
// What numbers of 32 bits round off, of directions whose length is 1 but for as much.
constexpr float float_error = 2e-5F;

using Sums = std::array<float, numbers_at_once>;

// Halves onto each other, until there is one.
float total(Sums sums) {
  for (std::size_t half = numbers_at_once / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

struct Arithmetic {
  std::int32_t (*product)(const std::int8_t*, const std::int16_t*, std::size_t width);
  float (*distance)(const float*, const float*, std::size_t width);
};

std::int32_t product_anywhere(const std::int8_t* code, const std::int16_t* asked,
                              std::size_t width) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < width; ++i) sum += std::int32_t{code[i]} * asked[i];
  return sum;
}

float distance_anywhere(const float* one, const float* other, std::size_t width) {
  Sums sums{};
  for (std::size_t i = 0; i < width; ++i) {
    const float away = one[i] - other[i];
    sums[i % numbers_at_once] += away * away;
  }
  return total(sums);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::int32_t product_avx2(const std::int8_t* code,
                                                  const std::int16_t* asked, std::size_t width) {
  constexpr std::size_t half = numbers_at_once / 2;
  auto even = _mm256_setzero_si256();
  auto odd = _mm256_setzero_si256();
  for (std::size_t i = 0; i < width; i += numbers_at_once) {
    const auto* codes = reinterpret_cast<const __m128i*>(code + i);
    const auto* with = reinterpret_cast<const __m256i*>(asked + i);
    static_assert(half == sizeof(__m128i) && half * 2 == sizeof(__m256i));
    const auto first = _mm256_cvtepi8_epi16(_mm_loadu_si128(codes));
    const auto second = _mm256_cvtepi8_epi16(_mm_loadu_si128(codes + 1));
    even = _mm256_add_epi32(even, _mm256_madd_epi16(first, _mm256_loadu_si256(with)));
    odd = _mm256_add_epi32(odd, _mm256_madd_epi16(second, _mm256_loadu_si256(with + 1)));
  }
  const auto both = _mm256_add_epi32(even, odd);
  auto four = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  four = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return _mm_cvtsi128_si32(four) + _mm_extract_epi32(four, 1);
}

// Multiplied and then added, and the sums as in total(): it rounds as it does anywhere. FMA would
// not.
[[gnu::target("avx2")]] float distance_avx2(const float* one, const float* other,
                                            std::size_t width) {
  constexpr std::size_t lanes = sizeof(__m256) / sizeof(float);
  constexpr std::size_t parts = numbers_at_once / lanes;
  __m256 sums[parts] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                        _mm256_setzero_ps()};
  for (std::size_t i = 0; i < width; i += numbers_at_once) {
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t at = i + part * lanes;
      const auto away = _mm256_sub_ps(_mm256_loadu_ps(one + at), _mm256_loadu_ps(other + at));
      sums[part] = _mm256_add_ps(sums[part], _mm256_mul_ps(away, away));
    }
  }
  const auto eight =
      _mm256_add_ps(_mm256_add_ps(sums[0], sums[2]), _mm256_add_ps(sums[1], sums[3]));
  auto four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
#endif

Arithmetic best_arithmetic() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return {product_avx2, distance_avx2};
#endif
  return {product_anywhere, distance_anywhere};
}

const Arithmetic arithmetic = best_arithmetic();

// Answers the step and how long what was rounded off is, rounded up.
template <class Number>
std::pair<float, float> round_to(std::span<const float> direction, int max, Number* to) {
  float largest = 0;
  for (const float each : direction) largest = std::max(largest, std::abs(each));
  if (largest == 0) return {0, 0};
  const float step = largest / static_cast<float>(max);
  double squares = 0;
  for (const float each : direction) {
    const double number = std::nearbyint(double(each) / step);
    const double off = each - number * step;
    squares += off * off;
    *to++ = static_cast<Number>(number);
  }
  return {step, static_cast<float>(std::sqrt(squares) * (1 + 1e-6))};
}

}  // namespace

EmbeddingTable::EmbeddingTable(std::uint32_t dimension)
    : width_((dimension + numbers_at_once - 1) / numbers_at_once * numbers_at_once) {}

void EmbeddingTable::add(std::span<const float> direction) {
  const std::size_t at = size() * width_;
  numbers_.resize(at + width_);
  codes_.resize(at + width_);
  std::ranges::copy(direction, &numbers_[at]);
  const auto [step, error] = round_to(direction, code_max, &codes_[at]);
  rounded_.push_back({step, error});
}

EmbeddingTable::Asked EmbeddingTable::asked(std::span<const float> direction) const {
  Asked asked{.numbers = {direction.begin(), direction.end()},
              .code = std::vector<std::int16_t>(width_)};
  asked.numbers.resize(width_);
  std::tie(asked.step, asked.error) = round_to(direction, asked_code_max, asked.code.data());
  return asked;
}

// With q for the code of what was asked, c for the other one, in steps of theirs, and e, f for what
// they have rounded off: (c + e)(q + f) = cq + e(q + f) + cf, where q + f is 1 long at most and c
// not longer than 1 + |e|.
EmbeddingTable::Similarity EmbeddingTable::compare(const Asked& asked, Slot slot) const {
  const Rounded& rounded = rounded_[slot];
  const auto product = arithmetic.product(code_of(slot), asked.code.data(), width_);
  return {static_cast<float>(product) * (asked.step * rounded.step),
          rounded.error + asked.error * (1 + rounded.error) + float_error};
}

void EmbeddingTable::compare(const Asked& asked, Slot first, std::span<Similarity> to) const {
  for (Similarity& similarity : to) similarity = compare(asked, first++);
}

float EmbeddingTable::distance(const Asked& asked, Slot slot) const {
  return arithmetic.distance(asked.numbers.data(), numbers_of(slot), width_);
}

float EmbeddingTable::distance(Slot one, Slot other) const {
  return arithmetic.distance(numbers_of(one), numbers_of(other), width_);
}

void EmbeddingTable::prefetch(Slot slot) const {
  constexpr std::size_t line_bytes = 64;
  for (std::size_t at = 0; at < width_; at += line_bytes) __builtin_prefetch(code_of(slot) + at);
}

}  // namespace almanac
