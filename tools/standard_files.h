// Standard input, output and error of the command.
#pragma once

#include <almanac/tools/exit_code.h>

namespace almanac {

// A file that is opened where standard output should be would be written into.
void open_standard_files();

// What was printed must have arrived. A reader that went away, as `head` does, is no error.
[[nodiscard]] ExitCode finish_output(ExitCode code);

}  // namespace almanac
