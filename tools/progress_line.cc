#include <almanac/tools/progress_line.h>

#include <almanac/tools/text.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace almanac {
namespace {

constexpr auto interval = std::chrono::milliseconds(100);
constexpr std::size_t columns_default = 80;

std::size_t columns_of_errors() {
  if (::isatty(STDERR_FILENO) == 0) return 0;
  winsize size{};
  bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : columns_default;
}

}  // namespace

ProgressLine::ProgressLine() : columns_(columns_of_errors()) {}
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
