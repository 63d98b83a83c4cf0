// What is asked of many jobs at once: FLUSH, MUTATE, QUEUE. Each waits for a disk, so it is called
// beside the server's thread. Only tasks that came over the wire are touched (wire_tag).
#pragma once

#include <almanac/engine/engine.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

enum class WireSet : std::uint8_t { scheduled, retries, dead };
enum class WireChange : std::uint8_t { clear, kill, requeue, discard };

struct WireFilter {
  std::set<std::string> jids;  // not empty = these alone
  std::string glob;            // of the job's text; empty = any
  std::string jobtype;         // empty = any
  [[nodiscard]] bool is_empty() const { return jids.empty() && glob.empty() && jobtype.empty(); }
};

struct WireMutation {
  WireSet set = WireSet::scheduled;
  WireChange change = WireChange::clear;
  WireFilter filter;
};

// Errors: invalid, with the sentence that clients know.
[[nodiscard]] Result<WireMutation> parse_wire_mutation(std::string_view json);
// Changes what there is by now. Reads the log, of a filter. Errors: those of Engine::change.
[[nodiscard]] Result<void> mutate_wire_jobs(Engine& engine, const WireMutation& mutation);

// Ends and forgets all of them, whatever they do. Errors: as above.
[[nodiscard]] Result<void> flush_wire_jobs(Engine& engine);
// Those of a queue that wait to be fetched. Errors: as above.
[[nodiscard]] Result<void> remove_wire_queue(Engine& engine, std::string_view queue);

// The age of the oldest job of a queue that waits to be fetched. O(lanes).
[[nodiscard]] Duration wire_queue_latency(const State& state, std::string_view queue, Time now);

// As redis has it: * ? [a-z] [^x] and \ before one that means itself; of the whole text.
// O(text * glob).
[[nodiscard]] bool matches_glob(std::string_view glob, std::string_view text);

// A job of one of the sets that does not run; none where it is in none of them.
[[nodiscard]] std::optional<WireSet> wire_set_of(const State& state, TaskId id, const Task& task);

}  // namespace almanac
