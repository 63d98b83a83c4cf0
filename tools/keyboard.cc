#include <almanac/tools/keyboard.h>

#include <unistd.h>

#include <array>
#include <string_view>

namespace almanac {
namespace {

// The rest of an escape sequence comes at once: Esc by itself is a key when nothing does.
constexpr std::chrono::milliseconds sequence_gap_max{25};
constexpr std::chrono::milliseconds no_limit{-1};
constexpr char escape = 27;
constexpr char end_of_input = 4;  // Ctrl-D

struct Sequence {
  std::string_view bytes;  // behind the escape
  Key::Kind kind;
};
constexpr std::array sequences = {
    Sequence{"[C", Key::Kind::right}, Sequence{"OC", Key::Kind::right},
    Sequence{"[D", Key::Kind::left},  Sequence{"OD", Key::Kind::left},
    Sequence{"[H", Key::Kind::home},  Sequence{"OH", Key::Kind::home},
    Sequence{"[F", Key::Kind::end},   Sequence{"OF", Key::Kind::end}};

// Takes one escape sequence from the front, without its escape.
Key take_sequence(std::string& typed) {
  for (const Sequence& sequence : sequences) {
    if (!typed.starts_with(sequence.bytes)) continue;
    typed.erase(0, sequence.bytes.size());
    return {sequence.kind};
  }
  // "[" and "O" are followed by numbers and end with a letter or a tilde.
  auto end = typed.find_first_not_of("0123456789;", 1);
  typed.erase(0, end == std::string::npos ? end : end + 1);
  return {Key::Kind::other};
}

}  // namespace

bool Keyboard::is_there() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

Keyboard::Keyboard(Interrupt& interrupt) : interrupt_(interrupt) {
  ALMANAC_CHECK(::tcgetattr(STDIN_FILENO, &before_) == 0);
  termios quiet = before_;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  quiet.c_cc[VMIN] = 1;
  quiet.c_cc[VTIME] = 0;
  quiet.c_cc[VQUIT] = _POSIX_VDISABLE;
  quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
}

Keyboard::~Keyboard() { (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before_); }

// Whether there is more now.
bool Keyboard::read_more(std::chrono::milliseconds timeout) {
  if (interrupt_.wait(timeout, STDIN_FILENO) != Interrupt::Woken::by_input) return false;
  std::array<char, 64> bytes;
  auto count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count <= 0) return false;
  typed_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

Key Keyboard::next() {
  if (typed_.empty() && !read_more(no_limit)) return {Key::Kind::none};
  const char first = typed_.front();
  typed_.erase(0, 1);
  if (first == escape) {
    if (typed_.empty()) (void)read_more(sequence_gap_max);
    const bool is_sequence = typed_.starts_with('[') || typed_.starts_with('O');
    return is_sequence ? take_sequence(typed_) : Key{Key::Kind::escape};
  }
  if (first == '\n' || first == '\r') return {Key::Kind::enter};
  if (first == '\b' || first == 127) return {Key::Kind::backspace};
  if (first == end_of_input) return {Key::Kind::none};
  return {Key::Kind::character, first};
}

}  // namespace almanac
