#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/text.h>

#include <almanac/snapshots/key_file.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

ExitCode create_encryption(const SnapshotCreateKeyCommand& command) {
  auto made = create_encryption_key(command.encryption);
  if (!made) return report(made.error());
  if (command.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"encryption_key", command.encryption}}.dump());
    return ExitCode::ok;
  }
  fmt::print("encryption key  {}\n", printable(command.encryption));
  fmt::print("Keep a copy in another place: without it nothing can be read.\n");
  return ExitCode::ok;
}

ExitCode create_signing(const SnapshotCreateKeyCommand& command) {
  auto made = create_signing_key(command.signing);
  if (!made) return report(made.error());
  const std::string file = command.signing + ".pub";
  if (command.json) {
    const nlohmann::ordered_json json{{"signing_key", command.signing},
                                      {"public_key_file", file},
                                      {"public_key", to_hex(made->bytes)}};
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print("signing key  {}\n", printable(command.signing));
  fmt::print("public key   {}, {}\n", printable(file), to_hex(made->bytes));
  return ExitCode::ok;
}

}  // namespace

ExitCode snapshot_create_key(const SnapshotCreateKeyCommand& command) {
  if (!command.encryption.empty()) return create_encryption(command);
  if (!command.signing.empty()) return create_signing(command);
  return report({ErrorCode::invalid, "it is not said what the key is for",
                 "add --encryption FILE or --signing FILE"});
}

}  // namespace almanac
