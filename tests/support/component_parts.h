// A component as tests describe it: a program that its build copies from its source, and a builtin
// to fall back on.
#pragma once

#include <string>
#include <string_view>

namespace almanac::test {

// The program alone. `settings` are lines of the component.
[[nodiscard]] inline std::string native_parts(std::string_view settings = "") {
  return R"([tool]
folder = "parts"
backoff = "10ms"
)" + std::string(settings) +
         R"(
[[tool.implementation]]
name = "native"
kind = "program"
artifact = "tool"
probe = ["./tool"]
build = ["sh", "-c", "cp source tool && chmod +x tool"]
clean = ["rm", "-f", "tool"]
allow = ["build", "clean_build"]
)";
}

// Both.
[[nodiscard]] inline std::string parts_with_builtin(std::string_view settings = "") {
  return native_parts(settings) + R"(
[[tool.implementation]]
name = "plain"
kind = "builtin"
)";
}

}  // namespace almanac::test
