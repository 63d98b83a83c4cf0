#include <almanac/daemon/event_feed.h>

#include <almanac/daemon/limits.h>
#include <almanac/tools/event_json.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {
namespace {

// Looked at and made text of in one reading: the loop has others to serve.
constexpr std::size_t feed_looks_max = 500;
constexpr std::size_t feed_bytes_max = 1 * limits::mebibyte;

std::string_view told_type(const Event& event) {
  const auto* custom = std::get_if<CustomEvent>(&event.body);
  return custom == nullptr ? type_name(event.body) : std::string_view(custom->type);
}

std::string told_text(const RecordedEvent& recorded) {
  // A type is a name of whoever appends custom events: it must not end its line.
  std::string type(told_type(recorded.event));
  std::ranges::replace_if(type, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", recorded.position.value, type,
                     event_json(recorded));
}

// The text of a large event costs far more than to see that nobody asks for it.
ToldEvent told_event(const RecordedEvent& recorded) {
  return {.position = recorded.position,
          .type = std::string(told_type(recorded.event)),
          .stream = std::string(recorded.event.stream),
          .text = told_text(recorded)};
}

}  // namespace

bool FeedFilter::matches(std::string_view type, std::string_view of_stream) const {
  if (!stream.empty() && of_stream != stream) return false;
  return types.empty() || std::ranges::find(types, type) != types.end();
}

Result<void> EventFeed::catch_up() {
  const Position end = end_();
  is_behind_ = false;
  if (end <= last_) return {};
  if (end.value - last_.value > limits::told_events_max) {  // nobody has listened for a while
    told_.clear();
    told_bytes_ = 0;
    last_ = Position(end.value - limits::told_events_max);
  }
  std::size_t looks = 0;
  std::size_t bytes = 0;
  return log_.read(last_.next(), [&](const RecordedEvent& recorded) -> Result<bool> {
    // What came between was trimmed before it was told: positions in `told_` follow each other.
    if (recorded.position != last_.next()) {
      told_.clear();
      told_bytes_ = 0;
    }
    told_.push_back(told_event(recorded));
    told_bytes_ += told_.back().text.size();
    bytes += told_.back().text.size();
    last_ = recorded.position;
    while (told_.size() > limits::told_events_max ||
           (told_bytes_ > limits::told_bytes_max && told_.size() > 1)) {
      told_bytes_ -= told_.front().text.size();
      told_.pop_front();
    }
    const bool goes_on = ++looks < feed_looks_max && bytes < feed_bytes_max;
    is_behind_ = !goes_on && last_ < end;
    return goes_on;
  });
}

Result<std::string> EventFeed::read_log(Position& from, const FeedFilter& filter,
                                        std::size_t bytes_max) const {
  std::string text;
  std::size_t looks = 0;
  auto read = log_.read(from, [&](const RecordedEvent& recorded) -> Result<bool> {
    if (recorded.position != from) {
      return fail(ErrorCode::not_found, "the next event was trimmed",
                  "ask again, from a position that is there");
    }
    if (filter.matches(told_type(recorded.event), recorded.event.stream)) {
      text += told_text(recorded);
    }
    from = recorded.position.next();
    return text.size() < bytes_max && ++looks < feed_looks_max;
  });
  if (!read) return std::unexpected(read.error());
  return text;
}

Result<std::string> EventFeed::read(Position& from, const FeedFilter& filter,
                                    std::size_t bytes_max) {
  if (auto caught_up = catch_up(); !caught_up) return std::unexpected(caught_up.error());
  const bool is_told = !told_.empty() && from >= told_.front().position;
  if (from <= last_ && !is_told) return read_log(from, filter, bytes_max);
  if (from > last_) return std::string();
  const bool is_same = piece_.from == from && piece_.to == last_.next() &&
                       piece_.bytes_max == bytes_max && piece_.filter == filter;
  if (!is_same) {
    piece_ = {.from = from, .to = from, .bytes_max = bytes_max, .filter = filter, .text = {}};
    for (; piece_.to <= last_ && piece_.text.size() < bytes_max; piece_.to = piece_.to.next()) {
      const ToldEvent& event =
          told_[static_cast<std::size_t>(piece_.to.value - told_.front().position.value)];
      if (filter.matches(event.type, event.stream)) piece_.text += event.text;
    }
  }
  from = piece_.to;
  return piece_.text;
}

std::optional<std::string> EventStream::next(std::size_t bytes_max) {
  if (ended_) return std::nullopt;
  auto text = feed_.read(next_, filter_, bytes_max);
  if (!text) {
    ended_ = true;
    return ended_by(problem(text.error()));
  }
  // What was looked at does not match, or was not all: there may be more behind it.
  if (text->empty() && feed_.has(next_)) return still_here();
  return std::move(*text);
}

std::string EventStream::still_here() const {
  return fmt::format(": still here, before {}\n\n", next_.value);
}

std::string EventStream::ended_by(const HttpResponse& why) const {
  return fmt::format("event: error\ndata: {}\n\n", why.body);
}

}  // namespace almanac
