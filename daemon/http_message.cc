#include <almanac/daemon/http_message.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace almanac {
namespace {

const std::string* first_of(const HttpFields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

struct StatusText {
  int status;
  std::string_view text;
};
constexpr std::array status_texts = {
    StatusText{200, "OK"},
    StatusText{201, "Created"},
    StatusText{202, "Accepted"},
    StatusText{204, "No Content"},
    StatusText{304, "Not Modified"},
    StatusText{400, "Bad Request"},
    StatusText{401, "Unauthorized"},
    StatusText{403, "Forbidden"},
    StatusText{404, "Not Found"},
    StatusText{405, "Method Not Allowed"},
    StatusText{406, "Not Acceptable"},
    StatusText{408, "Request Timeout"},
    StatusText{409, "Conflict"},
    StatusText{412, "Precondition Failed"},
    StatusText{413, "Content Too Large"},
    StatusText{415, "Unsupported Media Type"},
    StatusText{417, "Expectation Failed"},
    StatusText{421, "Misdirected Request"},
    StatusText{422, "Unprocessable Content"},
    StatusText{429, "Too Many Requests"},
    StatusText{431, "Request Header Fields Too Large"},
    StatusText{500, "Internal Server Error"},
    StatusText{501, "Not Implemented"},
    StatusText{503, "Service Unavailable"},
    StatusText{504, "Gateway Timeout"},
    StatusText{507, "Insufficient Storage"},
};

// Whatever a value came from, it cannot end its line.
void append_field(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ");
  for (const char c : value) text += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  text += "\r\n";
}

}  // namespace

const std::string* HttpRequest::header(std::string_view name) const {
  return first_of(headers, name);
}

std::string HttpRequest::media_type() const {
  const std::string* type = header("content-type");
  if (type == nullptr) return {};
  std::string text = type->substr(0, type->find(';'));
  while (text.ends_with(' ') || text.ends_with('\t')) text.pop_back();
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

const std::string* HttpRequest::parameter(std::string_view name) const {
  return first_of(query, name);
}

std::string_view http_reason(int status) {
  const auto found = std::ranges::find(status_texts, status, &StatusText::status);
  return found == status_texts.end() ? "Unknown" : found->text;
}

std::string http_text(const HttpResponse& response, bool keep_alive, bool head_only) {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, http_reason(response.status));
  const bool has_body = response.status != 204 && response.status != 304;
  if (has_body) append_field(text, "Content-Type", response.type);
  if (has_body && !response.stream) {
    append_field(text, "Content-Length", std::to_string(response.body.size()));
  }
  for (const auto& [name, value] : response.headers) append_field(text, name, value);
  append_field(text, "X-Content-Type-Options", "nosniff");
  if (first_of(response.headers, "Cache-Control") == nullptr) {
    append_field(text, "Cache-Control", "no-store");
  }
  if (!keep_alive || response.stream) append_field(text, "Connection", "close");
  text += "\r\n";
  if (has_body && !head_only) text += response.body;
  return text;
}

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return 400;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::refused: return 422;
    case ErrorCode::busy:
    case ErrorCode::stopped: return 503;
    case ErrorCode::rate_limited: return 429;
    case ErrorCode::timed_out: return 504;
    case ErrorCode::storage_full: return 507;
    case ErrorCode::newer_format:
    case ErrorCode::corrupt:
    case ErrorCode::io:
    case ErrorCode::unknown_outcome:
    case ErrorCode::out_of_memory:
    case ErrorCode::gpu_memory:
    case ErrorCode::model_loading:
    case ErrorCode::reasoning:
    case ErrorCode::routing: return 500;
  }
  return 500;
}

HttpResponse problem(const Error& error, int status) {
  if (status == 0) status = http_status(error.code);
  nlohmann::ordered_json json{{"type", "about:blank"},
                              {"title", http_reason(status)},
                              {"status", status},
                              {"code", name(error.code)},
                              {"detail", error.message}};
  json["next"] = error.next_step;
  if (error.cause() != nullptr) json["because"] = error.cause()->message;
  HttpResponse response{.status = status, .type = "application/problem+json"};
  response.body = json.dump(-1, ' ', false, decltype(json)::error_handler_t::replace);
  if (error.code == ErrorCode::busy || error.code == ErrorCode::rate_limited) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

}  // namespace almanac
