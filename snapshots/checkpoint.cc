#include <almanac/snapshots/checkpoint.h>

#include <almanac/log/file.h>
#include <almanac/log/hash.h>
#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/state_codec.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "ALMSTATE";
constexpr std::uint64_t format_version = 1;
// magic, format, checksum of all behind it
constexpr std::size_t sealed_from = 8 + 8 + 16;
constexpr std::size_t header_bytes = sealed_from + 8 + 16 + 8 + 32 + 32;

std::vector<std::byte> sealed(const CheckpointHeader& header, const State& state) {
  const auto body = encode(state);
  ColumnWriter behind;
  behind.number(header_bytes + body.size());
  behind.bytes(header.timeline);
  behind.number(header.position.value);
  behind.bytes(header.chain);
  behind.bytes(header.state);
  behind.bytes(body);
  const auto content = behind.take();
  ColumnWriter file;
  file.bytes(as_bytes(magic));
  file.number(format_version);
  file.bytes(xxh3_128(content));
  file.bytes(content);
  return file.take();
}

Result<void> write_all(const fs::path& path, Bytes bytes) {
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return fail_errno(errno, "create " + path.string());
  while (!bytes.empty()) {
    const auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "write " + path.string());
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::fdatasync(file.get()) != 0) return fail_errno(errno, "sync " + path.string());
  return {};
}

Result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return sync_folder(folder / "..");
  if (errno == EEXIST) return {};
  return fail_errno(errno, "create the folder " + folder.string());
}

Result<std::vector<std::byte>> read_all(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) {
    return fail(ErrorCode::not_found, "there is no " + path.string());
  }
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    return fail_errno(errno, "open " + path.string());
  }
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::corrupt, path.string() + " is no file");
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto read = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return fail_errno(errno, "read " + path.string());
    if (read == 0) break;
    filled += static_cast<std::size_t>(read);
  }
  bytes.resize(filled);
  return bytes;
}

template <class Bytes_>
void copy_to(Bytes_& to, Bytes from) {
  if (from.size() == to.size()) std::memcpy(to.data(), from.data(), to.size());
}

std::unexpected<Error> corrupt(const char* what) { return fail(ErrorCode::corrupt, what); }

Result<Checkpoint> parse(Bytes bytes) {
  if (bytes.size() < header_bytes) return corrupt("it is cut short");
  ColumnReader reader(bytes);
  if (as_text(reader.bytes(magic.size())) != magic) return corrupt("it is no checkpoint");
  const std::uint64_t version = reader.number();
  std::array<std::byte, 16> checksum{};
  copy_to(checksum, reader.bytes(checksum.size()));
  if (version > format_version) {
    return fail(ErrorCode::newer_format, "its format is newer than this version of Almanac knows");
  }
  const std::uint64_t length = reader.number();
  if (version != format_version) return corrupt("it has no format");
  if (length != bytes.size()) return corrupt("it is not as long as it says");
  if (xxh3_128(bytes.subspan(sealed_from)) != checksum) return corrupt("its checksum is wrong");
  Checkpoint checkpoint;
  copy_to(checkpoint.header.timeline, reader.bytes(sizeof(Timeline)));
  checkpoint.header.position = Position(reader.number());
  copy_to(checkpoint.header.chain, reader.bytes(sizeof(Digest)));
  copy_to(checkpoint.header.state, reader.bytes(sizeof(Digest)));
  auto state = decode_state(bytes.subspan(header_bytes));
  if (!state) return std::unexpected(state.error());
  if (state->position != checkpoint.header.position) return corrupt("its positions disagree");
  checkpoint.state = std::move(*state);
  return checkpoint;
}

}  // namespace

Result<std::uint64_t> write_checkpoint(const fs::path& file, const CheckpointHeader& header,
                                       const State& state) {
  const auto bytes = sealed(header, state);
  if (auto made = make_folder(file.parent_path()); !made) return std::unexpected(made.error());
  auto temporary = file;
  temporary += ".writing";
  auto written = write_all(temporary, bytes);
  if (written) written = rename_synced(temporary, file);
  if (!written) {
    ::unlink(temporary.c_str());
    return std::unexpected(written.error());
  }
  return bytes.size();
}

Result<Checkpoint> read_checkpoint(const fs::path& file) {
  auto bytes = read_all(file);
  if (!bytes) return std::unexpected(bytes.error());
  return parse(*bytes);
}

Result<Digest> chain_at(const Log& log, Position position) {
  auto base = log.base();
  if (!base) return std::unexpected(base.error());
  if (position && position == base->last) return base->digest;
  std::optional<Digest> digest;
  if (position > base->last) {
    auto read = log.read_frames(position, [&](const FrameReader& frame) -> Result<bool> {
      const FrameHeader& header = frame.header();
      if (header.first <= position && position <= header.last()) digest = frame.digest();
      return false;
    });
    if (!read) return std::unexpected(read.error());
  }
  if (digest) return *digest;
  return fail(ErrorCode::not_found, "the log has no position " + std::to_string(position.value));
}

}  // namespace almanac
