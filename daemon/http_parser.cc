#include <almanac/daemon/http_parser.h>

#include <almanac/daemon/limits.h>

#include <llhttp.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace almanac {
namespace {

constexpr std::string_view head_end = "\r\n\r\n";

HttpResponse bad_request(std::string detail, std::string next = {}, int status = 400) {
  HttpResponse response = problem({ErrorCode::invalid, std::move(detail), std::move(next)}, status);
  response.closes = true;
  return response;
}

// What llhttp would let pass, or join, and another server might read otherwise.
std::optional<HttpResponse> doubtful_head(std::string_view head) {
  for (std::size_t begin = 0; begin < head.size();) {
    const std::size_t end = head.find_first_of(std::string_view("\r\n\0", 3), begin);
    if (end == std::string_view::npos) break;
    if (head.substr(end, 2) != "\r\n") {
      return bad_request("the head has a line that does not end with CR LF",
                         "end each line with CR LF");
    }
    begin = end + 2;
    if (begin < head.size() && (head[begin] == ' ' || head[begin] == '\t')) {
      return bad_request("a header field goes on in the next line", "write it in one line");
    }
  }
  return std::nullopt;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool read_query(std::string_view text, HttpFields& query) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = decode_percent(pair.substr(0, equals), true);
    auto value = decode_percent(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return false;
    query.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

// "/v1/tasks?x=1" or "http://host/v1/tasks"; none where it is neither.
std::optional<std::string_view> origin_form(std::string_view target) {
  if (target.starts_with('/')) return target;
  if (!target.starts_with("http://")) return std::nullopt;
  const auto slash = target.find('/', 7);
  return slash == std::string_view::npos ? "/" : target.substr(slash);
}

// The host of "http://host/v1/tasks"; empty where the target is a path alone.
std::string_view host_in_target(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (!target.starts_with(scheme)) return {};
  target.remove_prefix(scheme.size());
  return target.substr(0, target.find('/'));
}

}  // namespace

std::optional<std::string> decode_percent(std::string_view text, bool is_query) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && is_query) {
      decoded += ' ';
      continue;
    }
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

struct HttpParser::Parts {
  std::size_t body_max;
  OnHead on_head;
  llhttp_t parser{};
  llhttp_settings_t settings{};
  Progress progress = Progress::head;
  std::string head;  // as it came, until it is whole
  std::string target;
  std::string field;
  std::string value;
  HttpRequest request;
  std::optional<HttpResponse> refused;
  bool expects = false;
  bool is_trailer = false;
  std::size_t trailer_bytes = 0;

