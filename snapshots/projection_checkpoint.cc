#include <almanac/snapshots/projection_checkpoint.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/whole_file.h>

#include <array>
#include <cstring>
#include <string>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t projection_magic = 0x314a4f52504d4c41;  // "ALMPROJ1"

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
  return {.magic = projection_magic,
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

fs::path file_of(const fs::path& folder, Position position) {
  return folder / std::to_string(position.value);
}

std::unexpected<Error> damaged(const fs::path& path) {
  return fail(ErrorCode::corrupt, path.string() + " is not the checkpoint it was",
              "remove it; it is not needed");
}

}  // namespace

Result<void> write_projection(const fs::path& folder, const ProjectionKey& key, Bytes payload) {
  auto header = header_of(key, payload.size());
  header.digest = digest_of(header, payload);
  const std::array<Bytes, 2> pieces = {std::as_bytes(std::span(&header, 1)), payload};
  return write_whole_file(file_of(folder, key.position), pieces);
}

Result<std::vector<std::byte>> read_projection(const fs::path& folder, const ProjectionKey& key) {
  const auto path = file_of(folder, key.position);
  auto read = read_whole_file(path);
  if (!read) return std::unexpected(read.error());
  auto& bytes = *read;
  if (bytes.size() < sizeof(Header)) return damaged(path);
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  auto expected = header_of(key, bytes.size() - sizeof(Header));
  bytes.erase(bytes.begin(), bytes.begin() + sizeof(Header));
  expected.digest = digest_of(expected, bytes);
  if (std::memcmp(&header, &expected, sizeof(Header)) != 0) return damaged(path);
  return read;
}

void thin_projections(const fs::path& folder, std::size_t count) {
  auto positions = positions_in(folder);
  std::error_code ignored;
  for (std::size_t i = count; i < positions.size(); ++i) {
    fs::remove(file_of(folder, positions[i]), ignored);
  }
  remove_unfinished(folder);
}

}  // namespace almanac
