#include <almanac/daemon/http_gate.h>

#include <almanac/engine/diagnostics.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace almanac {
namespace {

constexpr std::array<std::string_view, 3> own_hosts = {"localhost", "127.0.0.1", "[::1]"};

HttpResponse turned_away(int status, std::string detail, std::string next) {
  return problem({ErrorCode::refused, std::move(detail), std::move(next)}, status);
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// "localhost:7411" → "localhost", "[::1]:7411" → "[::1]".
std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return host;
  return host.substr(0, colon);
}

std::optional<HttpResponse> check_route(const HttpRequest& request, const RouteMatch& match) {
  if (match.route != nullptr) return std::nullopt;
  if (match.allowed.empty()) {
    return problem({ErrorCode::not_found, "there is nothing at this path",
                    "/v1/openapi.json describes what there is"});
  }
  auto response = problem({ErrorCode::invalid, request.method + " is nothing that can be done here",
                           "use " + match.allowed},
                          405);
  response.headers.emplace_back("Allow", match.allowed);
  return response;
}

std::optional<HttpResponse> check_content(const HttpRequest& request, const HttpRoute& route) {
  if (!request.has_body) return std::nullopt;
  if (route.body.empty()) {
    return problem({ErrorCode::invalid, "this takes no body", "send none"});
  }
  const std::string type = request.media_type();
  if (lists(route.body, type)) return std::nullopt;
  return problem({ErrorCode::invalid,
                  type.empty() ? "the content type is missing" : "'" + type + "' is not taken here",
                  "send Content-Type: " + std::string(route.body.substr(0, route.body.find(' ')))},
                 415);
}

}  // namespace

HttpGate::HttpGate(HttpGateOptions options) : options_(std::move(options)) {
  for (std::string& host : options_.hosts) host = in_lower_case(host);
  for (std::string& origin : options_.origins) origin = in_lower_case(origin);
}

bool HttpGate::is_known_host(std::string_view host) const {
  const std::string named = in_lower_case(without_port(host));
  return std::ranges::find(own_hosts, named) != own_hosts.end() ||
         std::ranges::find(options_.hosts, named) != options_.hosts.end();
}

std::optional<HttpResponse> HttpGate::check_host(const HttpRequest& request) const {
  if (is_known_host(*request.header("host"))) return std::nullopt;
  return turned_away(421, "the request names a host that is not known here",
                     "add it to hosts of [http], if it is a name of this machine");
}

// A page of our own names the host it was loaded from, which is a known one.
std::optional<HttpResponse> HttpGate::check_origin(const HttpRequest& request) const {
  const std::string* origin = request.header("origin");
  if (origin == nullptr) return std::nullopt;
  const std::string named = in_lower_case(*origin);
  const std::string own = in_lower_case("http://" + *request.header("host"));
  if (named == own || std::ranges::find(options_.origins, named) != options_.origins.end()) {
    return std::nullopt;
  }
  return turned_away(403, "the request comes from a web page that may not ask",
                     "add its origin to origins of [http], if you trust the page");
}

std::optional<HttpResponse> HttpGate::check_token(const HttpRequest& request,
                                                  AccessScope scope) const {
  if (scope == AccessScope::none) return std::nullopt;
  constexpr std::string_view scheme = "bearer ";
  const std::string* shown = request.header("authorization");
  const auto refused = [](std::string detail) {
    auto response = turned_away(401, std::move(detail),
                                "send Authorization: Bearer TOKEN, with one of the daemon's file "
                                "of tokens; `almanac serve` says where that is");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  };
  if (shown == nullptr) return refused("no token is shown");
  if (in_lower_case(std::string_view(*shown).substr(0, scheme.size())) != scheme) {
    return refused("what is shown is no token");
  }
  const auto scopes = options_.tokens.find(std::string_view(*shown).substr(scheme.size()));
  if (!scopes) return refused("the token is not known");
  if (scopes->contains(scope)) return std::nullopt;
  return turned_away(403, "the token may not do this",
                     "use one that may " + std::string(name(scope)));
}

std::optional<HttpResponse> HttpGate::refusal(const HttpRequest& request,
                                              const HttpPeer& peer) const {
  const RouteMatch match = find_route(request);
  std::optional<HttpResponse> response;
  if (!peer.is_local) response = check_host(request);
  if (!response) response = check_origin(request);
  if (!response && !peer.is_local) {
    // Without a token nobody learns what there is.
    const AccessScope scope = match.route == nullptr ? AccessScope::read : match.route->scope;
    response = check_token(request, scope);
  }
  if (response) {
    warn("a request was turned away",
         {{"status", std::int64_t{response->status}}, {"peer", std::string_view(peer.name)}});
    return response;
  }
  response = check_route(request, match);
  return response || match.route == nullptr ? response : check_content(request, *match.route);
}

}  // namespace almanac