  int refuse(HttpResponse response) {
    response.closes = true;
    refused = std::move(response);
    return HPE_USER;
  }
  void end_field() {
    if (field.empty()) return;
    std::ranges::transform(field, field.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    while (value.ends_with(' ') || value.ends_with('\t')) value.pop_back();
    if (!is_trailer) request.headers.emplace_back(std::move(field), std::move(value));
    field.clear();
    value.clear();
  }
  int on_field_bytes(std::string& to, std::string_view bytes) {
    if (is_trailer && (trailer_bytes += bytes.size()) > limits::http_head_bytes_max) {
      return refuse(bad_request("the trailer is over the limit of 16 KiB", {}, 431));
    }
    to.append(bytes);
    return 0;
  }
  int on_head_complete();
  std::optional<HttpResponse> check_fields();
  std::optional<HttpResponse> check_lengths();
  std::size_t feed_head(std::string_view bytes);
  void execute(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  void begin();
};

// Fields of which a second one would leave open which of them holds.
std::optional<HttpResponse> HttpParser::Parts::check_fields() {
  static constexpr std::array<std::string_view, 7> once = {
      "host",   "content-length", "transfer-encoding", "content-type",
      "origin", "authorization",  "idempotency-key"};
  if (request.headers.size() > limits::http_fields_max) {
    return bad_request(fmt::format("there are over {} header fields", limits::http_fields_max),
                       "leave some out", 431);
  }
  for (const std::string_view name : once) {
    if (std::ranges::count(request.headers, name, &HttpFields::value_type::first) > 1) {
      return bad_request(fmt::format("the header field {} is there twice", name), "send it once");
    }
  }
  if (request.header("host") == nullptr) {
    return bad_request("the header field host is missing", "send it, as HTTP/1.1 asks for");
  }
  return std::nullopt;
}

std::optional<HttpResponse> HttpParser::Parts::check_lengths() {
  const std::string* coding = request.header("transfer-encoding");
  const std::string* length = request.header("content-length");
  if (coding != nullptr && (length != nullptr || *coding != "chunked" || parser.http_minor == 0)) {
    return bad_request("the length of the body is said in two ways, or in none",
                       "send either Content-Length or Transfer-Encoding: chunked");
  }
  request.has_body = coding != nullptr || (length != nullptr && parser.content_length > 0);
  if (length != nullptr && parser.content_length > body_max) {
    return bad_request(fmt::format("the body is over the limit of {} bytes", body_max),
                       "send less at once, or raise body_max of [http]", 413);
  }
  if (const std::string* expect = request.header("expect")) {
    if (*expect != "100-continue") {
      return bad_request("nothing but 100-continue can be expected", {}, 417);
    }
    expects = request.has_body;
  }
  return std::nullopt;
}

int HttpParser::Parts::on_head_complete() {
  end_field();
  request.method = llhttp_method_name(static_cast<llhttp_method_t>(parser.method));
  request.keep_alive = llhttp_should_keep_alive(&parser) != 0;
  parser.upgrade = 0;
  if (parser.http_major != 1) {
    return refuse(bad_request("this is another version of HTTP", "send requests of HTTP/1.1"));
  }
  if (auto response = check_fields()) return refuse(std::move(*response));
  if (auto response = check_lengths()) return refuse(std::move(*response));
  const auto local = origin_form(target);
  if (!local) return refuse(bad_request("the target is no path", "ask for one, such as /livez"));
  const std::string_view named = host_in_target(target);
  if (!named.empty() && named != *request.header("host")) {
    return refuse(bad_request("the target names another host than the header field host",
                              "name the same one in both, or ask for a path alone"));
  }
  const auto question = std::min(local->find_first_of("?#"), local->size());
  auto path = decode_percent(local->substr(0, question), false);
  const auto query = local->substr(std::min(question + 1, local->size()));
  if (!path || !read_query(query.substr(0, query.find('#')), request.query)) {
    return refuse(bad_request("the target is not encoded as it must be",
                              "write %XX for each byte that stands for something else"));
  }
  request.path = std::move(*path);
  request.raw_path = local->substr(0, question);
  if (auto response = on_head(request)) return refuse(std::move(*response));
  progress = Progress::body;
  is_trailer = true;
  return 0;
}

namespace {

HttpParser::Parts& parts_of(llhttp_t* parser) {
  return *static_cast<HttpParser::Parts*>(parser->data);
}

void set_callbacks(llhttp_settings_t& settings) {
  settings.on_url = [](llhttp_t* parser, const char* at, std::size_t length) {
    parts_of(parser).target.append(at, length);
    return 0;
  };
  settings.on_header_field = [](llhttp_t* parser, const char* at, std::size_t length) {
    auto& parts = parts_of(parser);
    return parts.on_field_bytes(parts.field, {at, length});
  };
  settings.on_header_value = [](llhttp_t* parser, const char* at, std::size_t length) {
    auto& parts = parts_of(parser);
    return parts.on_field_bytes(parts.value, {at, length});
  };
  settings.on_header_value_complete = [](llhttp_t* parser) {
    parts_of(parser).end_field();
    return 0;
  };
  settings.on_headers_complete = [](llhttp_t* parser) {
    auto& parts = parts_of(parser);
    return parts.on_head_complete() == 0 ? 0 : -1;
  };
  settings.on_body = [](llhttp_t* parser, const char* at, std::size_t length) -> int {
    auto& parts = parts_of(parser);
    if (parts.request.body.size() + length > parts.body_max) {
      return parts.refuse(
          bad_request(fmt::format("the body is over the limit of {} bytes", parts.body_max),
                      "send less at once, or raise body_max of [http]", 413));
    }
    parts.request.body.append(at, length);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t* parser) -> int {
    parts_of(parser).progress = HttpParser::Progress::complete;
    return HPE_PAUSED;
  };
}

}  // namespace

void HttpParser::Parts::begin() {
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = this;
  progress = Progress::head;
  head.clear();
  target.clear();
  field.clear();
  value.clear();
  request = {};
  expects = false;
  is_trailer = false;
  trailer_bytes = 0;
}

void HttpParser::Parts::execute(std::string_view bytes) {
  const auto error = llhttp_execute(&parser, bytes.data(), bytes.size());
  if (error == HPE_OK || progress == Progress::complete) return;
  progress = Progress::refused;
  if (refused) return;
  refused = bad_request(fmt::format("this is no HTTP: {}", llhttp_get_error_reason(&parser)),
                        "send requests of HTTP/1.1");
}

// Until it is whole the head is only kept: what is slow, and what is too large, costs nothing else.
std::size_t HttpParser::Parts::feed_head(std::string_view bytes) {
  std::size_t taken = 0;
  // Empty lines in front of a request mean nothing.
  while (head.empty() && bytes.substr(taken, 2) == "\r\n") taken += 2;
  const std::size_t looked = std::min(head.size(), head_end.size() - 1);
  const std::size_t before = head.size();
  const std::size_t room = limits::http_head_bytes_max - before;
  head.append(bytes.substr(taken, room));
  const auto found = head.find(head_end, before - looked);
  if (found == std::string::npos) {
    taken += head.size() - before;
    const bool ends_in_line = head.ends_with('\r');  // whose LF is on its way
    if (auto doubt = doubtful_head(std::string_view(head).substr(0, head.size() - ends_in_line))) {
      refused = std::move(doubt);
      progress = Progress::refused;
    } else if (head.size() == limits::http_head_bytes_max) {
      refused =
          bad_request("the head is over the limit of 16 KiB", "send fewer header fields", 431);
      progress = Progress::refused;
    }
    return taken;
  }
  const std::size_t size = found + head_end.size();
  taken += size - before;
  head.resize(size);
  if (auto doubt = doubtful_head(head)) {
    refused = std::move(doubt);
    progress = Progress::refused;
    return taken;
  }
  execute(head);
  return taken;
}

std::size_t HttpParser::Parts::feed_body(std::string_view bytes) {
  execute(bytes);
  if (progress != Progress::complete) return bytes.size();
  const char* end = llhttp_get_error_pos(&parser);
  return end == nullptr ? bytes.size() : static_cast<std::size_t>(end - bytes.data());
}

HttpParser::HttpParser(std::size_t body_bytes_max, OnHead on_head)
    : parts_(std::make_unique<Parts>()) {
  parts_->body_max = body_bytes_max;
  parts_->on_head = std::move(on_head);
  llhttp_settings_init(&parts_->settings);
  set_callbacks(parts_->settings);
  parts_->begin();
}

HttpParser::~HttpParser() = default;

std::size_t HttpParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const auto rest = bytes.substr(taken);
    if (parts_->progress == Progress::head) {
      taken += parts_->feed_head(rest);
    } else if (parts_->progress == Progress::body) {
      taken += parts_->feed_body(rest);
    } else {
      break;
    }
  }
  return taken;
}

HttpParser::Progress HttpParser::progress() const { return parts_->progress; }
bool HttpParser::has_begun() const {
  return parts_->progress != Progress::head || !parts_->head.empty();
}
bool HttpParser::take_expectation() {
  return parts_->progress == Progress::body && std::exchange(parts_->expects, false);
}

HttpRequest HttpParser::take() {
  HttpRequest request = std::move(parts_->request);
  parts_->begin();
  return request;
}

HttpResponse HttpParser::refusal() { return *parts_->refused; }
void HttpParser::set_body_bytes_max(std::size_t bytes) { parts_->body_max = bytes; }

}  // namespace almanac
