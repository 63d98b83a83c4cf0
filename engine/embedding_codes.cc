#include <almanac/engine/embedding_codes.h>

#include <almanac/engine/limits.h>

#include <algorithm>
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
constexpr int asked_max = 2'047;
static_assert(limits::embedding_dimension_max * code_max * asked_max <= INT32_MAX);
// Numbers that are multiplied at once.
constexpr std::size_t code_step = 32;
// What numbers of 32 bits round off, of directions whose length is 1 but for as much.
constexpr float float_error = 2e-5F;

template <class Number>
using Multiply = std::int32_t (*)(const std::int8_t*, const Number*, std::size_t);

template <class Number>
std::int32_t multiply_anywhere(const std::int8_t* code, const Number* other, std::size_t width) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < width; ++i) sum += std::int32_t{code[i]} * other[i];
  return sum;
}

#if defined(__x86_64__)
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i sixteen(const std::int8_t* from) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i sixteen(const std::int16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

template <class Number>
[[gnu::target("avx2")]] std::int32_t multiply_avx2(const std::int8_t* code, const Number* other,
                                                   std::size_t width) {
  auto even = _mm256_setzero_si256();
  auto odd = _mm256_setzero_si256();
  for (const std::int8_t* end = code + width; code != end; code += code_step, other += code_step) {
    constexpr std::size_t half = code_step / 2;
    even = _mm256_add_epi32(even, _mm256_madd_epi16(sixteen(code), sixteen(other)));
    odd = _mm256_add_epi32(odd, _mm256_madd_epi16(sixteen(code + half), sixteen(other + half)));
  }
  const auto both = _mm256_add_epi32(even, odd);
  auto four = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  four = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return _mm_cvtsi128_si32(four) + _mm_extract_epi32(four, 1);
}
#endif

template <class Number>
Multiply<Number> best_multiply() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return &multiply_avx2<Number>;
#endif
  return &multiply_anywhere<Number>;
}

const auto multiply_asked = best_multiply<std::int16_t>();
const auto multiply_codes = best_multiply<std::int8_t>();

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

EmbeddingCodes::EmbeddingCodes(std::uint32_t dimension)
    : dimension_(dimension), width_((dimension + code_step - 1) / code_step * code_step) {}

void EmbeddingCodes::add(std::span<const float> direction) {
  codes_.resize(codes_.size() + width_);
  const auto [step, error] = round_to(direction, code_max, &codes_[codes_.size() - width_]);
  rounded_.push_back({step, error});
}

EmbeddingCodes::Asked EmbeddingCodes::asked(std::span<const float> direction) const {
  Asked asked;
  asked.numbers.resize(width_);
  std::tie(asked.step, asked.error) = round_to(direction, asked_max, asked.numbers.data());
  return asked;
}

EmbeddingCodes::Asked EmbeddingCodes::asked(Slot slot) const {
  const Rounded& rounded = rounded_[slot];
  return {{code_of(slot), code_of(slot) + width_}, rounded.step, rounded.error};
}

// With q for what was asked, c for the code and e, f for what they have rounded off, each but for
// the steps: (c + e)(q + f) = cq + e(q + f) + cf, where q + f has length 1 and c at most 1 + |e|.
EmbeddingCodes::Similarity EmbeddingCodes::similarity(const Asked& asked, Slot slot,
                                                      std::int32_t product) const {
  const Rounded& rounded = rounded_[slot];
  return {static_cast<float>(product) * (asked.step * rounded.step),
          rounded.error + asked.error * (1 + rounded.error) + float_error};
}

EmbeddingCodes::Similarity EmbeddingCodes::compare(const Asked& asked, Slot slot) const {
  return similarity(asked, slot, multiply_asked(code_of(slot), asked.numbers.data(), width_));
}

void EmbeddingCodes::compare(const Asked& asked, Slot first, std::span<Similarity> to) const {
  for (Similarity& similarity : to) similarity = compare(asked, first++);
}

float EmbeddingCodes::cosine(Slot one, Slot other) const {
  const auto product = multiply_codes(code_of(one), code_of(other), width_);
  return static_cast<float>(product) * (rounded_[one].step * rounded_[other].step);
}

void EmbeddingCodes::prefetch(Slot slot) const {
  constexpr std::size_t line = 64;
  for (std::size_t at = 0; at < width_; at += line) __builtin_prefetch(code_of(slot) + at);
}

}  // namespace almanac
