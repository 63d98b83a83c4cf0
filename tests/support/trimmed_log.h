// A log without its front, as a trim leaves it behind.
#pragma once

#include <almanac/log/event.h>

#include <filesystem>
#include <vector>

namespace almanac::test {

// Of these events those behind `removed`, in frames of one. Stops the test program when it fails.
void write_trimmed(const std::filesystem::path& folder, const std::vector<Event>& events,
                   Position removed);

}  // namespace almanac::test
