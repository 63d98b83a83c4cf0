// What the engine says about itself to the person who runs it: one line each, on standard error
// unless the program around it sets another spdlog default logger. Never any task's payload.
#pragma once

#include <string_view>

namespace almanac {

enum class Verbosity : unsigned char { quiet, warnings, everything };

// Of the whole process; the default is warnings.
void set_verbosity(Verbosity verbosity);
void note(std::string_view text);
void warn(std::string_view text);

}  // namespace almanac
