// Lists that events borrow: of names, and of names with a number each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace almanac {

// A borrowed list of names. It is either a list of texts or, read from a frame, a list of indexes
// into the frame's table of names.
class NameListView {
 public:
  NameListView() = default;
  explicit NameListView(std::span<const std::string_view> names)
      : table_(names), size_(names.size()) {}
  NameListView(std::span<const std::string_view> table, std::span<const std::uint16_t> indexes)
      : table_(table), indexes_(indexes.data()), size_(indexes.size()) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view operator[](std::size_t i) const {
    return table_[indexes_ == nullptr ? i : indexes_[i]];
  }

 private:
  std::span<const std::string_view> table_;
  const std::uint16_t* indexes_ = nullptr;
  std::size_t size_ = 0;
};

// A borrowed list of Items, which are a name and a number of 32 bits. It is either a list of them
// or, read from a frame, a list of their stored form and the frame's table of names.
template <class Item, class Number>
class NumberedNamesView {
 public:
  // As it lies in a frame.
  struct Stored {
    std::uint16_t name = 0;
    std::uint16_t unused = 0;
    std::uint32_t number = 0;
  };
  NumberedNamesView() = default;
  explicit NumberedNamesView(std::span<const Item> items)
      : items_(items.data()), size_(items.size()) {}
  NumberedNamesView(std::span<const std::string_view> table, std::span<const Stored> stored)
      : table_(table.data()), stored_(stored.data()), size_(stored.size()) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Item operator[](std::size_t i) const {
    if (stored_ == nullptr) return items_[i];
    return {table_[stored_[i].name], static_cast<Number>(stored_[i].number)};
  }

 private:
  const std::string_view* table_ = nullptr;
  const Stored* stored_ = nullptr;
  const Item* items_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace almanac
