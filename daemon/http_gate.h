// Who may come in, asked with the head of a request: the host it names, the page it comes from, the
// token it shows, what it sends. A web page must not be able to drive a daemon of its visitor.
#pragma once

#include <almanac/daemon/access_tokens.h>
#include <almanac/daemon/http_message.h>
#include <almanac/daemon/http_route.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct HttpGateOptions {
  std::vector<std::string> hosts;    // beside those of this machine
  std::vector<std::string> origins;  // of pages that may ask
  AccessTokens tokens;               // for who comes by TCP
};

// A value; any thread.
class HttpGate {
 public:
  explicit HttpGate(HttpGateOptions options);

  // Why not; none = it may. Who comes by the Unix socket was known when it connected, and may
  // everything. Every refusal is a line of the log, without what was shown.
  [[nodiscard]] std::optional<HttpResponse> refusal(const HttpRequest& request,
                                                    const HttpPeer& peer) const;

 private:
  [[nodiscard]] std::optional<HttpResponse> check_host(const HttpRequest& request) const;
  [[nodiscard]] std::optional<HttpResponse> check_origin(const HttpRequest& request) const;
  [[nodiscard]] std::optional<HttpResponse> check_token(const HttpRequest& request,
                                                        AccessScope scope) const;
  [[nodiscard]] bool is_known_host(std::string_view host) const;

  HttpGateOptions options_;
};

}  // namespace almanac
