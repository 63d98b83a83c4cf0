#include <almanac/snapshots/whole_file.h>

#include <almanac/log/file.h>
#include <almanac/log/hash.h>
#include <almanac/snapshots/limits.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <functional>
#include <string>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

Result<void> write_all(const FileDescriptor& file, Bytes bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "write " + path.string());
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_synced(const FileDescriptor& file, std::span<const Bytes> pieces,
                          const fs::path& path) {
  for (const Bytes piece : pieces) {
    if (auto written = write_all(file, piece, path); !written) return written;
  }
  if (::fdatasync(file.get()) != 0) return fail_errno(errno, "sync " + path.string());
  return {};
}

using Write = std::function<Result<void>(const FileDescriptor& file, const fs::path& path)>;

Result<void> write_unfinished(const fs::path& path, const Write& write) {
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return fail_errno(errno, "create " + path.string());
  return write(file, path);
}

// What `write` puts and syncs into it, once that is whole.
Result<void> write_whole(const fs::path& file, const Write& write) {
  if (auto made = make_folder(file.parent_path()); !made) return made;
  auto unfinished = file;
  unfinished += unfinished_suffix;
  auto written = write_unfinished(unfinished, write);
  if (written) written = rename_synced(unfinished, file);
  if (!written) ::unlink(unfinished.c_str());
  return written;
}

struct Opened {
  FileDescriptor file;
  std::uint64_t bytes;
};

Result<Opened> open_regular(const fs::path& path) {
  // Nor does it wait for who writes to a pipe of that name.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid() && errno == ENOENT) {
    return fail(ErrorCode::not_found, "there is no " + path.string());
  }
  struct stat status{};
  if (!file.valid() && errno == ELOOP) {
    return fail(ErrorCode::corrupt, path.string() + " is a link");
  }
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    return fail_errno(errno, "open " + path.string());
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::corrupt, path.string() + " is no file",
                "name the file, or put it back where it should be");
  }
  return Opened{std::move(file), static_cast<std::uint64_t>(status.st_size)};
}

// As much as there is room for, unless the file ends; answers how much that is.
Result<std::size_t> read_some(const FileDescriptor& file, std::span<std::byte> to,
                              const fs::path& path) {
  std::size_t filled = 0;
  while (filled < to.size()) {
    const auto read = ::read(file.get(), to.data() + filled, to.size() - filled);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return fail_errno(errno, "read " + path.string());
    if (read == 0) break;
    filled += static_cast<std::size_t>(read);
  }
  return filled;
}

// As many bytes as the file had when it was opened. Answers their digest.
Result<Digest> copy_pieces(const Opened& from, const fs::path& from_path, const FileDescriptor& to,
                           const fs::path& to_path) {
  std::vector<std::byte> piece(limits::copy_piece_bytes);
  Hasher hasher;
  for (std::uint64_t left = from.bytes; left > 0;) {
    const auto wanted = std::min<std::uint64_t>(left, piece.size());
    auto read = read_some(from.file, std::span(piece).first(wanted), from_path);
    if (!read) return std::unexpected(read.error());
    if (*read == 0) break;
    const auto part = Bytes(piece).first(*read);
    hasher.bytes(part);
    if (auto written = write_all(to, part, to_path); !written) {
      return std::unexpected(written.error());
    }
    left -= part.size();
  }
  if (::fdatasync(to.get()) != 0) return fail_errno(errno, "sync " + to_path.string());
  return hasher.finish();
}

// 0, or why not.
int make_last_folder(const fs::path& folder) {
  return ::mkdir(folder.c_str(), 0700) == 0 ? 0 : errno;
}

}  // namespace

// From the top. What is there may be a link that leads nowhere: then there is no folder below it.
Result<void> make_folder(const fs::path& folder) {
  int failed = make_last_folder(folder);
  if (failed == ENOENT && folder.has_relative_path()) {
    if (auto made = make_folder(folder.parent_path()); !made) return made;
    failed = make_last_folder(folder);
  }
  if (failed == EEXIST) return {};
  if (failed != 0) return fail_errno(failed, "create the folder " + folder.string());
  return sync_folder(folder / "..");
}

