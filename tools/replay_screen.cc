#include <almanac/tools/replay_screen.h>

#include <almanac/tools/text.h>

#include <almanac/engine/engine.h>

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace almanac {
namespace {

// Drawn over the one before, so that nothing flickers: the rest of each line is cleared, and of
// all.
constexpr std::string_view to_top = "\x1b[H";
constexpr std::string_view end_line = "\x1b[K\n";
constexpr std::string_view end_screen = "\x1b[J";
constexpr std::string_view help = "→ next  ← back  Home first  End last  g go to  q quit";
constexpr std::string_view beginning = "this is the beginning";
constexpr std::size_t target_bytes_max = 60;
// Head, blank, event; blank and help.
constexpr std::size_t lines_beside = 5;

std::size_t terminal_rows() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

// As many lines as there is room for, no wider than the terminal.
std::string fitted(std::string_view text, std::size_t rows_max, std::size_t columns_max) {
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  const std::size_t shown = lines <= rows_max ? lines : rows_max - 1;
  std::string result;
  for (std::size_t i = 0; i < shown; ++i) {
    const auto end = text.find('\n');
    result += cut(text.substr(0, end), columns_max) + '\n';
    text.remove_prefix(end + 1);
  }
  if (shown < lines) result += fmt::format("… and {} more lines\n", lines - shown);
  return result;
}

}  // namespace

ReplayScreen::ReplayScreen(const Log& log, ReplaySteps& steps, PastRange range)
    : log_(log), steps_(steps), range_(range), position_(range.from) {}

Result<void> ReplayScreen::run(Keyboard& keyboard) {
  while (!ended_) {
    if (auto drawn = draw(); !drawn) return drawn;
    message_.clear();
    const Key key = keyboard.next();
    if (key.kind == Key::Kind::none) break;
    asks_target_ ? edit_target(key) : act(key);
  }
  fmt::print("\n");
  return {};
}

Result<void> ReplayScreen::draw() {
  const std::size_t columns_max = terminal_columns();
  const std::size_t rows_max = std::max(terminal_rows(), lines_beside + 2) - lines_beside;
  std::string screen = fmt::format("position {} of {} to {}\n\n", position_.value,
                                   range_.from.value, range_.to.value);
  if (position_ == range_.from) {
    screen += "in front of the first event\n";
  } else {
    auto step = steps_.at(position_);
    if (!step) return std::unexpected(step.error());
    screen += cut(step->event, columns_max) + '\n';
    screen +=
        fitted(step->changes.empty() ? "nothing changed\n" : step->changes, rows_max, columns_max);
  }
  screen += '\n';
  if (asks_target_) {
    screen += "go to position or time: " + printable(target_);
  } else {
    screen += cut(message_.empty() ? help : message_, columns_max);
  }
  std::string drawn(to_top);
  for (char c : screen) c == '\n' ? drawn += end_line : drawn += c;
  fmt::print("{}{}", drawn, end_screen);
  std::fflush(stdout);
  return {};
}

void ReplayScreen::act(Key key) {
  using enum Key::Kind;
  const char typed = key.kind == character ? key.character : '\0';
  if (key.kind == right || key.kind == enter || typed == ' ' || typed == 'n') {
    go_to(position_.next());
  } else if (key.kind == left || key.kind == backspace || typed == 'p') {
    go_back();
  } else if (key.kind == home) {
    go_to(range_.from);
  } else if (key.kind == end) {
    go_to(range_.to);
  } else if (typed == 'g') {
    asks_target_ = true;
    target_.clear();
  } else if (typed == 'q') {
    ended_ = true;
  }
}

void ReplayScreen::go_back() {
  if (position_ == range_.from) {
    message_ = beginning;
  } else {
    position_ = Position(position_.value - 1);
  }
}

void ReplayScreen::edit_target(Key key) {
  using enum Key::Kind;
  if (key.kind == character && target_.size() < target_bytes_max) {
    target_ += key.character;
  } else if (key.kind == backspace && !target_.empty()) {
    target_.pop_back();
  } else if (key.kind == escape) {
    asks_target_ = false;
  } else if (key.kind == enter) {
    asks_target_ = false;
    go_to_target();
  }
}

void ReplayScreen::go_to_target() {
  if (target_.empty()) return;
  auto position = find_position(log_, target_, system_time());
  if (position) {
    go_to(**position);
  } else {
    message_ = printable(position.error().message);
  }
}

void ReplayScreen::go_to(Position position) {
  position_ = std::clamp(position, range_.from, range_.to);
  if (position < range_.from) message_ = beginning;
  if (position > range_.to) message_ = "this is the end";
}

}  // namespace almanac
