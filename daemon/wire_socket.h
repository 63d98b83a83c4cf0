// Sockets of TCP as the wire's door uses them: numbers for addresses, none blocks.
#pragma once

#include <almanac/daemon/tls_channel.h>
#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace almanac {

struct WireListener {
  FileDescriptor socket;
  std::string address;  // as it was asked for
  std::uint16_t port = 0;
};

// HOST:PORT, numbers both.
[[nodiscard]] bool is_wire_address(const std::string& address);
// Takes the address; nobody can connect before begin_listening(). Errors of both: conflict
// (somebody listens there), io; of the first also invalid.
[[nodiscard]] Result<WireListener> bind_wire(const std::string& address);
[[nodiscard]] Result<void> begin_listening(const WireListener& bound);

enum class WireAccept : std::uint8_t {
  accepted,
  none,      // that waits
  too_many,  // descriptors: worth another try in a moment
};
[[nodiscard]] WireAccept accept_on_wire(const WireListener& listener, FileDescriptor& connection);

// Bytes moved; 0 = it would have to wait, none = the connection is gone, or has ended (of reading).
// Broken = the other side speaks no TLS.
enum class WireMove : std::uint8_t { moved, must_wait, ended, failed, broken };
struct WireMoved {
  WireMove outcome = WireMove::moved;
  std::size_t bytes = 0;
};
// Through a channel where there is one.
[[nodiscard]] WireMoved read_wire(const FileDescriptor& connection, TlsChannel* tls,
                                  std::span<char> buffer);
[[nodiscard]] WireMoved write_wire(const FileDescriptor& connection, TlsChannel* tls,
                                   std::string_view bytes);
// Says that no more is sent; what was sent still arrives.
void end_wire_output(const FileDescriptor& connection);

}  // namespace almanac
