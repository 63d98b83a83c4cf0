// Events on standard output, one a line.
#pragma once

#include <almanac/log/event.h>
#include <almanac/tools/event_filter.h>

namespace almanac {

class EventPrinter {
 public:
  // Borrows the filter that chose the events.
  EventPrinter(const EventFilter& filter, bool json) : filter_(filter), json_(json) {}
  // False when nobody reads it any more.
  [[nodiscard]] bool print(const RecordedEvent& event);
  // At the end: when nothing was printed, what type may have been meant, on standard error.
  void hint() const;

 private:
  const EventFilter& filter_;
  bool json_;
  bool printed_ = false;
};

}  // namespace almanac
