#include <almanac/bench/daemon/daemon_process.h>

#include <fstream>
#include <sstream>

namespace almanac::bench {

namespace fs = std::filesystem;

namespace {

std::string almanac() {
  const fs::path program = fs::canonical("/proc/self/exe").parent_path() / "almanac";
  require(fs::exists(program), program.string() + " is missing");
  return program.string();
}

}  // namespace

std::vector<std::string> DaemonProcess::words(const fs::path& folder) {
  fs::create_directories(folder);
  const fs::path config = folder / "almanac.toml";
  std::ofstream(config) << "[engine]\ncommands = false\n[http]\nconnections_max = 4000\nlisten = "
                        << "\"127.0.0.1:" << daemon_http_port << "\"\n[faktory]\nlisten = "
                        << "\"127.0.0.1:" << daemon_wire_port << "\"\n";
  return {almanac(), "serve", "--dir", folder / "log", "--config", config.string()};
}

DaemonProcess::DaemonProcess(const fs::path& folder)
    : server_(words(folder), (folder / "output").string()) {
  ::close(connect_to(daemon_http_port));
  ::close(connect_to(daemon_wire_port));
  token_ = last_line("'" + almanac() + "' token create --name bench --dir '" +
                     (folder / "log").string() + "'");
  require(!token_.empty(), "there is no token");
}

double DaemonProcess::cpu_seconds() const {
  std::ifstream file("/proc/" + std::to_string(server_.process()) + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  constexpr int fields_before_times = 11;
  for (int i = 0; i < fields_before_times; ++i) fields >> skipped;
  double user = 0;
  double kernel = 0;
  fields >> user >> kernel;
  return (user + kernel) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double DaemonProcess::memory_mebibytes() const {
  std::ifstream file("/proc/" + std::to_string(server_.process()) + "/status");
  std::string word;
  while (file >> word) {
    if (word != "RssAnon:") continue;
    double kibibytes = 0;
    file >> kibibytes;
    return kibibytes / 1'024;
  }
  return 0;
}

}  // namespace almanac::bench
