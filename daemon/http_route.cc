#include <almanac/daemon/http_route.h>

#include <algorithm>
#include <array>

namespace almanac {
namespace {

constexpr std::array known_parameters = {
    QueryParameter{"at",
                   "As it was at a position, or at a time such as 2026-11-21T10:00:00Z or "
                   "\"2 hours ago\""},
    QueryParameter{"limit", "Items of one page, 1 to 1000; 100 when left out"},
    QueryParameter{"page", "Where the page before ended: its `next`"},
    QueryParameter{"where", "An expression over tasks, such as attempts > 2 && queue == \"mail\""},
    QueryParameter{"state", "Tasks in this state; several with commas between"},
    QueryParameter{"queue", "Of this queue"},
    QueryParameter{"kind", "Of this kind"},
    QueryParameter{"tag", "With this tag"},
    QueryParameter{"user", "Of this user"},
    QueryParameter{"text", "With this in the content or the summary"},
    QueryParameter{"from", "The first position"},
    QueryParameter{"to", "The last position"},
    QueryParameter{"type", "Of this type, such as TaskFailed; several with commas between"},
    QueryParameter{"stream", "Of this stream"},
    QueryParameter{"reverse", "true: the newest first"},
    QueryParameter{"output", "true: nothing but the bytes that the last attempt wrote"},
    QueryParameter{"principal", "Of the one of this name"},
    QueryParameter{"samples", "true: with the last measurements"},
};

// Cut at slashes: "/v1/tasks" has "v1" and "tasks".
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  while (true) {
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    if (end == path.size()) return segments;
    path.remove_prefix(end + 1);
  }
}

bool is_variable(std::string_view segment) { return segment.starts_with('{'); }

bool matches_path(const std::vector<std::string_view>& pattern,
                  const std::vector<std::string_view>& path) {
  if (pattern.size() != path.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (is_variable(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) return false;
  }
  return true;
}

struct IndexedRoute {
  const HttpRoute* route;
  std::vector<std::string_view> segments;
};

const std::vector<IndexedRoute>& indexed_routes() {
  static const std::vector<IndexedRoute> index = [] {
    std::vector<IndexedRoute> all;
    for (const HttpRoute& route : http_routes()) all.push_back({&route, segments_of(route.path)});
    // What is said in full comes before what stands for anything.
    std::ranges::stable_sort(all, {}, [](const IndexedRoute& one) {
      return std::ranges::count_if(one.segments, is_variable);
    });
    return all;
  }();
  return index;
}

}  // namespace

std::span<const HttpRoute> http_routes() {
  static const std::vector<HttpRoute> all = [] {
    std::vector<HttpRoute> routes;
    for (const auto table :
         {daemon_routes(), task_routes(), lease_routes(), queue_routes(), circuit_routes(),
          component_routes(), healing_routes(), memory_routes(), log_routes()}) {
      routes.insert(routes.end(), table.begin(), table.end());
    }
    return routes;
  }();
  return all;
}

RouteMatch find_route(std::string_view method, std::string_view path) {
  const auto segments = segments_of(path);
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  RouteMatch match;
  for (const IndexedRoute& indexed : indexed_routes()) {
    if (!matches_path(indexed.segments, segments)) continue;
    if (indexed.route->method != wanted) {
      match.allowed += (match.allowed.empty() ? "" : ", ") + std::string(indexed.route->method);
      continue;
    }
    match.route = indexed.route;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (is_variable(indexed.segments[i])) match.values.emplace_back(segments[i]);
    }
    return match;
  }
  return match;
}

std::span<const QueryParameter> query_parameters() { return known_parameters; }

bool lists(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

}  // namespace almanac
