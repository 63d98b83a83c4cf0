// What can be asked over HTTP, as tables: one for each resource, in a file of its own. What serves
// requests, the OpenAPI document and the reference all come from them.
#pragma once

#include <almanac/daemon/access_tokens.h>
#include <almanac/daemon/http_message.h>
#include <almanac/daemon/http_server.h>
#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

class HttpApi;

// What a route is given. Lives as long as the call; what is answered later copies what it needs.
struct ApiCall {
  const HttpApi& api;
  const HttpRequest& request;
  std::vector<std::string> values;     // of the parts of the path in braces, in their order
  std::shared_ptr<const State> state;  // what is asked about: now, or as of `?at=`
  bool is_past = false;                // the latter
};
using ApiResult = Result<HttpResponse>;

enum class RouteRuns : std::uint8_t {
  on_loop,    // at once: takes microseconds, and waits for nothing
  on_reader,  // on a thread that may take its time
  on_asker,   // on one that may wait for the engine
};

// A row. Exactly one of `handler` and `act` is there.
struct HttpRoute {
  std::string_view method;
  std::string_view path;  // "/v1/tasks/{id}"
  AccessScope scope = AccessScope::read;
  RouteRuns runs = RouteRuns::on_loop;
  ApiResult (*handler)(const ApiCall&) = nullptr;
  void (*act)(const ApiCall&, const HttpReply&) = nullptr;  // answers by the reply, later
  std::string_view summary = {};
  std::string_view parameters = {};  // of the query, by name: "limit page at"
  std::string_view body = {};        // content types it takes: "application/json"; empty = no body
  int success = 200;
  std::string_view answers = "application/json";  // the content type of a success
  // Of a GET without `?at=`: the answer is the same for so long as the state is, but no longer than
  // that. 0 = never, unless it is made anew.
  std::chrono::milliseconds holds{0};
  // It tells on, or waits for what may be told: no longer than its token holds.
  bool stays_open = false;
};

// One for each resource.
[[nodiscard]] std::span<const HttpRoute> daemon_routes();  // live, ready, metrics, documents
[[nodiscard]] std::span<const HttpRoute> task_routes();
[[nodiscard]] std::span<const HttpRoute> lease_routes();
[[nodiscard]] std::span<const HttpRoute> queue_routes();  // and limits and schedules
[[nodiscard]] std::span<const HttpRoute> circuit_routes();
[[nodiscard]] std::span<const HttpRoute> component_routes();  // pools and GPUs too
[[nodiscard]] std::span<const HttpRoute> healing_routes();
[[nodiscard]] std::span<const HttpRoute> memory_routes();  // and contexts
[[nodiscard]] std::span<const HttpRoute> log_routes();
[[nodiscard]] std::span<const HttpRoute> overview_routes();  // and models, reviews
[[nodiscard]] std::span<const HttpRoute> past_routes();
[[nodiscard]] std::span<const HttpRoute> group_routes();
[[nodiscard]] std::span<const HttpRoute> page_routes();         // for a browser
[[nodiscard]] std::span<const HttpRoute> task_change_routes();  // and reviews and groups
[[nodiscard]] std::span<const HttpRoute> setting_routes();      // of queues, limits, schedules, …
[[nodiscard]] std::span<const HttpRoute> model_change_routes();
[[nodiscard]] std::span<const HttpRoute> memory_change_routes();  // and contexts
[[nodiscard]] std::span<const HttpRoute> upkeep_routes();         // of components and the log
[[nodiscard]] std::span<const HttpRoute> snapshot_routes();
// All of them.
[[nodiscard]] std::span<const HttpRoute> http_routes();

struct RouteMatch {
  const HttpRoute* route = nullptr;  // none = no such path, or not by this method
  std::vector<std::string> values;
  std::string allowed;  // methods of the path, when there are some: "GET, POST"
};
// By the path as it was sent: %2F is no slash of it, but one in a name. The gate asks once for each
// request, and leaves what it found in that.
[[nodiscard]] RouteMatch find_route(const HttpRequest& request);

// A parameter of the query, and what it means; all routes share them.
struct QueryParameter {
  std::string_view name;
  std::string_view summary;
};
[[nodiscard]] std::span<const QueryParameter> query_parameters();
// Whether the words of a list ("limit page at") have it.
[[nodiscard]] bool lists(std::string_view words, std::string_view word);

// The document that describes the tables (OpenAPI 3.1), and the same as a page.
[[nodiscard]] nlohmann::ordered_json openapi_document();
[[nodiscard]] std::string http_reference();

}  // namespace almanac
