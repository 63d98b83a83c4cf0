#include <almanac/tests/support/file_bytes.h>

#include <almanac/log/error.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// Set by CTest; a test program started by hand lies in build/PRESET/bin.
fs::path from_environment(const char* name, const char* from_program) {
  const char* value = std::getenv(name);
  if (value != nullptr) return value;
  return (fs::read_symlink("/proc/self/exe").parent_path() / from_program).lexically_normal();
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  ALMANAC_CHECK(file.is_open());
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  ALMANAC_CHECK(file.good());
}

fs::path source_path(std::string_view path) {
  return from_environment("ALMANAC_SOURCE_DIR", "../../..") / path;
}

fs::path program_path(std::string_view name) {
  return from_environment("ALMANAC_BUILD_BIN", ".") / name;
}

}  // namespace almanac::test
