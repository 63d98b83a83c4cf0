// What the tables say, as an OpenAPI document and as a page.
#include <almanac/daemon/http_route.h>

#include <almanac/version.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::string method_in_lower_case(std::string_view method) {
  std::string text(method);
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<std::string> path_variables(std::string_view path) {
  std::vector<std::string> names;
  for (auto begin = path.find('{'); begin != std::string_view::npos;
       begin = path.find('{', begin + 1)) {
    names.emplace_back(path.substr(begin + 1, path.find('}', begin) - begin - 1));
  }
  return names;
}

ordered_json text_schema() { return {{"type", "string"}}; }

// "POST /v1/tasks/{id}/cancel" → "postTasksIdCancel": what a generator calls its function.
std::string operation_name(const HttpRoute& route) {
  std::string text = method_in_lower_case(route.method);
  const bool is_versioned = route.path.starts_with("/v1");
  bool begins = true;
  for (const char c : route.path.substr(is_versioned ? 3 : 0)) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      begins = true;
    } else {
      text += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      begins = false;
    }
  }
  if (route.path == "/v1") return text + "About";
  return route.path == "/" ? text + "Page" : text;
}

bool takes_key(const HttpRoute& route) {
  return route.method == "POST" && (route.path == "/v1/tasks" || route.path == "/v1/snapshots" ||
                                    route.path == "/v1/snapshots/verify");
}

ordered_json parameters_json(const HttpRoute& route) {
  ordered_json list = ordered_json::array();
  for (const std::string& name : path_variables(route.path)) {
    list.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", text_schema()}});
  }
  for (const QueryParameter& parameter : query_parameters()) {
    if (!lists(route.parameters, parameter.name)) continue;
    list.push_back({{"name", parameter.name},
                    {"in", "query"},
                    {"description", parameter.summary},
                    {"schema", text_schema()}});
  }
  const auto add_header = [&](std::string_view name, std::string_view description) {
    list.push_back({{"name", name},
                    {"in", "header"},
                    {"description", description},
                    {"schema", text_schema()}});
  };
  if (takes_key(route)) add_header("Idempotency-Key", "The same key does it once");
  if (route.summary.find("If-Match") != std::string_view::npos) {
    add_header("If-Match", "The version it must have");
  }
  if (route.method != "GET" && route.path.starts_with("/v1/tasks/{id}")) {
    add_header("If-Match", "The ETag it must have");
  }
  if (route.stays_open && route.method == "GET") {
    add_header("Last-Event-ID", "The last that was seen: it goes on behind that");
  }
  return list;
}

ordered_json body_json(std::string_view types) {
  ordered_json content = ordered_json::object();
  while (!types.empty()) {
    const std::size_t end = std::min(types.find(' '), types.size());
    content[std::string(types.substr(0, end))] = {{"schema", {{"type", "object"}}}};
    types.remove_prefix(std::min(end + 1, types.size()));
  }
  return {{"content", std::move(content)}};
}

ordered_json operation_json(const HttpRoute& route) {
  ordered_json operation{{"operationId", operation_name(route)},
                         {"summary", route.summary},
                         {"x-almanac-scope", name(route.scope)}};
  operation["security"] = ordered_json::array();
  if (route.scope != AccessScope::none) {
    operation["security"].push_back({{"token", ordered_json::array({name(route.scope)})}});
  }
  if (auto parameters = parameters_json(route); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (!route.body.empty()) operation["requestBody"] = body_json(route.body);
  ordered_json success{{"description", "Done"}};
  if (route.success != 204) {
    success["content"] = {{std::string(route.answers), {{"schema", ordered_json::object()}}}};
  }
  ordered_json& responses = operation["responses"];
  // What had been done before, or was waited for.
  if (takes_key(route)) {
    responses["200"] = success;
    responses["200"]["description"] = "It is done already";
  }
  responses[std::to_string(route.success)] = std::move(success);
  responses["default"] = {{"$ref", "#/components/responses/Problem"}};
  return operation;
}

ordered_json components_json() {
  const ordered_json problem_schema = {
      {"type", "object"},
      {"required", {"type", "title", "status", "code", "detail", "next"}},
      {"properties",
       {{"type", text_schema()},
        {"title", text_schema()},
        {"status", {{"type", "integer"}}},
        {"code", text_schema()},
        {"detail", text_schema()},
        {"next", text_schema()}}}};
  return {{"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}},
          {"responses",
           {{"Problem",
             {{"description", "What went wrong, and what to do next"},
              {"content", {{"application/problem+json", {{"schema", problem_schema}}}}}}}}}};
}

std::string row_text(const HttpRoute& route) {
  std::string parameters;
  for (const QueryParameter& parameter : query_parameters()) {
    if (!lists(route.parameters, parameter.name)) continue;
    parameters += fmt::format("{}`{}`", parameters.empty() ? "" : ", ", parameter.name);
  }
  return fmt::format("| `{} {}` | {} | {} | {} | {} |\n", route.method, route.path,
                     name(route.scope), route.success, parameters.empty() ? "" : parameters,
                     route.summary);
}

}  // namespace

ordered_json openapi_document() {
  ordered_json paths = ordered_json::object();
  for (const HttpRoute& route : http_routes()) {
    paths[std::string(route.path)][method_in_lower_case(route.method)] = operation_json(route);
  }
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Almanac"},
            {"version", version},
            {"description", "A durable scheduler: what is answered is on disk."}}},
          {"paths", std::move(paths)},
          {"components", components_json()}};
}

std::string http_reference() {
  std::string text =
      "# HTTP\n\n"
      "What `almanac serve` answers ([guide](../guides/daemon.md)). This page is what\n"
      "`almanac serve --routes` prints; `GET /v1/openapi.json` says the same to programs.\n\n"
      "| request | scope | success | parameters | what it does |\n|---|---|---|---|---|\n";
  for (const HttpRoute& route : http_routes()) text += row_text(route);
  text += "\n## Parameters\n\n| parameter | meaning |\n|---|---|\n";
  for (const QueryParameter& parameter : query_parameters()) {
    text += fmt::format("| `{}` | {} |\n", parameter.name, parameter.summary);
  }
  text +=
      "\n## Errors\n\n"
      "Each is `application/problem+json` with `type`, `title`, `status`, `code`, `detail` and\n"
      "`next`, which says what to do.\n\n| code | status |\n|---|---|\n";
  for (int i = 0; i < error_code_count; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    text += fmt::format("| `{}` | {} |\n", name(code), http_status(code));
  }
  return text;
}

}  // namespace almanac
