#include <almanac/daemon/address_file.h>

#include <almanac/tools/running_daemon.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>

namespace almanac {
namespace {

// As an absolute path, since who reads it runs in another folder.
std::string path_of_socket(int socket) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.sun_family != AF_UNIX || address.sun_path[0] == '\0') return {};
  std::error_code error;
  const auto path = std::filesystem::absolute(address.sun_path, error);
  return error ? std::string() : path.string();
}

}  // namespace

Result<void> AddressFile::write(const std::filesystem::path& log_folder,
                                std::span<const HttpListener> listeners) {
  const auto file = daemon_address_file(log_folder);
  std::error_code nothing;
  std::filesystem::remove(file, nothing);
  for (const HttpListener& listener : listeners) {
    const std::string path = listener.is_local ? path_of_socket(listener.socket.get()) : "";
    if (path.empty() || path.find('\n') != path.npos) continue;
    file_ = file;
    auto part = file;
    part += ".new";
    std::ofstream(part) << path << "\n";
    if (std::rename(part.c_str(), file.c_str()) == 0) return {};
    return fail_errno(errno, "write " + file.string());
  }
  return {};
}

void AddressFile::remove() {
  if (file_.empty()) return;
  std::error_code nothing;
  std::filesystem::remove(file_, nothing);
  file_.clear();
}

}  // namespace almanac
