// The log itself: its events by position, and as they come.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/event_filter.h>
#include <almanac/tools/event_json.h>
#include <almanac/tools/event_scan.h>
#include <almanac/tools/state_json.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <functional>
#include <map>

namespace almanac {
namespace {

using nlohmann::ordered_json;

Result<EventFilter> log_filter(const ApiCall& call, const ApiPage& page, bool reverse) {
  auto from = number_parameter(call, "from", 1);
  if (!from) return std::unexpected(from.error());
  auto to = number_parameter(call, "to", 0);
  if (!to) return std::unexpected(to.error());
  FilterOptions options{.stream = text_parameter(call, "stream"),
                        .types = texts_parameter(call, "type"),
                        .from = *from,
                        .to = *to};
  if (page.after > 0 && !reverse) options.from = std::max(options.from, page.after + 1);
  if (page.after > 1 && reverse) options.to = page.after - 1;
  return make_filter(options, system_time());
}

// Narrows what is asked for to what one page looks at. What it answers is the position at which the
// page ends if it does not end before; none = there is nothing beyond it.
Result<Position> cut_to_page(const Log& log, EventFilter& filter, bool reverse) {
  const auto first = log.first();
  if (!first) return std::unexpected(first.error());
  const auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  filter.from = std::max(filter.from, *first);
  filter.to = filter.to ? std::min(filter.to, tail->last) : tail->last;
  if (filter.to.value < filter.from.value + limits::page_events_max) return Position();
  if (!reverse) return filter.to = Position(filter.from.value + limits::page_events_max - 1);
  return filter.from = Position(filter.to.value - limits::page_events_max + 1);
}

// `hint`: what may have been meant, where nothing was found; empty = nothing is known.
HttpResponse log_page(std::string_view items, std::uint64_t next, const std::string& hint = {}) {
  const std::string last =
      hint.empty() ? std::string() : ",\"hint\":" + nlohmann::json(hint).dump(-1, ' ', true);
  return {.body = fmt::format("{{\"items\":[{}],\"next\":{}{}}}\n", items,
                              next > 0 ? fmt::format("\"{}\"", next) : "null", last)};
}

// As lines they would be what `almanac log cat --json` prints.
ApiResult get_log(const ApiCall& call) {
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  auto reverse = truth_parameter(call, "reverse");
  if (!reverse) return std::unexpected(reverse.error());
  auto filter = log_filter(call, *page, *reverse);
  if (!filter) return std::unexpected(filter.error());
  if (*reverse && page->after == 1) return log_page({}, 0);
  auto next = cut_to_page(call.api.log(), *filter, *reverse);
  if (!next) return std::unexpected(next.error());
  std::string items;
  Position last;
  std::size_t count = 0;
  auto scanned = scan_events(call.api.log(), *filter, {.limit = 0, .reverse = *reverse},
                             [&](const RecordedEvent& recorded) -> Result<bool> {
                               if (count == page->limit || items.size() >= limits::page_bytes_max) {
                                 next = last;
                                 return false;
                               }
                               items += (count++ == 0 ? "" : ",\n ") + event_json(recorded);
                               last = recorded.position;
                               return true;
                             });
  if (!scanned) return std::unexpected(scanned.error());
  const bool is_all = count == 0 && *next == Position() && page->after == 0;
  return log_page(items, next->value, is_all ? type_hint(*filter) : std::string());
}

// From behind what a client has seen, or what it asks for; else from now on.
Result<Position> first_told(const ApiCall& call) {
  if (const std::string* seen = call.request.header("last-event-id")) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(seen->data(), seen->data() + seen->size(), number);
    if (error == std::errc() && end == seen->data() + seen->size()) return Position(number).next();
    return fail(ErrorCode::invalid, "Last-Event-ID is no position", "send the last id that came");
  }
  auto from = number_parameter(call, "from", call.state->position.value + 1);
  if (!from) return std::unexpected(from.error());
  return Position(std::max<std::uint64_t>(1, *from));
}

ApiResult get_events(const ApiCall& call) {
  auto from = first_told(call);
  if (!from) return std::unexpected(from.error());
  auto base = call.api.log().first();
  if (!base) return std::unexpected(base.error());
  if (*from < *base) {
    return fail(
        ErrorCode::not_found,
        fmt::format("the log begins with event {}, what was before is trimmed", base->value),
        fmt::format("ask from={} on", base->value));
  }
  if (from->value > call.state->position.value + 1) {
    return fail(ErrorCode::not_found,
                fmt::format("the log ends with event {}", call.state->position.value),
                "ask from a position it has, or without one");
  }
  HttpResponse response{.type = "text/event-stream", .body = "retry: 1000\n\n"};
  // A comment, which clients pass over and people see.
  const std::string hint = type_hint({.types = EventTypes(texts_parameter(call, "type"))});
  if (!hint.empty()) response.body += ": " + hint + "\n\n";
  response.stream = std::make_shared<EventStream>(
      call.api.surroundings().feed, *from,
      FeedFilter{.types = texts_parameter(call, "type"), .stream = text_parameter(call, "stream")});
  return response;
}

// The last of them in words, the newest first, and counts of all.
ApiResult get_audit(const ApiCall& call) {
  const State& state = *call.state;
  const std::string principal = text_parameter(call, "principal");
  const auto is_asked_for = [&](NameId id) {
    return principal.empty() || state.names.text(id) == principal;
  };
  std::map<Position, ordered_json, std::greater<>> entries;
  const auto add = [&](const PersistentMap<Position, AuditEntry>& from, bool are_refusals) {
    for (const auto& [position, entry] : from) {
      if (!is_asked_for(entry.principal)) continue;
      entries[position] = audit_entry_json(state.names, position, entry, are_refusals);
    }
  };
  add(state.audits.requests, false);
  add(state.audits.refusals, true);
  ordered_json json{{"principals", ordered_json::object()}, {"items", ordered_json::array()}};
  for (const auto& [id, counts] : state.audits.principals) {
    if (!is_asked_for(id)) continue;
    json["principals"][std::string(state.names.text(id))] = audit_counts_json(counts);
  }
  for (auto& [position, entry] : entries) json["items"].push_back(std::move(entry));
  return json_response(json);
}

constexpr std::array log_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/audit",
              .scope = AccessScope::operate,
              .handler = get_audit,
              .summary = "Who asked for what through which door, and who was refused",
              .parameters = "at principal"},
    HttpRoute{.method = "GET",
              .path = "/v1/log",
              .runs = RouteRuns::on_reader,
              .handler = get_log,
              .summary =
                  "Events by position. Of a long log a page looks at a part: `next` is where "
                  "it ended, also where it found nothing",
              .parameters = "from to type stream reverse limit page"},
    HttpRoute{.method = "GET",
              .path = "/v1/events",
              .handler = get_events,
              .summary = "Events as they come, as Server-Sent Events; goes on behind Last-Event-ID",
              .parameters = "from type stream",
              .answers = "text/event-stream",
              .stays_open = true},
};

}  // namespace

std::span<const HttpRoute> log_routes() { return log_table; }

}  // namespace almanac
