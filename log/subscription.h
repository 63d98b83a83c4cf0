// Follows a log by position: catches up with what is there, then waits for what comes. It can
// neither skip nor repeat an event, because it keeps nothing but the position of the next one, and
// it takes them when it is ready for them: a slow one holds up nobody and pins nothing. Nor does it
// keep a log from being trimmed: what was removed before it came to it is an error.
#pragma once

#include <almanac/log/durable_mark.h>
#include <almanac/log/error.h>
#include <almanac/log/read.h>
#include <almanac/log/types.h>

#include <chrono>

namespace almanac {

class Reader;

// Made by Log::subscribe, which it must not outlive. One thread at a time. Works the same beside
// the writer and in another process.
class Subscription {
 public:
  Subscription(const Reader& reader, const DurableMark& mark, Position from)
      : reader_(&reader), mark_(&mark), next_(from) {}

  // Gives the events that are there to `visit`, in order, until it returns false; where there are
  // none, waits for the next at most so long. Answers whether it gave any. An event that `visit`
  // answered with an error is given again by the next call. Views live until `visit` returns.
  // Errors: not_found (the next event was trimmed), those of Log::read.
  [[nodiscard]] Result<bool> next(const EventVisit& visit, std::chrono::milliseconds wait_max);

  // Of the event that is given next: to go on from there another day. None as long as nothing was
  // given to one that began at the first event there is.
  [[nodiscard]] Position position() const { return next_; }

 private:
  const Reader* reader_;
  const DurableMark* mark_;
  Position next_;
};

}  // namespace almanac
