#include <almanac/engine/diagnostics.h>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace almanac {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> shared = [] {
    auto made = spdlog::stderr_color_mt("almanac");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %^%l%$: %v");
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *shared;
}

}  // namespace

void set_verbosity(Verbosity verbosity) {
  switch (verbosity) {
    case Verbosity::quiet: return logger().set_level(spdlog::level::off);
    case Verbosity::warnings: return logger().set_level(spdlog::level::warn);
    case Verbosity::everything: return logger().set_level(spdlog::level::info);
  }
}

void note(std::string_view text) { logger().info(text); }
void warn(std::string_view text) { logger().warn(text); }

}  // namespace almanac
