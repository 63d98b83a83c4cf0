// A sign of life of who archives a log second by second (archive_follower.h), for whoever watches a
// log in which nothing happens: a file of the repository, empty, whose time of change says when the
// repository was last found in its place and the log archived as it should be. It is neither
// synced nor sealed, and nothing but what is shown depends on it. Any thread.
#pragma once

#include <almanac/snapshots/repository.h>

#include <optional>

namespace almanac {

// Makes the file, where there is none. Errors: storage_full, refused, io.
[[nodiscard]] Result<void> begin_beats(const Repository& repository, const Timeline& timeline);
// Makes nothing: what is no repository any more is left alone. Errors: not_found, refused, io.
[[nodiscard]] Result<void> beat(const Repository& repository, const Timeline& timeline, Time now);
// None where nobody has ever followed the log.
[[nodiscard]] std::optional<Time> last_beat(const Repository& repository, const Timeline& timeline);

}  // namespace almanac
