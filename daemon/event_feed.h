// The events of a log as they come, for streams: what was told last is kept as text, so that a
// thousand streams that are not behind cost one reading of the log.
#pragma once

#include <almanac/daemon/http_message.h>
#include <almanac/log/log.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

struct ToldEvent {
  Position position;
  std::string type;
  std::string stream;
  std::string text;  // as it is told: id, type, and what event_json() writes
};

// Which of them a stream is told. What is empty does not matter.
struct FeedFilter {
  std::vector<std::string> types;
  std::string stream;

  [[nodiscard]] bool matches(std::string_view type, std::string_view of_stream) const;
  bool operator==(const FeedFilter&) const = default;
};

// One thread: the loop of a server. Dies before the log.
class EventFeed {
 public:
  // `end` answers what is durable by now.
  EventFeed(const Log& log, std::function<Position()> end)
      : log_(log), end_(std::move(end)), last_(end_()) {}

  // The events from `from` on that match, as text/event-stream, some `bytes_max` of it; `from`
  // moves behind the last one that was looked at, of which one call takes some hundred. Errors:
  // those of Log::read, not_found (the next one was trimmed).
  [[nodiscard]] Result<std::string> read(Position& from, const FeedFilter& filter,
                                         std::size_t bytes_max);
  // Whether it may be there, so that reading on is worth it.
  [[nodiscard]] bool has(Position position) const { return position <= last_ || is_behind_; }

 private:
  [[nodiscard]] Result<void> catch_up();
  [[nodiscard]] Result<std::string> read_log(Position& from, const FeedFilter& filter,
                                             std::size_t bytes_max) const;

  const Log& log_;
  const std::function<Position()> end_;
  Position last_;               // of what was told, or behind what nobody has asked for
  std::deque<ToldEvent> told_;  // without gaps, up to last_
  std::size_t told_bytes_ = 0;
  bool is_behind_ = false;  // the last catch_up() has left some for the next
  // What was told last, for the next one who asks for the same: a thousand streams that are not
  // behind ask for nothing else.
  struct Piece {
    Position from;
    Position to;  // behind the last that was looked at
    std::size_t bytes_max = 0;
    FeedFilter filter;
    std::string text;
  };
  Piece piece_;
};

// One client's. Ends when the log cannot be read, and says why.
class EventStream final : public HttpStream {
 public:
  EventStream(EventFeed& feed, Position from, FeedFilter filter)
      : feed_(feed), next_(from), filter_(std::move(filter)) {}
  std::optional<std::string> next(std::size_t bytes_max) override;
  [[nodiscard]] std::string still_here() const override;
  [[nodiscard]] std::string ended_by(const HttpResponse& why) const override;

 private:
  EventFeed& feed_;
  Position next_;
  const FeedFilter filter_;
  bool ended_ = false;
};

}  // namespace almanac
