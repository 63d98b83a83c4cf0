// Requests of HTTP/1.0 and 1.1 from bytes as they come, one at a time. The one door to llhttp.
//
// What two programs could understand in two ways is refused, never repaired: both lengths, a
// transfer coding other than chunked, a line that does not end with CR LF, a field that goes on in
// the next line, a field that is there twice and may not be.
#pragma once

#include <almanac/daemon/http_message.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// One thread; does no I/O. A connection has one.
class HttpParser {
 public:
  // Asked once the head is there, before any of the body is taken. An answer ends the request, and
  // with it the connection.
  using OnHead = std::function<std::optional<HttpResponse>(HttpRequest& request)>;
  HttpParser(std::size_t body_bytes_max, OnHead on_head);
  ~HttpParser();
  HttpParser(const HttpParser&) = delete;
  HttpParser& operator=(const HttpParser&) = delete;

  enum class Progress : std::uint8_t {
    head,      // more of the head is needed
    body,      // more of the body is
    complete,  // request() has it; take() begins the next
    refused,   // refusal() says why; nothing more is understood
  };
  // Takes bytes until a request is complete or refused; answers how many.
  std::size_t feed(std::string_view bytes);
  [[nodiscard]] Progress progress() const;
  // Whether anything of a request is there.
  [[nodiscard]] bool has_begun() const;
  // Whether whoever sends waits to be told to go on (Expect: 100-continue). Once for each request.
  [[nodiscard]] bool take_expectation();
  [[nodiscard]] HttpRequest take();
  [[nodiscard]] HttpResponse refusal();
  // From the next request on.
  void set_body_bytes_max(std::size_t bytes);

  struct Parts;  // known to its own file

 private:
  std::unique_ptr<Parts> parts_;
};

// %XX and, where it is a query, + decoded; none where that is not what the text is, or there is a
// zero byte.
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view text, bool is_query);

}  // namespace almanac
