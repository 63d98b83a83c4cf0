// A client of the wire protocol that tests speak through, byte by byte.
#pragma once

#include <almanac/log/file.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace almanac::test {

// Each reading function waits for 20 seconds at most, and says "(nothing)" then.
class WireClient {
 public:
  explicit WireClient(std::uint16_t port);

  // False when the connection is gone. Blocks while the server reads nothing.
  bool send(std::string_view bytes);
  bool send_line(std::string_view line) { return send(std::string(line) + "\r\n"); }
  // As much as goes without waiting.
  std::size_t send_some(std::string_view bytes);
  // One answer: "+text", "-CODE text", "$ text" of a bulk string, "(null)", "(closed)".
  std::string read();
  std::string ask(std::string_view line);
  // Reads the greeting and says hello, as a worker when it has a wid. False when it is refused.
  bool hello(std::string_view wid = {});
  // Sends no more, but still reads.
  void end_output();
  // Gone at once, with a reset where something is unread.
  void reset();
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  [[nodiscard]] bool is_connected() const { return socket_.valid(); }

 private:
  [[nodiscard]] bool fill();
  [[nodiscard]] bool read_line(std::string& line);

  FileDescriptor socket_;
  std::string unread_;
  bool timed_out_ = false;
};

}  // namespace almanac::test
