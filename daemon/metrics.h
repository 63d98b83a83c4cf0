// Figures in the text format of Prometheus, version 0.0.4.
#pragma once

#include <almanac/daemon/http_route.h>

#include <string>

namespace almanac {

// Of the state that is asked about, the daemon and its process. O(queues, circuits and devices).
[[nodiscard]] std::string metrics_text(const ApiCall& call);

}  // namespace almanac
