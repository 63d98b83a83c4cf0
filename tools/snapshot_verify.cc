#include <almanac/tools/archive_watch.h>
#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/snapshot_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/archive_verify.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

namespace almanac {
namespace {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  fill_random(std::as_writable_bytes(std::span(&seed, 1)));
  return seed;
}

void print(const ArchiveVerification& verification) {
  for (const CheckedSnapshot& snapshot : verification.snapshots) {
    fmt::print("snapshot {}: {}\n", snapshot.number, snapshot.whole() ? "whole" : "damaged");
    for (const Error& error : snapshot.damage) fmt::print("  {}\n", printable(error.message));
  }
  for (const CheckedTail& tail : verification.tails) {
    fmt::print("tail of log {}: {}\n", to_hex(tail.timeline), tail.whole() ? "whole" : "damaged");
    for (const Error& error : tail.damage) fmt::print("  {}\n", printable(error.message));
  }
  fmt::print("read {}, {}, with {}\n", counted(verification.files, "file"),
             format_bytes(verification.bytes), counted(verification.frames, "frame"));
}

void print_json(const ArchiveVerification& verification) {
  for (const auto& snapshot : verification.snapshots) {
    fmt::print("{}\n", checked_json(snapshot).dump());
  }
  for (const auto& tail : verification.tails) fmt::print("{}\n", checked_json(tail).dump());
  const auto all = verification_json(verification);
  fmt::print("{}\n", nlohmann::ordered_json{{"read", all["read"]}}.dump());
}

}  // namespace

ExitCode snapshot_verify(const SnapshotVerifyCommand& command) {
  ArchiveWatch watch;
  auto repository = open_repository(command.repository, Access::read);
  if (!repository) return report(repository.error());
  ArchiveVerifyOptions options{
      .percent = command.sample,
      .seed = random_seed(),
      .progress =
          [&](std::uint64_t read, std::uint64_t all) {
            watch.progress(fmt::format("{} of {} read", format_bytes(read), format_bytes(all)),
                           static_cast<double>(read) / static_cast<double>(std::max(all, read)),
                           read);
          },
      .stop = watch.stop()};
  if (command.number > 0) options.number = command.number;
  auto verified = verify_archive(*repository, options);
  watch.clear();
  if (!verified) return report(verified.error());
  command.json ? print_json(*verified) : print(*verified);
  if (verified->whole()) return ExitCode::ok;
  const auto damaged =
      std::ranges::count_if(verified->snapshots, [](const auto& each) { return !each.whole(); });
  return report({ErrorCode::corrupt,
                 damaged == 0 ? std::string("a tail is damaged")
                              : fmt::format("{} of {} damaged", damaged,
                                            counted(verified->snapshots.size(), "snapshot")),
                 damaged == 0 ? "`almanac snapshot create` archives what is in it anew"
                              : "`almanac snapshot create --full` archives the log anew"});
}

}  // namespace almanac
