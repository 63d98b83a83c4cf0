#include <almanac/tools/print_event.h>

#include <almanac/tools/event_json.h>
#include <almanac/tools/event_text.h>

#include <cstdio>

namespace almanac {

bool EventPrinter::print(const RecordedEvent& event) {
  printed_ = true;
  auto line = json_ ? event_json(event) : event_line(event, columns_);
  return std::puts(line.c_str()) >= 0;
}

void EventPrinter::hint() const {
  auto hint = printed_ ? std::string() : type_hint(filter_);
  if (!hint.empty()) std::fprintf(stderr, "almanac: %s\n", hint.c_str());
}

}  // namespace almanac
