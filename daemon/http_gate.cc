#include <almanac/daemon/http_gate.h>

#include <almanac/engine/diagnostics.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace almanac {
namespace {

constexpr std::array<std::string_view, 3> own_hosts = {"localhost", "127.0.0.1", "[::1]"};
// Where people put tokens that belong into a header.
constexpr std::array<std::string_view, 8> secret_names = {
    "token", "access_token", "api_key", "apikey", "auth", "authorization", "password", "secret"};
constexpr std::size_t action_path_bytes_max = 100;

HttpRefusal turned_away(int status, RefusalReason reason, std::string detail, std::string next) {
  return {problem({ErrorCode::refused, std::move(detail), std::move(next)}, status), reason};
}

HttpRefusal no_entry(RefusalReason reason, std::string detail) {
  auto refusal = turned_away(401, reason, std::move(detail),
                             "send Authorization: Bearer TOKEN, with one that `almanac token "
                             "create` has made");
  refusal.response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return refusal;
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

// A segment that leads elsewhere on other servers, or what none has in a path.
bool is_way_out(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment == "." || segment == "..") return true;
    begin = end + 1;
  }
  return std::ranges::any_of(path,
                             [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '\\'; });
}

bool has_token_in_url(const HttpRequest& request) {
  return shows_access_token(request.path) ||
         std::ranges::any_of(request.query, [](const auto& parameter) {
           const auto& [key, value] = parameter;
           return std::ranges::find(secret_names, in_lower_case(key)) != secret_names.end() ||
                  shows_access_token(key) || shows_access_token(value);
         });
}

std::optional<HttpRefusal> check_target(const HttpRequest& request) {
  if (has_token_in_url(request)) {
    return turned_away(400, RefusalReason::token_in_url,
                       "there is a secret in the URL, where logs and histories keep it",
                       "revoke it, and send another as Authorization: Bearer TOKEN");
  }
  if (!is_way_out(request.path)) return std::nullopt;
  return HttpRefusal{problem({ErrorCode::not_found, "there is nothing at this path",
                              "/v1/openapi.json describes what there is"}),
                     RefusalReason::path};
}

std::optional<HttpRefusal> check_route(const HttpRequest& request, const RouteMatch& match) {
  if (match.route != nullptr) return std::nullopt;
  if (match.allowed.empty()) {
    return HttpRefusal{problem({ErrorCode::not_found, "there is nothing at this path",
                                "/v1/openapi.json describes what there is"}),
                       std::nullopt};
  }
  auto response = problem({ErrorCode::invalid, request.method + " is nothing that can be done here",
                           "use " + match.allowed},
                          405);
  response.headers.emplace_back("Allow", match.allowed);
  return HttpRefusal{std::move(response), RefusalReason::malformed};
}

std::optional<HttpRefusal> check_content(const HttpRequest& request, const HttpRoute& route) {
  if (!request.has_body) return std::nullopt;
  if (route.body.empty()) {
    return HttpRefusal{problem({ErrorCode::invalid, "this takes no body", "send none"}),
                       RefusalReason::malformed};
  }
  const std::string type = request.media_type();
  if (lists(route.body, type)) return std::nullopt;
  auto response =
      problem({ErrorCode::invalid,
               type.empty() ? "the content type is missing" : "'" + type + "' is not taken here",
               "send Content-Type: " + std::string(route.body.substr(0, route.body.find(' ')))},
              415);
  return HttpRefusal{std::move(response), RefusalReason::malformed};
}

bool is_preflight(const HttpRequest& request) {
  return request.method == "OPTIONS" && request.header("origin") != nullptr &&
         request.header("access-control-request-method") != nullptr;
}

}  // namespace

std::string action_of(const HttpRequest& request) {
  return request.method + " " +
         (request.route == nullptr ? request.path : std::string(request.route->path));
}

std::string refused_action_of(const HttpRequest& request) {
  if (shows_access_token(request.path)) return request.method + " (a path with a token)";
  return request.method + " " + request.path.substr(0, action_path_bytes_max);
}

HttpGate::HttpGate(HttpGateOptions options) : options_(std::move(options)) {
  for (std::string& host : options_.hosts) host = in_lower_case(host);
  for (std::string& origin : options_.origins) origin = in_lower_case(origin);
}

bool HttpGate::is_known_host(std::string_view host) const {
  const std::string named = in_lower_case(without_port(host));
  return std::ranges::find(own_hosts, named) != own_hosts.end() ||
         std::ranges::find(options_.hosts, named) != options_.hosts.end();
}

HttpGate::Refusal HttpGate::check_host(const HttpRequest& request) const {
  if (is_known_host(*request.header("host"))) return std::nullopt;
  return turned_away(421, RefusalReason::host, "the request names a host that is not known here",
                     "add it to hosts of [http], if it is a name of this machine");
}

