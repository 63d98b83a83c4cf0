// What can be typed to look at the state, now or in the past.
#include <almanac/tools/past_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_at(OptionSet& options, std::string& at) { options.text("--at", at, at_help); }

void add_queues(CommandGroup& root) {
  auto [options, command] =
      root.add<QueuesCommand>({"queues", "Show the queues, their slots and their tasks",
                               "almanac queues --at \"2 hours ago\""},
                              queues);
  add_at(options, command.at);
}

}  // namespace

void add_past_commands(CommandGroup& root) { add_queues(root); }

void add_state_commands(CommandGroup& state) {
  auto [digest_options, digest] = state.add<StateDigestCommand>(
      {"digest", "Print the digest of the state", "almanac state digest --dir work --at 1200"},
      state_digest);
  add_at(digest_options, digest.at);
  auto [verify_options, verify] = state.add<StateVerifyCommand>(
      {"verify", "Check what must hold between the parts of the state",
       "almanac state verify --at 2026-11-21T03:00:00Z\n"
       "  Ends with exit code 6 and a sentence for each promise that is broken."},
      state_verify);
  add_at(verify_options, verify.at);
}

}  // namespace almanac
