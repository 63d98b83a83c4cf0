#include <almanac/tools/progress_line.h>

#include <almanac/tools/text.h>

#include <unistd.h>

#include <cstdio>

namespace almanac {
namespace {

constexpr auto interval = std::chrono::milliseconds(100);

}  // namespace

ProgressLine::ProgressLine() : columns_(terminal_columns(STDERR_FILENO)) {}
ProgressLine::~ProgressLine() { clear(); }

bool ProgressLine::is_due() {
  auto now = std::chrono::steady_clock::now();
  if (columns_ == 0 || now < next_) return false;
  next_ = now + interval;
  return true;
}

void ProgressLine::show(const std::string& text) {
  std::fprintf(stderr, "\r\033[K%s", cut(text, columns_ - 1).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace almanac
