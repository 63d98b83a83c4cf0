// Errors as values: what went wrong, in a sentence, and what the reader can do next.
// Functions that can fail for reasons outside the program return Result<T>; a broken promise of
// our own stops the program through ALMANAC_CHECK, in release builds too.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

// Grouped by when they can happen; the command line maps each to one exit code.
enum class ErrorCode : std::uint8_t {
  // Before anything was changed.
  invalid,       // the request itself makes no sense
  not_found,     // it names something that is not there
  conflict,      // it contradicts what is there, or someone else holds it
  busy,          // too much waits already; try again
  refused,       // a rule or a limit says no
  stopped,       // the engine is stopping or has stopped
  newer_format,  // written by a newer version of Almanac
  // While reading.
  corrupt,  // the bytes are not the ones that were written
  io,       // the operating system said no
  // While writing.
  storage_full,     // the disk, the map or the quota is full; nothing was changed
  unknown_outcome,  // it may or may not be on disk; the next open decides
  // While waiting.
  timed_out,     // it was not there in time
  rate_limited,  // a service says that it is asked too often
  // While working.
  out_of_memory,  // there is no memory for it
  gpu_memory,     // … none of the graphics processor
  model_loading,  // a model cannot be loaded
  reasoning,      // a reasoner has failed, or answered what makes no sense
  routing,        // nobody is there who could do it
};
inline constexpr int error_code_count = 18;

[[nodiscard]] std::string_view name(ErrorCode code);

// What an error is about: the level above the codes, each of which belongs to one.
enum class ErrorCategory : std::uint8_t {
  validation,   // invalid, not_found, refused, newer_format
  concurrency,  // conflict, busy, stopped, timed_out
  rate_limit,
  storage,  // io, storage_full, unknown_outcome
  corrupt,
  memory,
  gpu_memory,
  model_loading,
  reasoning,
  routing,
};
inline constexpr int error_category_count = 10;

[[nodiscard]] std::string_view name(ErrorCategory category);
[[nodiscard]] ErrorCategory category(ErrorCode code);
// Of one that goes by, so that the same can work a moment later: busy, io, timed_out, rate_limited,
// out_of_memory, gpu_memory.
[[nodiscard]] bool is_transient(ErrorCode code);

struct Error;
using ErrorContext = std::vector<std::pair<std::string, std::string>>;

// What few errors have, behind one pointer. A value, as the error is.
class ErrorDetails {
 public:
  ErrorDetails() = default;
  ErrorDetails(const ErrorDetails& other)
      : content_(other.content_ == nullptr ? nullptr : copy_of(*other.content_)) {}
  ErrorDetails(ErrorDetails&& other) noexcept : content_(std::exchange(other.content_, nullptr)) {}
  ErrorDetails& operator=(ErrorDetails other) noexcept {
    std::swap(content_, other.content_);
    return *this;
  }
  ~ErrorDetails() {
    if (content_ != nullptr) destroy(content_);
  }

 private:
  friend struct Error;
  struct Content;
  [[nodiscard]] static Content* copy_of(const Content& content);
  static void destroy(Content* content);
  [[nodiscard]] Content& content();

  Content* content_ = nullptr;
};

struct Error {
  ErrorCode code = ErrorCode::invalid;
  std::string message;    // one sentence, without a final full stop
  std::string next_step;  // what to do about it; may be empty when the message says it
  ErrorDetails details = {};

  // return std::unexpected(Error{…}.with("path", path).caused_by(other));
  // Values for machines, in this order; the last one of a name holds.
  Error& with(std::string_view name, std::string value) &;
  Error&& with(std::string_view name, std::string value) && {
    return std::move(with(name, std::move(value)));
  }
  // The one that it comes of.
  Error& caused_by(Error cause) &;
  Error&& caused_by(Error cause) && { return std::move(caused_by(std::move(cause))); }
  // Where the place knows more than the code says: see is_recoverable().
  Error& recoverable(bool is) &;
  Error&& recoverable(bool is) && { return std::move(recoverable(is)); }

  [[nodiscard]] const ErrorContext& context() const;
  [[nodiscard]] const Error* cause() const;  // lives with it; none = nothing else
  // Whether it is worth another try: what was said of it, or whether its code is transient.
  [[nodiscard]] bool is_recoverable() const;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message,
                                                 std::string next_step = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(next_step)});
}

// "message, because message of the cause; next step" for logs and terminals.
[[nodiscard]] std::string describe(const Error& error);

// An error for a failed system call: "cannot WHAT: text of errno". ENOSPC and EDQUOT become
// storage_full, EACCES, EPERM and EROFS become refused, all others io.
[[nodiscard]] std::unexpected<Error> fail_errno(int error_number, std::string_view what,
                                                std::string next_step = {});

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace almanac

// Stops the program when one of our own promises is broken.
#define ALMANAC_CHECK(condition) \
  ((condition) ? void(0) : ::almanac::check_failed(#condition, __FILE__, __LINE__))
