// How LMDB 0.9 lays out its file on a 64-bit little-endian machine, as far as the checks that run
// before the file is mapped must know it. Pages are numbered from 0; the first two are meta pages,
// each the root of one snapshot: transaction T writes meta page T & 1, and what it gives up is not
// written over before transaction T + 2.
#pragma once

#include <cstddef>
#include <cstdint>

namespace almanac::layout {

inline constexpr std::uint32_t magic = 0xBEEFC0DE;
inline constexpr std::uint32_t version = 1;
inline constexpr std::uint32_t page_bytes_min = 512;
inline constexpr std::uint32_t page_bytes_max = 65536;
inline constexpr std::uint64_t meta_pages = 2;
inline constexpr std::uint64_t no_page = UINT64_MAX;
// The deepest tree a cursor can stand in.
inline constexpr unsigned depth_max = 32;
inline constexpr std::size_t key_bytes_max = 511;

// What a page is: exactly one of these once it is on disk.
inline constexpr std::uint16_t branch_page = 0x01;
inline constexpr std::uint16_t leaf_page = 0x02;
inline constexpr std::uint16_t overflow_page = 0x04;
inline constexpr std::uint16_t meta_page = 0x08;

// Keys of a database are native integers; otherwise they are ordered byte by byte.
inline constexpr std::uint16_t integer_keys = 0x08;

// Of an overflow page, `lower` and `upper` are one number: of how many pages the value has.
struct PageHeader {
  std::uint64_t number;
  std::uint16_t padding;
  std::uint16_t flags;
  std::uint16_t lower;  // behind the last of the nodes' 16-bit places
  std::uint16_t upper;  // where the first node lies; they fill the page from here on
};
static_assert(sizeof(PageHeader) == 16);

// Keys and values; behind it `key_bytes` of key. In a branch, the first three are the child's page
// number (48 bits). In a leaf the first two are the value's size; the value is behind the key.
struct NodeHeader {
  std::uint16_t low;
  std::uint16_t high;
  std::uint16_t flags;
  std::uint16_t key_bytes;
};
static_assert(sizeof(NodeHeader) == 8);
inline constexpr std::uint16_t value_in_pages = 0x01;  // behind the key: the number of the first
inline constexpr std::uint16_t value_is_database = 0x02;

struct Database {
  std::uint32_t padding;  // of the free pages: the page size
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branch_pages;
  std::uint64_t leaf_pages;
  std::uint64_t overflow_pages;
  std::uint64_t entries;
  std::uint64_t root;
};
static_assert(sizeof(Database) == 48);

struct MetaPage {
  PageHeader header;
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t address;
  std::uint64_t map_bytes;
  Database free_pages;  // transaction -> the pages it gave up: their count, then their numbers
  Database main;        // name -> Database
  std::uint64_t last_page;
  std::uint64_t transaction;
};
static_assert(sizeof(MetaPage) == 152);

}  // namespace almanac::layout