Result<void> write_whole_file(const fs::path& file, std::span<const Bytes> pieces) {
  return write_whole(file, [&](const FileDescriptor& to, const fs::path& path) {
    return write_synced(to, pieces, path);
  });
}

Result<void> copy_whole_file(const fs::path& from, const fs::path& file, std::uint64_t bytes,
                             const Digest& digest) {
  auto opened = open_regular(from);
  if (!opened) return std::unexpected(opened.error());
  const auto is_another = [&] {
    return fail(ErrorCode::corrupt, from.string() + ": it is not the file that was written");
  };
  if (opened->bytes != bytes) return is_another();
  return write_whole(file, [&](const FileDescriptor& to, const fs::path& path) -> Result<void> {
    auto copied = copy_pieces(*opened, from, to, path);
    if (!copied) return std::unexpected(copied.error());
    return *copied == digest ? Result<void>() : is_another();
  });
}

Result<void> write_new_file(const fs::path& path, Bytes bytes, fs::perms mode) {
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode)));
  if (!file.valid() && errno == EEXIST) {
    return fail(ErrorCode::conflict, path.string() + " is there already",
                "nothing is replaced: choose another name");
  }
  if (!file.valid()) return fail_errno(errno, "create " + path.string());
  const std::array<Bytes, 1> pieces = {bytes};
  auto written = write_synced(file, pieces, path);
  if (written) written = sync_folder(fs::absolute(path).parent_path());
  if (!written) ::unlink(path.c_str());
  return written;
}

Result<void> remove_file(const fs::path& file) {
  if (::unlink(file.c_str()) == 0) return sync_folder(file.parent_path());
  if (errno == ENOENT) return {};
  return fail_errno(errno, "remove " + file.string());
}

void remove_unfinished(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == unfinished_suffix) unfinished.push_back(entry.path());
  }
  for (const auto& path : unfinished) fs::remove(path, ignored);
}

Result<std::vector<std::byte>> read_whole_file(const fs::path& path, std::uint64_t bytes_max) {
  auto opened = open_regular(path);
  if (!opened) return std::unexpected(opened.error());
  if (opened->bytes > bytes_max) {
    return fail(ErrorCode::corrupt, path.string() + " is larger than it can be");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(opened->bytes));
  auto filled = read_some(opened->file, bytes, path);
  if (!filled) return std::unexpected(filled.error());
  bytes.resize(*filled);
  return bytes;
}

Result<std::shared_ptr<const Bytes>> map_whole_file(const fs::path& path) {
  auto opened = open_regular(path);
  if (!opened) return std::unexpected(opened.error());
  const auto size = static_cast<std::size_t>(opened->bytes);
  if (size == 0) return std::make_shared<const Bytes>();
  // Who maps it checks all of it first: its pages come in one call instead of one by one.
  void* memory =
      ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, opened->file.get(), 0);
  if (memory == MAP_FAILED) return fail_errno(errno, "map " + path.string());
  auto* bytes = new Bytes(static_cast<const std::byte*>(memory), size);
  return std::shared_ptr<const Bytes>(bytes, [memory, size](const Bytes* mapped) {
    ::munmap(memory, size);
    delete mapped;
  });
}

std::optional<Position> position_named(std::string_view name) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (read.ec != std::errc() || number == 0 || std::to_string(number) != name) return std::nullopt;
  return Position(number);
}

Result<std::vector<Position>> list_positions(const fs::path& folder) {
  std::vector<Position> positions;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != end(entry);
       entry.increment(error)) {
    const auto position = position_named(entry->path().filename().string());
    if (position) positions.push_back(*position);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail_errno(error.value(), "list " + folder.string());
  }
  std::ranges::sort(positions, std::greater());
  return positions;
}

std::vector<Position> positions_in(const fs::path& folder) {
  return list_positions(folder).value_or(std::vector<Position>());
}

}  // namespace almanac
