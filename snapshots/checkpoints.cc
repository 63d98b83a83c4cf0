#include <almanac/snapshots/checkpoints.h>

#include <almanac/snapshots/shared_checkpoint.h>
#include <almanac/snapshots/whole_file.h>

#include <optional>
#include <string>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> of_another(const std::string& what) {
  return fail(ErrorCode::refused, "it is of " + what, "remove it; it is not needed");
}

Result<void> check(const CheckpointHeader& header, const Log& log, Position position) {
  if (header.timeline != log.timeline()) return of_another("another log");
  if (header.position != position) return of_another("another position");
  auto chain = chain_at(log, position);
  if (!chain && chain.error().code == ErrorCode::not_found) {
    return of_another("a position that the log does not have");
  }
  if (!chain) return std::unexpected(chain.error());
  if (*chain != header.chain) return of_another("another past of this log");
  return {};
}

std::unexpected<Error> about_file(const fs::path& file, Error error) {
  error.message = file.string() + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace

Result<std::uint64_t> keep_checkpoint(const Log& log, const fs::path& folder, const State& state) {
  auto chain = chain_at(log, state.position);
  if (!chain) return std::unexpected(chain.error());
  std::optional<fs::path> base;
  for (const Position position : checkpoints_of(folder)) {
    if (position > state.position) continue;
    base = checkpoint_file(folder, position);
    break;
  }
  return write_shared_checkpoint(checkpoint_file(folder, state.position),
                                 {log.timeline(), state.position, *chain, digest(state)}, state,
                                 base);
}

fs::path checkpoints_folder(const fs::path& folder) { return folder / "checkpoints"; }

fs::path checkpoint_file(const fs::path& folder, Position position) {
  return checkpoints_folder(folder) / std::to_string(position.value);
}

std::vector<Position> checkpoints_of(const fs::path& folder) {
  return positions_in(checkpoints_folder(folder));
}

Result<State> load_checkpoint(const Log& log, const fs::path& folder, Position position,
                              Loading loading) {
  const auto file = checkpoint_file(folder, position);
  auto read = read_checkpoint(
      file, [&](const CheckpointHeader& header) { return check(header, log, position); }, loading);
  if (!read) return about_file(file, read.error());
  return std::move(read->state);
}

NewestCheckpoint newest_checkpoint(const Log& log, const fs::path& folder, Position through,
                                   Loading loading) {
  NewestCheckpoint newest;
  for (Position position : checkpoints_of(folder)) {
    if (position > through) continue;
    auto state = load_checkpoint(log, folder, position, loading);
    if (state) {
      newest.state = std::move(*state);
      return newest;
    }
    // One that is gone was removed meanwhile, by who thins them out.
    if (state.error().code != ErrorCode::not_found) newest.refused.push_back(state.error());
  }
  return newest;
}

}  // namespace almanac
