#include <almanac/tests/support/temp_folder.h>

#include <almanac/log/error.h>

#include <cstdlib>
#include <string>
#include <system_error>

namespace almanac::test {

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "almanac-test-XXXXXX").string();
  ALMANAC_CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace almanac::test
