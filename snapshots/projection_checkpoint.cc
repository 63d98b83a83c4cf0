#include <almanac/snapshots/projection_checkpoint.h>

#include <almanac/log/file.h>
#include <almanac/log/hash.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <string>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t magic = 0x314a4f52504d4c41;  // "ALMPROJ1"
constexpr std::string_view begun_suffix = ".part";
constexpr std::size_t name_digits = 20;  // so that names sort as their numbers do

// In front of the payload. Numbers are little-endian, as all that Almanac writes.
struct Header {
  std::uint64_t magic = 0;
  std::uint64_t position = 0;
  std::uint64_t payload_bytes = 0;
  std::uint32_t version = 0;
  std::uint32_t reserved = 0;
  Timeline timeline{};
  Digest chain{};
  Digest digest{};  // BLAKE2b-256 of the header with zeros here, and the payload
};
static_assert(sizeof(Header) == 112 && std::is_trivially_copyable_v<Header>);

Header header_of(const ProjectionKey& key, std::size_t payload_bytes) {
  return {.magic = magic,
          .position = key.position.value,
          .payload_bytes = payload_bytes,
          .version = key.version,
          .reserved = 0,
          .timeline = key.timeline,
          .chain = key.chain,
          .digest = {}};
}

Digest digest_of(const Header& header, Bytes payload) {
  Hasher hasher;
  hasher.bytes(std::as_bytes(std::span(&header, 1)));
  hasher.bytes(payload);
  return hasher.finish();
}

std::string name_of(Position position) {
  auto digits = std::to_string(position.value);
  return std::string(name_digits - digits.size(), '0') + digits;
}

Result<void> write_all(const FileDescriptor& file, Bytes bytes, const fs::path& path) {
  while (!bytes.empty()) {
    auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "write " + path.string());
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_file(const fs::path& path, const Header& header, Bytes payload) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return fail_errno(errno, "create " + path.string());
  auto written = write_all(file, std::as_bytes(std::span(&header, 1)), path);
  if (written) written = write_all(file, payload, path);
  if (written && ::fsync(file.get()) != 0) written = fail_errno(errno, "sync " + path.string());
  return written;
}

// The folder and those above it that are missing, each name synced.
Result<void> make_folders(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  if (folder.has_parent_path() && folder.parent_path() != folder) {
    if (auto made = make_folders(folder.parent_path()); !made) return made;
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(errno, "create " + folder.string());
  }
  return sync_folder(folder.has_parent_path() ? folder.parent_path() : fs::path("."));
}

std::unexpected<Error> damaged(const fs::path& path) {
  return fail(ErrorCode::corrupt, path.string() + " is not the checkpoint it was",
              "remove it; it is not needed");
}

}  // namespace

Result<void> write_projection(const fs::path& folder, const ProjectionKey& key, Bytes payload) {
  if (auto made = make_folders(folder); !made) return made;
  auto header = header_of(key, payload.size());
  header.digest = digest_of(header, payload);
  const auto path = folder / name_of(key.position);
  const auto begun = fs::path(path).concat(begun_suffix);
  auto written = write_file(begun, header, payload);
  if (written) written = rename_synced(begun, path);
  if (!written) ::unlink(begun.c_str());
  return written;
}

std::vector<Position> projection_positions(const fs::path& folder) {
  std::vector<Position> positions;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const auto name = entry.path().filename().string();
    std::uint64_t number = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
    if (name.size() == name_digits && read.ptr == name.data() + name.size()) {
      positions.emplace_back(number);
    }
  }
  std::ranges::sort(positions, std::greater());
  return positions;
}

Result<std::vector<std::byte>> read_projection(const fs::path& folder, const ProjectionKey& key) {
  const auto path = folder / name_of(key.position);
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    return fail_errno(errno, "open " + path.string());
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < sizeof(Header)) return damaged(path);
  std::vector<std::byte> bytes(size);
  for (std::size_t done = 0; done < size;) {
    auto read = ::pread(file.get(), bytes.data() + done, size - done, static_cast<off_t>(done));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return fail_errno(errno, "read " + path.string());
    if (read == 0) return damaged(path);
    done += static_cast<std::size_t>(read);
  }
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  auto expected = header_of(key, size - sizeof(Header));
  bytes.erase(bytes.begin(), bytes.begin() + sizeof(Header));
  expected.digest = digest_of(expected, bytes);
  if (std::memcmp(&header, &expected, sizeof(Header)) != 0) return damaged(path);
  return bytes;
}

void thin_projections(const fs::path& folder, std::size_t count) {
  auto positions = projection_positions(folder);
  std::error_code ignored;
  for (std::size_t i = count; i < positions.size(); ++i) {
    fs::remove(folder / name_of(positions[i]), ignored);
  }
  std::vector<fs::path> begun;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == begun_suffix) begun.push_back(entry.path());
  }
  for (const auto& path : begun) fs::remove(path, ignored);
}

}  // namespace almanac
