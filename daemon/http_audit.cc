#include <almanac/daemon/http_audit.h>

#include <memory>
#include <utility>

namespace almanac {
namespace {

AuditNote note_of(const HttpRequest& request, const HttpPeer& peer) {
  return {.door = peer.is_local ? AuditDoor::socket : AuditDoor::http,
          .principal = request.principal,
          .action = action_of(request),
          .subject = request.path,
          .remote = peer.name};
}

// Of what was refused before anybody looked at it.
RefusalReason reason_of(const HttpPeer& peer, int status) {
  if (!peer.may_ask) return RefusalReason::user;
  switch (status) {
    case 0: return RefusalReason::encryption;
    case 408: return RefusalReason::timed_out;
    case 413:
    case 431: return RefusalReason::too_large;
    case 503: return RefusalReason::crowded;
    default: return RefusalReason::malformed;
  }
}

// What it is on record as; none = it changes nothing.
std::optional<AccessScope> scope_of_change(const HttpRequest& request) {
  const HttpRoute* route = request.route;
  if (route == nullptr || route->method == "GET") return std::nullopt;
  const AccessScope scope = route->scope;
  return scope == AccessScope::none || scope == AccessScope::read ? std::nullopt
                                                                  : std::optional(scope);
}

class HttpAudit {
 public:
  explicit HttpAudit(HttpAuditOptions options) : options_(std::move(options)) {}

  std::optional<HttpResponse> screen(HttpRequest& request, const HttpPeer& peer) const {
    auto refusal = options_.look(request, peer);
    if (!refusal) return std::nullopt;
    if (refusal->reason) {
      AuditNote note = note_of(request, peer);
      note.action = refused_action_of(request);
      note.subject.clear();
      note.reason = refusal->reason;
      note.status = static_cast<std::uint16_t>(refusal->response.status);
      options_.trail.refuse(std::move(note));
    }
    refusal->response.is_on_record = true;
    return std::move(refusal->response);
  }

  std::optional<HttpResponse> serve(HttpRequest request, const HttpPeer& peer,
                                    const HttpReply& reply) const {
    if (auto preflight = HttpGate::preflight(request)) return preflight;
    const auto scope = scope_of_change(request);
    if (!scope) return options_.serve(std::move(request), reply);
    auto note = std::make_shared<AuditNote>(note_of(request, peer));
    if (scope == AccessScope::work) {
      options_.trail.count(*note);
      return options_.serve(std::move(request), reply);
    }
    note->request = options_.trail.begin(*note);
    const auto tell = [&trail = options_.trail, note](const HttpResponse& response) {
      if (response.status < 400) return;
      note->status = static_cast<std::uint16_t>(response.status);
      trail.fail(*note);
    };
    auto response = options_.serve(std::move(request), reply.told_to(tell));
    if (response) tell(*response);
    return response;
  }

  std::optional<HttpResponse> withdrawn(const HttpPass& pass, const HttpPeer& peer) const {
    auto refusal = options_.withdrawn(pass);
    if (!refusal) return std::nullopt;
    options_.trail.refuse({.door = AuditDoor::http,
                           .reason = refusal->reason,
                           .principal = pass.principal,
                           .action = pass.action,
                           .remote = peer.name,
                           .status = static_cast<std::uint16_t>(refusal->response.status)});
    return std::move(refusal->response);
  }

  void refused(const HttpPeer& peer, const HttpResponse& response) const {
    options_.trail.refuse({.door = peer.is_local ? AuditDoor::socket : AuditDoor::http,
                           .reason = reason_of(peer, response.status),
                           .action = "(not understood)",
                           .remote = peer.name,
                           .status = static_cast<std::uint16_t>(response.status)});
  }

 private:
  HttpAuditOptions options_;
};

}  // namespace

HttpHandlers audited_handlers(HttpAuditOptions options) {
  const auto audit = std::make_shared<const HttpAudit>(std::move(options));
  return {.screen = [audit](HttpRequest& request,
                            const HttpPeer& peer) { return audit->screen(request, peer); },
          .serve =
              [audit](HttpRequest request, const HttpPeer& peer, const HttpReply& reply) {
                return audit->serve(std::move(request), peer, reply);
              },
          .refused = [audit](const HttpPeer& peer,
                             const HttpResponse& response) { audit->refused(peer, response); },
          .withdrawn = [audit](const HttpPass& pass,
                               const HttpPeer& peer) { return audit->withdrawn(pass, peer); }};
}

}  // namespace almanac
