// BATCH: jobs that belong together, and what is pushed when all of them have ended. A batch is a
// group of the engine, its callbacks are tasks that come after it. These wait for a disk, so they
// are called beside the server's thread.
#pragma once

#include <almanac/engine/engine.h>

#include <string>
#include <string_view>

namespace almanac {

// What tasks carry that are callbacks: this tag, and the one of their batch.
inline constexpr std::string_view wire_callback_tag = "faktory-callback";

// What the numbers of batches begin with, which are the names of their groups.
inline constexpr std::string_view wire_batch_prefix = "faktory-b-";

// The answers of BATCH's subcommands, ready to be sent. `argument` is all behind BATCH.
[[nodiscard]] std::string perform_wire_batch(Engine& engine, std::string_view argument);

}  // namespace almanac
