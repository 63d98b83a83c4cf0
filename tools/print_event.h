// Events on standard output, one a line; on a terminal one that is wider is folded.
#pragma once

#include <almanac/log/event.h>
#include <almanac/tools/event_filter.h>
#include <almanac/tools/text.h>

#include <cstddef>

namespace almanac {

class EventPrinter {
 public:
  // Borrows the filter that chose the events.
  EventPrinter(const EventFilter& filter, bool json)
      : filter_(filter), json_(json), columns_(terminal_columns()) {}
  // False when nobody reads it any more.
  [[nodiscard]] bool print(const RecordedEvent& event);
  // At the end: when nothing was printed, what type may have been meant, on standard error.
  void hint() const;

 private:
  const EventFilter& filter_;
  bool json_;
  std::size_t columns_;  // of the terminal; 0 = it is none
  bool printed_ = false;
};

}  // namespace almanac
