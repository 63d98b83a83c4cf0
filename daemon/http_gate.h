// Who may come in, asked with the head of a request: the host it names, the page it comes from, the
// token it shows, what it sends. A web page must not be able to drive a daemon of its visitor.
#pragma once

#include <almanac/daemon/access_tokens.h>
#include <almanac/daemon/http_message.h>
#include <almanac/daemon/http_route.h>
#include <almanac/daemon/warning_limit.h>
#include <almanac/engine/engine.h>
#include <almanac/log/events/audit.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct HttpGateOptions {
  std::vector<std::string> hosts;           // beside those of this machine
  std::vector<std::string> origins;         // of pages that may ask
  std::shared_ptr<AccessTokenFile> tokens;  // for who comes by TCP; none = nobody does
  bool is_encrypted = false;                // a page of our own came by https
  std::function<Time()> clock = system_time;
};

// Why a request may not come in.
struct HttpRefusal {
  HttpResponse response;
  std::optional<RefusalReason> reason;  // none = it is nothing that anybody has to know of
};

// A value; any thread.
class HttpGate {
 public:
  explicit HttpGate(HttpGateOptions options);

  // None = it may come in; then the request says who asks, and what its answer has to say to a page
  // of another origin. Who comes by the Unix socket was known when it connected, and may
  // everything. A refusal is a line of the log, without what was shown; of many in a second some,
  // and how many others there were.
  [[nodiscard]] std::optional<HttpRefusal> refusal(HttpRequest& request,
                                                   const HttpPeer& peer) const;
  // Of what was let in and stays open: none = it still would be. Costs a look at the tokens.
  [[nodiscard]] std::optional<HttpRefusal> withdrawn(const HttpPass& pass) const;
  // The answer to a browser that asks whether a page may ask (CORS); none = it asks for something
  // else. Only of what was let in.
  [[nodiscard]] static std::optional<HttpResponse> preflight(const HttpRequest& request);

 private:
  using Refusal = std::optional<HttpRefusal>;
  [[nodiscard]] Refusal look(HttpRequest& request, const HttpPeer& peer) const;
  [[nodiscard]] Refusal check_host(const HttpRequest& request) const;
  [[nodiscard]] Refusal check_origin(HttpRequest& request) const;
  [[nodiscard]] Refusal check_token(HttpRequest& request, AccessScope scope) const;
  [[nodiscard]] Refusal judge(const AccessToken* token, AccessScope scope) const;
  [[nodiscard]] bool is_known_host(std::string_view host) const;

  HttpGateOptions options_;
  std::shared_ptr<WarningLimit> warnings_ = std::make_shared<WarningLimit>();
};

// What a request is called on record: its method and its route, once the gate has found it; of one
// that is refused, its method and what can be shown of its path.
[[nodiscard]] std::string action_of(const HttpRequest& request);
[[nodiscard]] std::string refused_action_of(const HttpRequest& request);

}  // namespace almanac
