#include <almanac/daemon/http_parser.h>
#include <almanac/daemon/http_route.h>

#include <algorithm>
#include <array>
#include <unordered_map>

namespace almanac {
namespace {

constexpr std::array known_parameters = {
    QueryParameter{"at",
                   "As it was at a position, or at a time such as 2026-11-21T10:00:00Z or "
                   "\"2 hours ago\""},
    QueryParameter{"limit", "Items of one page, 1 to 1000; 100 when left out, of /v1/recommend 10"},
    QueryParameter{"page", "Where the page before ended: its `next`"},
    QueryParameter{"where", "An expression over tasks, such as attempts > 2 && queue == \"mail\""},
    QueryParameter{"state", "Tasks in this state; several with commas between"},
    QueryParameter{"queue", "Of this queue"},
    QueryParameter{"kind", "Of this kind"},
    QueryParameter{"tag", "With this tag"},
    QueryParameter{"user", "Of this user"},
    QueryParameter{"text", "With this in the content or the summary"},
    QueryParameter{"stored_since", "Stored at this time or later"},
    QueryParameter{"stored_until", "Stored before this time"},
    QueryParameter{"from", "The first position"},
    QueryParameter{"to", "The last position"},
    QueryParameter{"type", "Of this type, such as TaskFailed; several with commas between"},
    QueryParameter{"stream", "Of this stream"},
    QueryParameter{"reverse", "true: the newest first"},
    QueryParameter{"output", "true: nothing but the bytes that the last attempt wrote"},
    QueryParameter{"wait", "true: answers when it has ended"},
    QueryParameter{"principal", "Of the one of this name"},
    QueryParameter{"samples", "true: with the last measurements"},
    QueryParameter{"buckets", "Into how many parts the log is cut, 1 to 1000; 100 when left out"},
    QueryParameter{"by", "queue (when left out), kind or owner"},
    QueryParameter{"since", "What happened behind a position or a time; else all"},
    QueryParameter{"owner", "Of this owner"},
    QueryParameter{"tree", "true: with what led to the task, and what it led to"},
    QueryParameter{"depth", "Of the tree, in tasks, up to 100; 8 when left out"},
    QueryParameter{"when", "A condition about the state, such as tasks.failed > 100"},
    QueryParameter{"similarity", "Also those whose embeddings are so near, 0 to 1"},
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
                  const std::vector<std::string>& path) {
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

// What is said in full comes before what stands for anything.
struct RouteIndex {
  std::unordered_map<std::string_view, std::vector<const HttpRoute*>> said;  // by path
  std::vector<IndexedRoute> meant;                                           // with variables
};

const RouteIndex& route_index() {
  static const RouteIndex index = [] {
    RouteIndex all;
    for (const HttpRoute& route : http_routes()) {
      if (route.path.find('{') == std::string_view::npos) {
        all.said[route.path].push_back(&route);
      } else {
        all.meant.push_back({&route, segments_of(route.path)});
      }
    }
    std::ranges::stable_sort(all.meant, {}, [](const IndexedRoute& one) {
      return std::ranges::count_if(one.segments, is_variable);
    });
    return all;
  }();
  return index;
}

// Whether it is the route that was meant; else another method of its path.
bool takes(RouteMatch& match, const HttpRoute& route, std::string_view method) {
  if (route.method == method) {
    match.route = &route;
    return true;
  }
  match.allowed += (match.allowed.empty() ? "" : ", ") + std::string(route.method);
  return false;
}

}  // namespace

std::span<const HttpRoute> http_routes() {
  static const std::vector<HttpRoute> all = [] {
    std::vector<HttpRoute> routes;
    for (const auto table :
         {daemon_routes(), task_routes(), lease_routes(), queue_routes(), circuit_routes(),
          component_routes(), healing_routes(), memory_routes(), log_routes(), overview_routes(),
          past_routes(), group_routes(), task_change_routes(), setting_routes(),
          model_change_routes(), memory_change_routes(), upkeep_routes(), snapshot_routes(),
          page_routes()}) {
      routes.insert(routes.end(), table.begin(), table.end());
    }
    return routes;
  }();
  return all;
}

RouteMatch find_route(const HttpRequest& request) {
  const RouteIndex& index = route_index();
  const std::string_view method = request.method;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  const bool is_encoded = !request.raw_path.empty();
  const std::string_view path = is_encoded ? request.raw_path : request.path;
  RouteMatch match;
  if (const auto said = index.said.find(path); said != index.said.end()) {
    for (const HttpRoute* route : said->second) {
      if (takes(match, *route, wanted)) return match;
    }
  }
  std::vector<std::string> segments;
  for (const auto segment : segments_of(path)) {
    segments.push_back(is_encoded ? decode_percent(segment, false).value_or("")
                                  : std::string(segment));
  }
  for (const IndexedRoute& indexed : index.meant) {
    if (!matches_path(indexed.segments, segments)) continue;
    if (!takes(match, *indexed.route, wanted)) continue;
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