// A page of our own names the host it was loaded from, which is a known one.
HttpGate::Refusal HttpGate::check_origin(HttpRequest& request) const {
  if (!options_.origins.empty()) request.answer_fields.emplace_back("Vary", "Origin");
  const std::string* origin = request.header("origin");
  if (origin == nullptr) return std::nullopt;
  const std::string named = in_lower_case(*origin);
  const std::string scheme = options_.is_encrypted ? "https://" : "http://";
  if (named == scheme + in_lower_case(*request.header("host"))) return std::nullopt;
  if (std::ranges::find(options_.origins, named) == options_.origins.end()) {
    return turned_away(403, RefusalReason::origin,
                       "the request comes from a web page that may not ask",
                       "add its origin to origins of [http], if you trust the page");
  }
  request.answer_fields.emplace_back("Access-Control-Allow-Origin", *origin);
  request.answer_fields.emplace_back("Access-Control-Expose-Headers",
                                     "Almanac-Position, ETag, Location, Retry-After");
  return std::nullopt;
}

// Of a token that was shown; none = nobody's.
HttpGate::Refusal HttpGate::judge(const AccessToken* token, AccessScope scope) const {
  if (token == nullptr) return no_entry(RefusalReason::unknown_token, "the token is not known");
  if (token->has_expired(options_.clock())) {
    return no_entry(RefusalReason::expired_token, "the token has expired");
  }
  if (token->scopes.contains(scope)) return std::nullopt;
  return turned_away(403, RefusalReason::scope, "the token may not do this",
                     "use one that may " + std::string(name(scope)));
}

HttpGate::Refusal HttpGate::check_token(HttpRequest& request, AccessScope scope) const {
  if (scope == AccessScope::none) return std::nullopt;
  constexpr std::string_view scheme = "bearer ";
  const std::string* shown = request.header("authorization");
  if (shown == nullptr) return no_entry(RefusalReason::no_token, "no token is shown");
  if (in_lower_case(std::string_view(*shown).substr(0, scheme.size())) != scheme) {
    return no_entry(RefusalReason::unknown_token, "what is shown is no token");
  }
  const auto tokens = options_.tokens ? options_.tokens->now() : nullptr;
  const AccessToken* token =
      tokens ? tokens->find(std::string_view(*shown).substr(scheme.size())) : nullptr;
  if (token != nullptr) request.principal = token->name;
  auto refusal = judge(token, scope);
  if (!refusal && request.route != nullptr && request.route->stays_open) {
    request.pass = {.token = token->digest,
                    .scope = scope,
                    .principal = token->name,
                    .action = action_of(request)};
  }
  return refusal;
}

std::optional<HttpRefusal> HttpGate::withdrawn(const HttpPass& pass) const {
  const auto tokens = options_.tokens ? options_.tokens->now() : nullptr;
  return judge(tokens ? tokens->find(pass.token) : nullptr, pass.scope);
}

HttpGate::Refusal HttpGate::look(HttpRequest& request, const HttpPeer& peer) const {
  RouteMatch match = find_route(request);
  request.route = match.route;
  request.path_values = std::move(match.values);
  if (peer.is_local) request.principal = peer.name;
  Refusal refusal;
  if (!peer.is_local) refusal = check_host(request);
  if (!refusal) refusal = check_target(request);
  if (!refusal) refusal = check_origin(request);
  // A browser shows no token when it asks whether a page may; nor does it learn anything.
  if (!refusal && is_preflight(request) && !request.has_body) return std::nullopt;
  if (!refusal && !peer.is_local) {
    // Without a token nobody learns what there is.
    const AccessScope scope = match.route == nullptr ? AccessScope::read : match.route->scope;
    refusal = check_token(request, scope);
  }
  if (!refusal) refusal = check_route(request, match);
  return refusal || match.route == nullptr ? refusal : check_content(request, *match.route);
}

std::optional<HttpRefusal> HttpGate::refusal(HttpRequest& request, const HttpPeer& peer) const {
  Refusal refusal = look(request, peer);
  if (!refusal) return std::nullopt;
  HttpResponse& response = refusal->response;
  response.headers.insert(response.headers.end(), request.answer_fields.begin(),
                          request.answer_fields.end());
  const auto left_out = refusal->reason ? warnings_->take() : std::nullopt;
  if (left_out) {
    warn("a request was turned away", {{"status", std::int64_t{response.status}},
                                       {"because", name(*refusal->reason)},
                                       {"peer", std::string_view(peer.name)},
                                       {"left_out", *left_out}});
  }
  return refusal;
}

std::optional<HttpResponse> HttpGate::preflight(const HttpRequest& request) {
  if (!is_preflight(request)) return std::nullopt;
  HttpResponse response{.status = 204};
  response.headers = {{"Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"},
                      {"Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID"},
                      {"Access-Control-Max-Age", "600"}};
  return response;
}

}  // namespace almanac
