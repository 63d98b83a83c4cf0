// Whether the engine of a request takes new work, as far as its disk goes.
#pragma once

#include <almanac/daemon/http_api.h>

namespace almanac {

// False from a refusal for lack of space on until a write succeeds, or the disk has so much room
// again (limits::disk_room_min) that one is worth a try: who is told of a full disk may send
// nothing that would show it. One call of the system while it is full; none otherwise. Any thread.
[[nodiscard]] bool has_room(const ApiCall& call);

}  // namespace almanac
