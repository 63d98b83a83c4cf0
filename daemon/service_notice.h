// What a service manager is told of how the daemon stands (sd_notify's protocol: lines to the
// socket that NOTIFY_SOCKET names). Without a manager it is nothing.
#pragma once

#include <string_view>

namespace almanac {

// "READY=1", "STOPPING=1" … Errors are nobody's business: a daemon runs without a manager too.
void tell_service_manager(std::string_view lines);
// RELOADING=1 with the time that goes with it; READY=1 ends it.
void tell_reloading();

}  // namespace almanac
