#include <almanac/tools/context_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>

#include <almanac/snapshots/user_key_file.h>

#include <fmt/core.h>

namespace almanac {
namespace {

std::string keys_text(std::size_t count) {
  return fmt::format("{} {}", count, count == 1 ? "key" : "keys");
}

}  // namespace

ExitCode context_export_keys(const ContextKeysCommand& command) {
  const auto written = export_user_keys(command.folder, command.file);
  if (!written) return report(written.error());
  fmt::print("{} written, {} destroyed on record\n", keys_text(written->keys), written->destroyed);
  return ExitCode::ok;
}

Result<std::string> bring_user_keys(const std::filesystem::path& file,
                                    const std::filesystem::path& folder, const State& state) {
  const auto brought = import_user_keys(file, folder, state.contexts.destroyed);
  if (!brought) return std::unexpected(brought.error());
  if (brought->keys == 0 && brought->refused > 0) {
    return fail(
        ErrorCode::refused,
        fmt::format("{} not brought: what was destroyed stays so", keys_text(brought->refused)),
        "nobody can read any more what was known of these users");
  }
  std::string text = fmt::format("{} brought", keys_text(brought->keys));
  if (brought->refused > 0) text += fmt::format(", {} refused: destroyed", brought->refused);
  return text;
}

ExitCode context_import_keys(const ContextKeysCommand& command) {
  const auto state = read_state(command.folder);
  if (!state) return report(state.error());
  const auto brought = bring_user_keys(command.file, command.folder, *state);
  if (!brought) return report(brought.error());
  fmt::print("{}\n", *brought);
  return ExitCode::ok;
}

}  // namespace almanac
