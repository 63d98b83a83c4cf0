// The subcommands that look at the state, now or in the past, one file each, in the manner of
// commands.h.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace almanac {

struct QueuesCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = the end
  bool json = false;
};
ExitCode queues(const QueuesCommand& command);

struct RecommendCommand {
  std::filesystem::path folder;
  std::string queue;
  std::string owner;
  std::uint64_t limit = 10;
  std::string at;  // position or time; empty = now
  bool json = false;
};
ExitCode recommend(const RecommendCommand& command);

struct StatsCommand {
  std::filesystem::path folder;
  std::string by = "queue";  // or kind, owner
  std::string since;         // position or time; empty = the beginning
  std::string at;            // and to there; empty = the end
  bool json = false;
};
ExitCode stats(const StatsCommand& command);

// Sets a limit, or lifts one, or lists them.
struct LimitsCommand {
  std::filesystem::path folder;
  std::string at;
  std::string set;   // a name
  std::string lift;  // a name
  std::uint64_t units = 0;
  std::uint64_t per_minute = 0;
  std::uint64_t burst = 0;  // 0 = 1, where there is a rate
  bool json = false;
};
ExitCode resource_limits(const LimitsCommand& command);

struct BackupsCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = the end
  bool json = false;
};
ExitCode backups(const BackupsCommand& command);

struct BisectCommand {
  std::filesystem::path folder;
  std::string when;  // see query.h
  std::string from;  // positions or times; empty = the beginning, the end
  std::string to;
  bool json = false;
};
// Ends with refused when it holds at the beginning, with not_found when it does not at the end.
ExitCode bisect(const BisectCommand& command);

struct HistoryCommand {
  std::filesystem::path folder;
  std::uint64_t id = 0;
  std::string at;
  bool json = false;
};
ExitCode history(const HistoryCommand& command);

struct DiffCommand {
  std::filesystem::path folder;
  std::string before;  // positions or times
  std::string after;
  bool json = false;
};
ExitCode diff_states(const DiffCommand& command);

struct ReplayCommand {
  std::filesystem::path folder;
  std::string from;  // positions or times; empty = the first there is a state of, the end
  std::string to;
  std::uint64_t speed = 0;  // times the recorded pace; 0 = as fast as it goes
  bool step = false;        // by keys, on a terminal
  bool json = false;
};
ExitCode replay(const ReplayCommand& command);

struct ForkCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = the end
  std::string to;  // folder
  std::string running = "cancel";
  bool json = false;
};
ExitCode fork(const ForkCommand& command);

struct WhyCommand {
  std::filesystem::path folder;
  std::uint64_t id = 0;
  std::string at;
  bool tree = false;
  std::uint64_t depth = 8;  // of the tree, in tasks
  bool json = false;
};
ExitCode why(const WhyCommand& command);

struct StateDigestCommand {
  std::filesystem::path folder;
  std::string at;
  bool json = false;
};
ExitCode state_digest(const StateDigestCommand& command);

struct StateVerifyCommand {
  std::filesystem::path folder;
  std::string at;
  bool json = false;
};
// Ends with corrupt when the state breaks a promise.
ExitCode state_verify(const StateVerifyCommand& command);

}  // namespace almanac
