// What is wrong with a line that was typed, in words that do not change with CLI11's version.
#pragma once

#include <almanac/log/error.h>

#include <span>
#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace almanac {

// "almanac log cat"
[[nodiscard]] std::string path_of(const CLI::App& app);

// `app` has no command `word`; the next step is one that may have been meant.
[[nodiscard]] Error unknown_command(const CLI::App& app, const std::string& word);

// `root` has failed to read `typed` with `error`. The innermost command is asked first.
[[nodiscard]] Error usage_error(const CLI::App& root, const CLI::ParseError& error,
                                std::span<char* const> typed);

}  // namespace almanac
