// A log that is being written, followed as it grows. The waiting is here and nowhere else.
#pragma once

#include <almanac/log/log.h>
#include <almanac/tools/interrupt.h>

namespace almanac {

// Gives every event from `from` on to `visit`, those that are there and then each that comes, also
// from a writer in another process, until `visit` answers false, the user interrupts, or nobody
// reads standard output, which is flushed whenever there is nothing more to give. Errors: those of
// Log::read, and what `visit` returns.
[[nodiscard]] Result<void> follow_log(const Log& log, Position from, Interrupt& interrupt,
                                      const Log::Visit& visit);

}  // namespace almanac
