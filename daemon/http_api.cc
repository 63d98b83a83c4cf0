#include <almanac/daemon/http_api.h>

#include <unistd.h>

#include <almanac/tools/json_fields.h>
#include <almanac/tools/json_nesting.h>
#include <almanac/tools/nearest.h>
#include <almanac/tools/past.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace almanac {

using nlohmann::ordered_json;

namespace {

PastStatesOptions past_options() {
  const auto pages = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page_bytes = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
  return {.states_max = limits::past_states_kept,
          .memory_bytes_max = pages * page_bytes / limits::past_memory_share};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// There is no such thing: what may have been meant, or what there is.
std::string which_of(std::string_view word, const std::vector<std::string_view>& known) {
  if (auto meant = nearest(word, known)) return fmt::format("did you mean '{}'?", *meant);
  std::string all;
  for (const auto each : known) all += (all.empty() ? "" : ", ") + std::string(each);
  return all.empty() ? "leave it out" : "there are: " + all;
}

HttpResponse too_busy() {
  return problem({ErrorCode::busy, "too much waits for an answer already", "try again"});
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

HttpApi::HttpApi(Surroundings surroundings)
    : around_(std::move(surroundings)),
      past_(around_.engine.log(), around_.folder, past_options()),
      snapshots_(around_.engine.log(), around_.folder),
      readers_("http reader", around_.threads, limits::http_waiting_max),
      // One of them may wait for minutes; changes go on.
      askers_("http asker", std::max<std::size_t>(2, around_.threads), limits::http_waiting_max) {}

const PastStates& HttpApi::past() const {
  std::call_once(walks_, [this] {
    walker_ = std::jthread([this](std::stop_token stop) {
      auto walked = past_.walk(std::move(stop));
      if (walked || walked.error().code == ErrorCode::stopped) return;
      warn("the past could not be walked through",
           {{"error", std::string_view(describe(walked.error()))}});
    });
  });
  past_.offer(*engine().state());
  return past_;
}

Result<std::shared_ptr<const State>> HttpApi::state_at(std::string_view at) const {
  auto position = find_position(log(), at, system_time());
  if (!position) {
    return std::unexpected(with_first_state(position.error(), log(), around_.folder));
  }
  auto state = past().at(*position);
  if (!state)
    return std::unexpected(with_first_state(state.error(), log(), around_.folder, *position));
  return std::make_shared<const State>(std::move(*state));
}

Result<void> HttpApi::check_query(const HttpRoute& route, const HttpRequest& request) const {
  for (const auto& [name, value] : request.query) {
    if (!lists(route.parameters, name)) {
      return fail(ErrorCode::invalid, fmt::format("there is no parameter '{}' here", name),
                  which_of(name, words_of(route.parameters)));
    }
    if (std::ranges::count(request.query, name, &HttpFields::value_type::first) > 1) {
      return fail(ErrorCode::invalid, fmt::format("the parameter '{}' is there twice", name),
                  "send it once");
    }
  }
  return {};
}

HttpResponse HttpApi::answer(const HttpRoute& route, const ApiCall& call) const {
  auto result = route.handler(call);
  HttpResponse response = result ? std::move(*result) : problem(result.error());
  if (!response.shows) {
    // What was changed is in no state from before.
    const bool is_read = call.is_past || route.method == "GET";
    response.shows = (is_read ? call.state : engine().state())->position;
  }
  response.headers.emplace_back("Almanac-Position", std::to_string(response.shows->value));
  return response;
}

std::optional<HttpResponse> HttpApi::serve(HttpRequest request, const HttpReply& reply) const {
  const bool may_be_known = request.method == "GET" && request.parameter("at") == nullptr;
  if (may_be_known) {
    if (auto known = answers_.find(request, engine().state()->position)) return known;
  }
  if (request.route == nullptr) {
    return problem({ErrorCode::not_found, "there is nothing here",
                    "/v1/openapi.json describes what there is"});
  }
  const HttpRoute& route = *request.route;
  std::vector<std::string> values = std::move(request.path_values);
  if (auto checked = check_query(route, request); !checked) return problem(checked.error());
  const std::string* at = request.parameter("at");
  if (at == nullptr && route.handler != nullptr && route.runs == RouteRuns::on_loop) {
    const ApiCall call{*this, request, std::move(values), engine().state(), false};
    HttpResponse response = answer(route, call);
    if (may_be_known) answers_.keep(request, call.state->position, route.holds, response);
    return response;
  }
  if (route.act != nullptr && request.body.size() < limits::http_small_body_bytes) {
    route.act({*this, request, std::move(values), engine().state(), false}, reply);
    return std::nullopt;
  }
  auto work = [this, &route, reply, request = std::move(request),
               values = std::move(values)]() mutable {
    const std::string* moment = request.parameter("at");
    auto state = moment == nullptr ? Result<std::shared_ptr<const State>>(engine().state())
                                   : state_at(*moment);
    if (!state) return reply.send(problem(state.error()));
    if (route.act != nullptr) {
      return route.act({*this, request, std::move(values), std::move(*state), false}, reply);
    }
    const ApiCall call{*this, request, std::move(values), std::move(*state), moment != nullptr};
    HttpResponse response = answer(route, call);
    if (!call.is_past) answers_.keep(request, call.state->position, route.holds, response);
    reply.send(std::move(response));
  };
  WorkThreads& threads = route.runs == RouteRuns::on_asker ? askers_ : readers_;
  if (!threads.post(std::move(work))) return too_busy();
  return std::nullopt;
}

HttpResponse json_response(const ordered_json& json, int status) {
  return {.status = status,
          .body = json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n"};
}

Result<ordered_json> json_body(const HttpRequest& request) {
  if (request.body.empty()) return ordered_json::object();
  auto json = parse_json(request.body);
  if (json && json->is_object()) return json;
  return fail(ErrorCode::invalid, "the body is no JSON object", "send one, such as {}");
}

Result<std::optional<Position>> expected_version(const HttpRequest& request, ordered_json& object) {
  std::optional<std::uint64_t> number;
  if (const std::string* header = request.header("if-match")) {
    std::string_view text = *header;
    if (text.size() > 1 && text.starts_with('"') && text.ends_with('"')) {
      text = text.substr(1, text.size() - 2);
    }
    number = whole_number(text);
    if (!number) {
      return fail(ErrorCode::invalid, "If-Match is no version", "send the version of an answer");
    }
  } else if (object.contains("expected")) {
    if (!object["expected"].is_number_unsigned()) {
      return fail(ErrorCode::invalid, "the member 'expected' is no version",
                  "send the version of an answer");
    }
    number = object["expected"].get<std::uint64_t>();
  }
  object.erase("expected");
  return number ? std::optional(Position(*number)) : std::nullopt;
}

Result<ordered_json> object_of(const HttpRequest& request, std::string_view members) {
  if (request.body.empty()) return ordered_json::object();
  if (auto checked = check_json_nesting(request.body); !checked) {
    return std::unexpected(checked.error());
  }
  auto json = ordered_json::parse(request.body, nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    return fail(ErrorCode::invalid, "the body is no JSON object", "send one, such as {}");
  }
  const auto known = words_of(members);
  for (const auto& [name, value] : json.items()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return fail(ErrorCode::invalid, fmt::format("there is no member '{}' here", name),
                which_of(name, known));
  }
  return json;
}

Result<std::string> text_member(const ordered_json& object, std::string_view name) {
  const auto found = object.find(std::string(name));
  if (found != object.end() && found->is_string()) return found->get<std::string>();
  const std::string_view what = found == object.end() ? "missing" : "no text";
  return fail(ErrorCode::invalid, fmt::format("the member '{}' is {}", name, what),
              fmt::format("send \"{}\" as a text", name));
}

Result<std::string> text_member_or(const ordered_json& object, std::string_view name,
                                   std::string otherwise) {
  if (!object.contains(name)) return otherwise;
  return text_member(object, name);
}

Result<std::uint64_t> number_of(const ApiCall& call, std::string_view what, std::size_t place) {
  if (const auto number = whole_number(call.values[place])) return *number;
  return fail(ErrorCode::not_found,
              fmt::format("'{}' is no number of a {}", call.values[place], what),
              fmt::format("name the {} by its number", what));
}

// The path was decoded as a whole.
std::string name_in_path(const ApiCall& call, std::size_t place) { return call.values[place]; }

std::string text_parameter(const ApiCall& call, std::string_view name) {
  const std::string* value = call.request.parameter(name);
  return value == nullptr ? std::string() : *value;
}

Result<bool> truth_parameter(const ApiCall& call, std::string_view name) {
  const std::string value = text_parameter(call, name);
  if (value.empty() || value == "false") return false;
  if (value == "true") return true;
  return fail(ErrorCode::invalid, fmt::format("{}: '{}' is neither true nor false", name, value),
              "write true or false");
}

Result<std::uint64_t> number_parameter(const ApiCall& call, std::string_view name,
                                       std::uint64_t otherwise, std::uint64_t max) {
  const std::string value = text_parameter(call, name);
  if (value.empty()) return otherwise;
  const auto number = whole_number(value);
  if (number && *number <= max) return *number;
  return fail(ErrorCode::invalid,
              fmt::format("{}: '{}' is no whole number up to {}", name, value, max),
              "write a whole number");
}

std::vector<std::string> texts_parameter(const ApiCall& call, std::string_view name) {
  const std::string value = text_parameter(call, name);
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin < value.size();) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    if (end > begin) texts.push_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return texts;
}

Result<ApiPage> page_of(const ApiCall& call) {
  // The one behind it is where the page begins.
  auto after = number_parameter(call, "page", 0, std::numeric_limits<std::uint64_t>::max() - 1);
  if (!after) return std::unexpected(after.error());
  auto limit = number_parameter(call, "limit", limits::page_items_default, limits::page_items_max);
  if (!limit) return std::unexpected(limit.error());
  if (*limit > 0) return ApiPage{.after = *after, .limit = *limit};
  return fail(ErrorCode::invalid, "limit: a page has one item at least",
              fmt::format("write 1 to {}", limits::page_items_max));
}

HttpResponse items_response(ordered_json items, std::uint64_t next) {
  ordered_json json;
  json["items"] = std::move(items);
  json["next"] = next == 0 ? ordered_json() : ordered_json(std::to_string(next));
  return json_response(json);
}

}  // namespace almanac
