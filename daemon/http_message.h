// A request and a response of HTTP, as values: what the parser makes, and what the routes answer.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

using HttpFields = std::vector<std::pair<std::string, std::string>>;
enum class AccessScope : std::uint8_t;
struct HttpRoute;

// By what an answer that stays open was let in: asked again and again whether it still would be.
struct HttpPass {
  Digest token = {};  // the digest of the one that was shown
  AccessScope scope{};
  std::string principal;
  std::string action;  // as it is on record
};

// A value; owns everything.
struct HttpRequest {
  std::string method;         // "GET"
  std::string path;           // decoded, begins with a slash
  std::string raw_path = {};  // as it was sent; empty = as it is decoded
  HttpFields query;           // decoded, in their order
  HttpFields headers;         // names in lower case; values without space around them
  std::string body;
  bool has_body = false;
  bool keep_alive = true;
  std::string principal;     // who asks, as the gate has found: "uid 1000", the name of a token
  HttpFields answer_fields;  // that its answer has beside its own, as the gate says
  const HttpRoute* route = nullptr;           // as the gate has found; none = there is none
  std::vector<std::string> path_values = {};  // of the parts of its path in braces
  std::optional<HttpPass> pass = {};          // none = what is let in now may stay

  // The first of its name; none = it is not there.
  [[nodiscard]] const std::string* header(std::string_view name) const;
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
  // What the body is, in lower case and without parameters: "application/json". Empty = not said.
  [[nodiscard]] std::string media_type() const;
};

struct HttpResponse;
// What follows a head without end, piece by piece. On the loop of its server.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  // What there is by now, some `bytes_max` of it; empty = nothing yet. None = it is over.
  virtual std::optional<std::string> next(std::size_t bytes_max) = 0;
  // Said when nothing was for a while.
  [[nodiscard]] virtual std::string still_here() const = 0;
  // Its last words, where it ends because of this.
  [[nodiscard]] virtual std::string ended_by(const HttpResponse& why) const = 0;
};

// A value.
struct HttpResponse {
  int status = 200;
  std::string type = "application/json";
  HttpFields headers = {};
  std::string body = {};
  bool closes = false;  // the connection, behind it
  // The position of what it tells, where that is none of the state that was asked about.
  std::optional<Position> shows = {};
  std::shared_ptr<HttpStream> stream = {};
  // Called on the server's loop when whoever asked has gone before it could be written.
  std::function<void()> lost = {};
  bool is_on_record = false;  // of a refusal: nothing more has to be said of it
};

// "Not Found"; "Unknown" of what this server never answers.
[[nodiscard]] std::string_view http_reason(int status);
// Head and body as they are written. `head_only` is the answer to HEAD.
[[nodiscard]] std::string http_text(const HttpResponse& response, bool keep_alive, bool head_only);

// An error as problem+json: {type, title, status, code, detail, next}. `status` 0 = that of its
// code.
[[nodiscard]] HttpResponse problem(const Error& error, int status = 0);
// Of the code alone.
[[nodiscard]] int http_status(ErrorCode code);

// Where a request comes from.
struct HttpPeer {
  bool is_local = false;  // by the Unix socket, from the user that may
  std::string name;       // for people: "127.0.0.1:4711", "uid 1000"
  bool may_ask = true;    // false: another user of this machine
};

}  // namespace almanac
