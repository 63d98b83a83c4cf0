#include <almanac/daemon/answer_cache.h>

#include <almanac/daemon/limits.h>

#include <utility>

namespace almanac {
namespace {

// Lengths stand in front, so that no two requests have the same key.
std::string key_of_request(const HttpRequest& request) {
  if (request.query.empty()) return request.path;
  std::string key = request.path;
  for (const auto& [name, value] : request.query) {
    key += '\0' + std::to_string(name.size()) + ':' + name + std::to_string(value.size()) + ':' +
           value;
  }
  return key;
}

}  // namespace

void AnswerCache::move_to(Position position) {
  if (position == position_) return;
  answers_.clear();
  bytes_ = 0;
  position_ = position;
}

std::optional<HttpResponse> AnswerCache::find(const HttpRequest& request, Position position) {
  const std::lock_guard guard(mutex_);
  move_to(position);
  if (answers_.empty()) return std::nullopt;
  const auto found = answers_.find(key_of_request(request));
  if (found == answers_.end()) return std::nullopt;
  if (std::chrono::steady_clock::now() < found->second.ends) return found->second.response;
  bytes_ -= found->second.response.body.size();
  answers_.erase(found);
  return std::nullopt;
}

void AnswerCache::keep(const HttpRequest& request, Position position,
                       std::chrono::milliseconds holds, const HttpResponse& response) {
  const bool is_kept = holds.count() > 0 && request.method == "GET" && response.status == 200 &&
                       response.stream == nullptr && !response.lost && !response.closes &&
                       response.body.size() <= limits::answer_bytes_max;
  if (!is_kept) return;
  const std::lock_guard guard(mutex_);
  // An answer of a reader may be older than those that were given meanwhile.
  if (position < position_) return;
  move_to(position);
  const bool is_full = answers_.size() >= limits::answers_kept ||
                       bytes_ + response.body.size() > limits::answer_bytes_kept;
  if (is_full) {
    answers_.clear();
    bytes_ = 0;
  }
  const auto ends = std::chrono::steady_clock::now() + holds;
  auto [entry, is_new] = answers_.try_emplace(key_of_request(request), Answer{response, ends});
  if (is_new) {
    bytes_ += response.body.size();
    return;
  }
  bytes_ += response.body.size() - entry->second.response.body.size();
  entry->second = {response, ends};
}

}  // namespace almanac
