#include <almanac/tools/terminal_screen.h>

#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

// Last: it has macros of common names.
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

namespace almanac {
namespace {

// Of the colours that every terminal has; the number of a pair is that of its tone.
constexpr short own_background = -1;
// An escape by itself is a key when nothing follows.
constexpr int escape_wait_ms = 25;
constexpr int key_escape = 27;
constexpr int key_delete = 127;
constexpr int key_end_of_input = 4;

struct ToneColour {
  TopTone tone;
  short colour;
};
constexpr ToneColour tone_colours[] = {{TopTone::good, COLOR_GREEN},
                                       {TopTone::warning, COLOR_YELLOW},
                                       {TopTone::bad, COLOR_RED},
                                       {TopTone::hint, COLOR_CYAN}};

// Pages are UTF-8, whatever the user's settings are.
void speak_utf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

bool is_colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  return no_colour == nullptr || *no_colour == '\0';
}

attr_t attributes_of(TopTone tone) {
  switch (tone) {
    case TopTone::title:
    case TopTone::heading:
    case TopTone::bad: return A_BOLD;
    case TopTone::warning:
    case TopTone::good:
    case TopTone::plain:
    case TopTone::hint: return A_NORMAL;
  }
  return A_NORMAL;
}

}  // namespace

struct TerminalScreen::Parts {
  Interrupt& interrupt;
  SCREEN* screen = nullptr;
  bool has_colours = false;

  void draw_row(int row, const std::string& text, attr_t attributes, TopTone tone) const {
    const auto pair = static_cast<short>(tone);
    const bool is_coloured =
        has_colours && std::ranges::any_of(
                           tone_colours, [&](const ToneColour& each) { return each.tone == tone; });
    ::wattr_set(stdscr, attributes, is_coloured ? pair : short{0}, nullptr);
    ::wmove(stdscr, row, 0);
    ::waddnstr(stdscr, text.c_str(), -1);
    ::wclrtoeol(stdscr);
    ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
  }
};

TerminalScreen::TerminalScreen(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

std::unique_ptr<TerminalScreen> TerminalScreen::open(Interrupt& interrupt) {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) return nullptr;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr) return nullptr;
  speak_utf8();
  auto parts = std::make_unique<Parts>(Parts{.interrupt = interrupt});
  parts->screen = ::newterm(terminal, stdout, stdin);
  if (parts->screen == nullptr) return nullptr;
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::set_escdelay(escape_wait_ms);
  ::curs_set(0);
  parts->has_colours = is_colour_wanted() && ::has_colors() && ::start_color() == OK;
  if (parts->has_colours) {
    ::use_default_colors();
    for (const auto& [tone, colour] : tone_colours) {
      ::init_pair(static_cast<short>(tone), colour, own_background);
    }
  }
  return std::unique_ptr<TerminalScreen>(new TerminalScreen(std::move(parts)));
}

TerminalScreen::~TerminalScreen() {
  ::endwin();
  ::delscreen(parts_->screen);
}

std::size_t TerminalScreen::rows() const { return static_cast<std::size_t>(getmaxy(stdscr)); }
std::size_t TerminalScreen::columns() const { return static_cast<std::size_t>(getmaxx(stdscr)); }

void TerminalScreen::draw(const std::vector<TopLine>& lines, std::size_t selected,
                          const std::string& foot) {
  const std::size_t last = rows() - 1;
  ::werase(stdscr);
  for (std::size_t row = 0; row < std::min(lines.size(), last); ++row) {
    const TopLine& line = lines[row];
    const attr_t attributes = row == selected ? A_REVERSE : attributes_of(line.tone);
    parts_->draw_row(static_cast<int>(row), line.text, attributes, line.tone);
  }
  parts_->draw_row(static_cast<int>(last), foot, A_NORMAL, TopTone::hint);
  ::wrefresh(stdscr);
}

ScreenKey TerminalScreen::next_key(std::chrono::milliseconds wait_max) {
  using Kind = ScreenKey::Kind;
  int key = ::wgetch(stdscr);
  if (key == ERR) {
    switch (parts_->interrupt.wait(wait_max, STDIN_FILENO)) {
      case Interrupt::Woken::by_signal:
      case Interrupt::Woken::by_reader_gone: return {Kind::end};
      case Interrupt::Woken::by_time:
      case Interrupt::Woken::by_input: break;
    }
    key = ::wgetch(stdscr);
  }
  switch (key) {
    case ERR: return {Kind::none};
    case KEY_RESIZE: return {Kind::resize};
    case KEY_UP: return {Kind::up};
    case KEY_DOWN: return {Kind::down};
    case KEY_ENTER:
    case '\r':
    case '\n': return {Kind::enter};
    case KEY_BACKSPACE:
    case '\b':
    case key_delete: return {Kind::backspace};
    case key_escape: return {Kind::escape};
    case key_end_of_input: return {Kind::end};
    default: break;
  }
  if (key < 0x20 || key > 0xff) return {Kind::none};
  return {Kind::character, static_cast<char>(key)};
}

}  // namespace almanac
