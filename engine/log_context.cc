#include <almanac/engine/log_context.h>

#include <iterator>

namespace almanac {
namespace {

thread_local const LogContext* current = nullptr;  // of the innermost scope of this thread

LogContext extended(std::string operation,
                    std::vector<std::pair<std::string, std::string>> fields) {
  LogContext context = log_context();
  context.operation = std::move(operation);
  context.fields.insert(context.fields.end(), std::make_move_iterator(fields.begin()),
                        std::make_move_iterator(fields.end()));
  return context;
}

}  // namespace

LogContext log_context() { return current == nullptr ? LogContext() : *current; }

LogScope::LogScope(LogContext context) : context_(std::move(context)), before_(current) {
  current = &context_;
}

LogScope::LogScope(std::string operation, std::vector<std::pair<std::string, std::string>> fields)
    : LogScope(extended(std::move(operation), std::move(fields))) {}

LogScope::~LogScope() { current = before_; }

}  // namespace almanac
