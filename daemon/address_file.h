// Where commands of a folder read on which socket its daemon answers (tools/running_daemon.h).
#pragma once

#include <almanac/daemon/http_listener.h>
#include <almanac/log/error.h>

#include <filesystem>
#include <span>

namespace almanac {

// Owns the file: it is gone when this is. Written by who holds the log.
class AddressFile {
 public:
  AddressFile() = default;
  ~AddressFile() { remove(); }
  AddressFile(const AddressFile&) = delete;
  AddressFile& operator=(const AddressFile&) = delete;

  // Says the path of the first Unix socket of these, whoever made it; nothing where there is none,
  // or where it has no path. Errors: io, refused, storage_full.
  [[nodiscard]] Result<void> write(const std::filesystem::path& log_folder,
                                   std::span<const HttpListener> listeners);
  void remove();

 private:
  std::filesystem::path file_;  // empty = not written
};

}  // namespace almanac
