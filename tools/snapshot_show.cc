#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/snapshots/repository.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac {
namespace {

constexpr std::size_t segments_shown_max = 20;

void print_state(const Manifest& manifest) {
  const CheckpointRecord& checkpoint = manifest.checkpoint;
  fmt::print("state      {}\n", to_hex(manifest.state));
  fmt::print("           {} of {}", format_bytes(checkpoint.file.bytes),
             format_bytes(checkpoint.raw_bytes));
  if (manifest.base) {
    fmt::print(", against that of position {}, {}", manifest.base->position.value,
               format_bytes(manifest.base->file.bytes));
  }
  fmt::print("\n");
}

void print_segments(const Manifest& manifest) {
  Table table({"SEGMENT", "FROM", "FRAMES", "IN THE LOG", "SIZE"});
  const std::size_t left_out =
      manifest.segments.size() - std::min(manifest.segments.size(), segments_shown_max);
  for (std::size_t i = left_out; i < manifest.segments.size(); ++i) {
    const auto& [header, file] = manifest.segments[i];
    table.add({fmt::format("{}-{}", header.first.value, header.last.value),
               format_time(header.first_time), std::to_string(header.frames),
               format_bytes(header.frame_bytes), format_bytes(file.bytes)});
  }
  fmt::print("\n{}", table.text(terminal_columns()));
  if (left_out > 0) fmt::print("and {} in front of them; --json lists all\n", left_out);
}

void print(const Manifest& manifest, bool is_encrypted) {
  fmt::print("snapshot   {}, made at {}\n", manifest.number, format_time(manifest.made_at));
  if (!manifest.tag.empty()) fmt::print("tag        {}\n", manifest.tag);
  fmt::print("timeline   {}\n", to_hex(manifest.timeline));
  fmt::print("first      position {} at {}\n", manifest.first().value,
             format_time(manifest.segments.front().header.first_time));
  fmt::print("last       position {} at {}\n", manifest.tail.last.value,
             format_time(manifest.tail.time));
  fmt::print("chain      {}\n", to_hex(manifest.tail.digest));
  print_state(manifest);
  fmt::print("size       {} for {} of frames\n", format_bytes(manifest.bytes()),
             format_bytes(manifest.frame_bytes()));
  fmt::print("encrypted  {}\n", is_encrypted ? "yes" : "no");
  fmt::print("signed     {}\n", manifest.signer ? "by " + to_hex(manifest.signer->bytes) : "no");
  print_segments(manifest);
}

// Its text, and what is not in that.
void print_json(const Manifest& manifest, bool is_encrypted) {
  auto json = nlohmann::ordered_json::parse(encode(manifest));
  json["encrypted"] = is_encrypted;
  if (manifest.signer) json["signed_by"] = to_hex(manifest.signer->bytes);
  fmt::print("{}\n", json.dump());
}

Result<std::uint64_t> newest(const Repository& repository) {
  const auto numbers = repository.numbers();
  if (!numbers.empty()) return numbers.front();
  return fail(ErrorCode::not_found, "there are no snapshots yet",
              "`almanac snapshot create` makes one");
}

}  // namespace

ExitCode snapshot_show(const SnapshotShowCommand& command) {
  auto repository = open_repository(command.repository, Access::read);
  if (!repository) return report(repository.error());
  auto number = command.number > 0 ? Result<std::uint64_t>(command.number) : newest(*repository);
  if (!number) return report(number.error());
  auto manifest = repository->manifest(*number);
  if (!manifest && manifest.error().code == ErrorCode::not_found) {
    return report({ErrorCode::not_found, fmt::format("there is no snapshot {}", *number),
                   "`almanac snapshot list` shows what there is"});
  }
  if (!manifest) return report(manifest.error());
  if (command.json) {
    print_json(*manifest, repository->is_encrypted());
  } else {
    print(*manifest, repository->is_encrypted());
  }
  return ExitCode::ok;
}

}  // namespace almanac
