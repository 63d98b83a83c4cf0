// The daemon of a folder, as the commands of that folder find it: by a socket that it answers on,
// and by what it says of itself. A blocking client, one connection for each request.
#pragma once

#include <almanac/log/error.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

struct CommandRequest;

// Where a daemon says on which Unix socket it answers, as one line; it removes it when it stops.
// What one that was killed has left behind is no harm: nobody answers there.
[[nodiscard]] std::filesystem::path daemon_address_file(const std::filesystem::path& folder);
// Where it answers unless it is told otherwise.
[[nodiscard]] std::filesystem::path daemon_socket_default(const std::filesystem::path& folder);
// By which a daemon and those who look for it know that they mean the same.
[[nodiscard]] std::string daemon_folder_name(const std::filesystem::path& folder);

// An error, unknown_outcome, of an answer that has not what it should have: something else may
// listen there, or another version of this.
[[nodiscard]] std::unexpected<Error> answer_without_sense();

// A value.
class RunningDaemon {
 public:
  // None = nobody answers, or somebody of another folder.
  [[nodiscard]] static std::optional<RunningDaemon> find(const std::filesystem::path& folder);

  // What a success has answered, null when that is nothing. Errors: those it answers with, with
  // their code, sentence and next step; stopped (it went before it had the request, of which
  // nothing was done); unknown_outcome (it has not answered whole within that time, or without
  // sense).
  [[nodiscard]] Result<nlohmann::ordered_json> ask(
      const CommandRequest& request,
      std::chrono::seconds answer_time_max = std::chrono::minutes(10)) const;
  [[nodiscard]] const std::string& socket_path() const { return path_; }

 private:
  explicit RunningDaemon(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace almanac
