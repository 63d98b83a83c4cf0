// What continuous archiving costs those who append meanwhile.
#pragma once

#include <almanac/bench/snapshots/cases.h>
#include <almanac/log/log.h>

#include <filesystem>

namespace almanac::bench {

// The log in `folder` is archived in a repository on the same disk, which is the worst place for
// it. The figures go to `measured`; that all was archived is checked.
void measure_archiving(Measured& measured, const Sizes& sizes, Log& log,
                       const std::filesystem::path& folder);

}  // namespace almanac::bench
