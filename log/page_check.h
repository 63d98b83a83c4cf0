// Whether LMDB can read a snapshot of its file without harm. LMDB believes every number it finds;
// this walk believes none. Any damage it passes lies in bytes that frames check for themselves.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/page_layout.h>

namespace almanac {

enum class PageCheckDepth : std::uint8_t {
  trees,    // every branch and leaf page
  thorough  // and the head of every value that has pages of its own
};

struct PageCheckReport {
  std::uint64_t pages_used = 0;  // meta pages included
  std::uint64_t pages_free = 0;
  std::uint64_t frames = 0;
  // The last frame; no bytes when there is none.
  struct {
    std::uint64_t first = 0;  // its key
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  } last_frame;
};

// Walks the snapshot of `meta`, whose own numbers the caller has checked against the file's length,
// over the free pages, the main and all named databases: each page is in its place, is what it
// should be and is used once; nodes fill their page, keys are in order and of the right size; what
// is free is not in use; counts and depths are as they are recorded. Reads with pread, at memory
// speed when the pages are cached; a log of a million small frames takes a twentieth of a second.
// While another process commits, pages may change under the walk: an error then says nothing.
// Errors: corrupt (names the page), io.
[[nodiscard]] Result<PageCheckReport> check_pages(int file, const layout::MetaPage& meta,
                                                  PageCheckDepth depth = PageCheckDepth::trees);

}  // namespace almanac
