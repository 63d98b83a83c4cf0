#include <almanac/log/error.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace almanac {

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::busy: return "busy";
    case ErrorCode::refused: return "refused";
    case ErrorCode::stopped: return "stopped";
    case ErrorCode::newer_format: return "newer_format";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::io: return "io";
    case ErrorCode::storage_full: return "storage_full";
    case ErrorCode::unknown_outcome: return "unknown_outcome";
    case ErrorCode::timed_out: return "timed_out";
    case ErrorCode::rate_limited: return "rate_limited";
    case ErrorCode::out_of_memory: return "out_of_memory";
    case ErrorCode::gpu_memory: return "gpu_memory";
    case ErrorCode::model_loading: return "model_loading";
    case ErrorCode::reasoning: return "reasoning";
    case ErrorCode::routing: return "routing";
  }
  return "unknown";
}

std::string_view name(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::validation: return "validation";
    case ErrorCategory::concurrency: return "concurrency";
    case ErrorCategory::rate_limit: return "rate_limit";
    case ErrorCategory::storage: return "storage";
    case ErrorCategory::corrupt: return "corrupt";
    case ErrorCategory::memory: return "memory";
    case ErrorCategory::gpu_memory: return "gpu_memory";
    case ErrorCategory::model_loading: return "model_loading";
    case ErrorCategory::reasoning: return "reasoning";
    case ErrorCategory::routing: return "routing";
  }
  return "unknown";
}

ErrorCategory category(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
    case ErrorCode::not_found:
    case ErrorCode::refused:
    case ErrorCode::newer_format: return ErrorCategory::validation;
    case ErrorCode::conflict:
    case ErrorCode::busy:
    case ErrorCode::stopped:
    case ErrorCode::timed_out: return ErrorCategory::concurrency;
    case ErrorCode::rate_limited: return ErrorCategory::rate_limit;
    case ErrorCode::io:
    case ErrorCode::storage_full:
    case ErrorCode::unknown_outcome: return ErrorCategory::storage;
    case ErrorCode::corrupt: return ErrorCategory::corrupt;
    case ErrorCode::out_of_memory: return ErrorCategory::memory;
    case ErrorCode::gpu_memory: return ErrorCategory::gpu_memory;
    case ErrorCode::model_loading: return ErrorCategory::model_loading;
    case ErrorCode::reasoning: return ErrorCategory::reasoning;
    case ErrorCode::routing: return ErrorCategory::routing;
  }
  return ErrorCategory::validation;
}

bool is_transient(ErrorCode code) {
  switch (code) {
    case ErrorCode::busy:
    case ErrorCode::io:
    case ErrorCode::timed_out:
    case ErrorCode::rate_limited:
    case ErrorCode::out_of_memory:
    case ErrorCode::gpu_memory: return true;
    default: return false;
  }
}

struct ErrorDetails::Content {
  ErrorContext context;
  std::vector<Error> cause;  // one or none
  std::optional<bool> is_recoverable;
};

ErrorDetails::Content* ErrorDetails::copy_of(const Content& content) {
  return std::make_unique<Content>(content).release();
}

void ErrorDetails::destroy(Content* content) { std::default_delete<Content>()(content); }

ErrorDetails::Content& ErrorDetails::content() {
  if (content_ == nullptr) content_ = std::make_unique<Content>().release();
  return *content_;
}

Error& Error::with(std::string_view name, std::string value) & {
  ErrorContext& context = details.content().context;
  const auto same = std::ranges::find(context, name, &ErrorContext::value_type::first);
  if (same == context.end()) {
    context.emplace_back(name, std::move(value));
  } else {
    same->second = std::move(value);
  }
  return *this;
}

Error& Error::caused_by(Error cause) & {
  details.content().cause = {std::move(cause)};
  return *this;
}

Error& Error::recoverable(bool is) & {
  details.content().is_recoverable = is;
  return *this;
}

const ErrorContext& Error::context() const {
  static const ErrorContext none;
  return details.content_ == nullptr ? none : details.content_->context;
}

const Error* Error::cause() const {
  if (details.content_ == nullptr || details.content_->cause.empty()) return nullptr;
  return &details.content_->cause.front();
}

bool Error::is_recoverable() const {
  const bool by_code = is_transient(code);
  return details.content_ == nullptr ? by_code : details.content_->is_recoverable.value_or(by_code);
}

std::string describe(const Error& error) {
  std::string text = error.message;
  for (const Error* cause = error.cause(); cause != nullptr; cause = cause->cause()) {
    text += ", because " + cause->message;
  }
  return error.next_step.empty() ? text : text + "; " + error.next_step;
}

std::unexpected<Error> fail_errno(int error_number, std::string_view what, std::string next_step) {
  ErrorCode code = ErrorCode::io;
  if (error_number == ENOSPC || error_number == EDQUOT) code = ErrorCode::storage_full;
  if (error_number == EACCES || error_number == EPERM || error_number == EROFS) {
    code = ErrorCode::refused;
  }
  if (error_number == EROFS && next_step.empty()) {
    next_step = "mount it for writing, or use a copy in another place";
  }
  std::string message = "cannot " + std::string(what) + ": " + std::strerror(error_number);
  return fail(code, std::move(message), std::move(next_step));
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "almanac: broken promise at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace almanac
