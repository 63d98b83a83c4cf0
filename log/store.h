// Frames in an LMDB environment: the only door to LMDB. One named database holds them, key = first
// position (8-byte integer), value = the frame, a multiple of 8 bytes, so that it is read in place;
// another holds the format and the timeline.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace almanac {

enum class Access : std::uint8_t { read, write };

// Owned by one Log. Any thread may read; one thread at a time may write. A process may have one
// store of a folder open (LMDB's rule).
class Store {
 public:
  struct Frame {
    Position first;
    Bytes value;
  };

  // Makes an empty store with a fresh timeline in `folder`, which must not exist: it appears there
  // whole or not at all, also after a power loss. Errors: refused, io, storage_full.
  [[nodiscard]] static Result<void> create(const std::filesystem::path& folder);
  // Errors: not_found, corrupt, newer_format, conflict (this process has it open), refused, io.
  // `registered` is false where LMDB's table of readers cannot be written; see Log::open.
  struct OpenOptions {
    Access access = Access::write;
    std::size_t map_bytes = 0;
    bool registered = true;
  };
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::filesystem::path& folder,
                                                           const OpenOptions& options);
  // Whether there is a store in `folder`, whole or damaged. Errors: refused, io.
  [[nodiscard]] static Result<bool> exists(const std::filesystem::path& folder);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] const Timeline& timeline() const;
  // The key of the last frame, none when there is no frame yet.
  [[nodiscard]] Result<Position> last_key() const;

  // Gives the last frame that does not begin behind `from` (else the first), and those behind it,
  // to `visit` until it returns false, in slices (limits.h) so that no read transaction is held for
  // long. A frame's bytes live until `visit` returns. Position 0 gives no call.
  using Visit = std::function<Result<bool>(Frame)>;
  [[nodiscard]] Result<void> read(Position from, const Visit& visit) const;

  // Appends frames in ascending order in one transaction, durable when it returns.
  // Errors: storage_full (nothing was changed), unknown_outcome.
  [[nodiscard]] Result<void> append(std::span<const Frame> frames);

 private:
  struct Environment;
  explicit Store(std::unique_ptr<Environment> environment);
  std::unique_ptr<Environment> environment_;
};

}  // namespace almanac
