// The files of the browser's page (web/), as bytes in this program: made by its build, none of them
// where it was configured with ALMANAC_PAGE=OFF.
#pragma once

#include <span>
#include <string_view>

namespace almanac {

// Lives as long as the program.
struct PageFile {
  std::string_view name;  // "page.js"
  std::string_view type;  // its content type
  std::string_view etag;  // with its quotes; the same bytes have the same
  std::string_view gzip;  // what is sent
};

// Any thread.
[[nodiscard]] std::span<const PageFile> page_files();

}  // namespace almanac
