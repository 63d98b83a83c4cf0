#include <almanac/tools/machine_json.h>

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <system_error>
#include <thread>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json limit_json(decltype(RLIMIT_NOFILE) which) {
  rlimit limit{};
  if (::getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return nullptr;
  return limit.rlim_cur;
}

}  // namespace

ordered_json machine_json(const std::filesystem::path& folder) {
  ordered_json json;
  utsname system{};
  if (::uname(&system) == 0) {
    json["system"] = system.sysname;
    json["release"] = system.release;
    json["architecture"] = system.machine;
  }
  json["processors"] = std::thread::hardware_concurrency();
  const auto page = ::sysconf(_SC_PAGESIZE);
  json["page_bytes"] = page;
  json["memory_bytes"] = page * ::sysconf(_SC_PHYS_PAGES);
  std::error_code error;
  const auto disk = std::filesystem::space(folder, error);
  if (!error) json["disk"] = {{"bytes", disk.capacity}, {"available_bytes", disk.available}};
  json["limits"] = {{"open_files", limit_json(RLIMIT_NOFILE)},
                    {"processes", limit_json(RLIMIT_NPROC)},
                    {"file_bytes", limit_json(RLIMIT_FSIZE)},
                    {"address_space_bytes", limit_json(RLIMIT_AS)}};
  return json;
}

}  // namespace almanac
