// Directions one behind the other, twice: as they are, and as codes of 8 bits for each number.
// Codes are a quarter of what has to be read where many are compared. How far a cosine of theirs
// may be from the true one is said with it: whoever looks for the nearest computes few of them from
// the numbers themselves, and misses none.
//
// Sums are made in one order, on every processor of a kind: the same directions are as far from
// each other wherever they are compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace almanac {

// A handle. One thread may add, or many compare.
class EmbeddingTable {
 public:
  // Numbers of their place, dense from 0.
  using Slot = std::uint32_t;
  // What others are held against. A value.
  struct Asked {
    std::vector<float> numbers;
    std::vector<std::int16_t> code;
    float step = 0;   // of a code, from one number to the next
    float error = 0;  // how long what was rounded off is
  };
  struct Similarity {
    float cosine = 0;
    float error = 0;  // that the true one is away at most
    [[nodiscard]] float low() const { return cosine - error; }
    [[nodiscard]] float high() const { return cosine + error; }
  };

  explicit EmbeddingTable(std::uint32_t dimension);

  [[nodiscard]] std::size_t size() const { return rounded_.size(); }
  // Directions are as long as the dimension says; of length 1, or all zero. Some microseconds.
  void add(std::span<const float> direction);
  [[nodiscard]] Asked asked(std::span<const float> direction) const;

  // By their codes. With 384 numbers some 15 nanoseconds each on a processor with AVX2, and ten
  // times as long on others.
  [[nodiscard]] Similarity compare(const Asked& asked, Slot slot) const;
  // Of as many slots as there is room for, beginning with the first.
  void compare(const Asked& asked, Slot first, std::span<Similarity> to) const;
  // Of the ends of both directions, squared: 2 - 2 cosines. By the numbers themselves, in twice the
  // time and four times the memory.
  [[nodiscard]] float distance(const Asked& asked, Slot slot) const;
  [[nodiscard]] float distance(Slot one, Slot other) const;
  // The code of what is compared soon.
  void prefetch(Slot slot) const;

 private:
  struct Rounded {
    float step = 0;
    float error = 0;
  };
  [[nodiscard]] const float* numbers_of(Slot slot) const { return &numbers_[slot * width_]; }
  [[nodiscard]] const std::int8_t* code_of(Slot slot) const { return &codes_[slot * width_]; }

  std::size_t width_;  // of each, with zeros behind it
  std::vector<float> numbers_;
  std::vector<std::int8_t> codes_;
  std::vector<Rounded> rounded_;
};

}  // namespace almanac
