// Answers that are asked for again before anything has changed: as they were given.
#pragma once

#include <almanac/daemon/http_message.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace almanac {

// Of one position of the log at a time: what was kept of another is gone. Any thread may call.
// Knows nothing of who may ask: that has been decided before.
class AnswerCache {
 public:
  // What was kept for the same path and query at this position, while it holds.
  [[nodiscard]] std::optional<HttpResponse> find(const HttpRequest& request, Position position);
  // Keeps a success that has a body and no stream, for so long; nothing for no time, or too large.
  void keep(const HttpRequest& request, Position position, std::chrono::milliseconds holds,
            const HttpResponse& response);

 private:
  struct Answer {
    HttpResponse response;
    std::chrono::steady_clock::time_point ends;
  };
  void move_to(Position position);

  std::mutex mutex_;
  Position position_;                                // guarded by mutex_, as are these
  std::unordered_map<std::string, Answer> answers_;  // by path and query
  std::size_t bytes_ = 0;
};

}  // namespace almanac
