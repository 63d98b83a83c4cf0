#include <almanac/tools/top_screen.h>

#include <almanac/tools/task_json.h>
#include <almanac/tools/text.h>

#include <almanac/engine/engine.h>

#include <fmt/core.h>

#include <algorithm>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// How often the end of the log is looked at, and how old what is shown may be: times go on while
// nothing happens.
constexpr std::chrono::milliseconds look_interval{250};
constexpr Duration shown_age_max = std::chrono::seconds(1);
constexpr std::size_t filter_bytes_max = 100;

TopLine line_of_error(const Error& error) { return {printable(describe(error)), TopTone::bad}; }

}  // namespace

Result<ordered_json> overview_of(const OverviewSource& source, std::optional<Position> at) {
  auto state = source.past.at(at);
  if (!state) return std::unexpected(state.error());
  return overview_json({.log = source.log,
                        .state = *state,
                        .tally = source.tally,
                        .now = at ? state->time : std::max(system_time(), state->time)});
}

TopScreen::TopScreen(const OverviewSource& source, std::optional<Position> at)
    : source_(source), at_(at) {}

Result<void> TopScreen::run(TerminalScreen& screen) {
  Time shown;
  Position last;
  while (!ends_) {
    const Time now = system_time();
    auto tail = source_.log.tail();
    if (!tail) return std::unexpected(tail.error());
    const bool has_moved = tail->last != last || now - shown > shown_age_max;
    if (is_stale_ || (!at_ && !is_paused_ && has_moved)) {
      if (auto refreshed = refresh(); !refreshed) return refreshed;
      shown = now;
      last = tail->last;
    }
    draw(screen);
    act(screen.next_key(look_interval));
  }
  return {};
}

Result<void> TopScreen::refresh() {
  auto overview = overview_of(source_, at_);
  if (!overview) return std::unexpected(overview.error());
  overview_ = std::move(*overview);
  is_stale_ = false;
  return {};
}

std::vector<TopLine> TopScreen::page(const TerminalScreen& screen) const {
  const TopView view{.columns = std::max<std::size_t>(1, screen.columns()),
                     .rows = std::max<std::size_t>(2, screen.rows()) - 1,
                     .sort = sort_,
                     .filter = filter_,
                     .mode = at_          ? "past"
                             : is_paused_ ? "paused"
                                          : "now"};
  if (shows_help_) return top_help_page(view);
  return task_ ? top_task_page(*task_, view) : top_page(overview_, view);
}

std::string TopScreen::foot() const {
  if (asks_filter_) return "/" + printable(filter_);
  if (!message_.empty()) return message_;
  std::string text = fmt::format("? help  sort {}", name(sort_));
  if (!filter_.empty()) text += "  filter " + printable(filter_);
  return text;
}

void TopScreen::draw(TerminalScreen& screen) {
  page_ = page(screen);
  const auto chosen = std::ranges::find_if(
      page_, [&](const TopLine& line) { return selected_ != 0 && line.task == selected_; });
  screen.draw(page_, static_cast<std::size_t>(chosen - page_.begin()),
              cut(foot(), std::max<std::size_t>(1, screen.columns())));
}

void TopScreen::act(ScreenKey key) {
  using Kind = ScreenKey::Kind;
  if (key.kind == Kind::none || key.kind == Kind::resize) return;
  message_.clear();
  if (key.kind == Kind::end) {
    ends_ = true;
  } else if (asks_filter_) {
    edit_filter(key);
  } else if (key.kind == Kind::character) {
    act_on_character(key.character);
  } else if (key.kind == Kind::up || key.kind == Kind::down) {
    select(page_, key.kind == Kind::down);
  } else if (key.kind == Kind::enter) {
    open_task();
  } else if (key.kind == Kind::escape) {
    filter_.clear();
    task_.reset();
    shows_help_ = false;
  }
}

void TopScreen::act_on_character(char character) {
  const auto hundredth = static_cast<std::int64_t>(
      std::max<std::uint64_t>(1, overview_.value("position", std::uint64_t{0}) / 100));
  switch (character) {
    case 'q': ends_ = true; break;
    case '?': shows_help_ = !shows_help_; break;
    case ' ': is_paused_ = !is_paused_; break;
    case 's': sort_ = static_cast<TopSort>((static_cast<int>(sort_) + 1) % top_sort_count); break;
    case '/':
      asks_filter_ = true;
      filter_.clear();
      break;
    case '<': step(-1); break;
    case '>': step(1); break;
    case '{': step(-hundredth); break;
    case '}': step(hundredth); break;
    case 'n': go_to(std::nullopt); break;
    default: message_ = "? shows what the keys do"; break;
  }
}

// Bytes of UTF-8 come one by one.
void TopScreen::edit_filter(ScreenKey key) {
  using Kind = ScreenKey::Kind;
  if (key.kind == Kind::character && filter_.size() < filter_bytes_max) filter_ += key.character;
  if (key.kind == Kind::backspace) {
    const auto is_inside = [](char byte) {
      return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
    };
    while (!filter_.empty() && is_inside(filter_.back())) filter_.pop_back();
    if (!filter_.empty()) filter_.pop_back();
  }
  if (key.kind == Kind::escape) filter_.clear();
  if (key.kind == Kind::enter || key.kind == Kind::escape) asks_filter_ = false;
}

// The next task below or above; the first or the last where none is chosen.
void TopScreen::select(const std::vector<TopLine>& page, bool forward) {
  std::vector<std::uint64_t> tasks;
  for (const TopLine& line : page) {
    if (line.task != 0) tasks.push_back(line.task);
  }
  if (tasks.empty()) return;
  const auto found = std::ranges::find(tasks, selected_);
  if (found == tasks.end()) {
    selected_ = forward ? tasks.front() : tasks.back();
  } else if (forward && found + 1 != tasks.end()) {
    selected_ = found[1];
  } else if (!forward && found != tasks.begin()) {
    selected_ = found[-1];
  }
}

void TopScreen::open_task() {
  if (task_ || shows_help_) {
    task_.reset();
    shows_help_ = false;
    return;
  }
  if (selected_ == 0) {
    message_ = "up and down choose a task";
    return;
  }
  const Position shown(overview_.value("position", std::uint64_t{0}));
  auto state = source_.past.at(shown);
  if (!state) {
    message_ = line_of_error(state.error()).text;
    return;
  }
  if (!state->tasks.all.contains(TaskId(selected_))) {
    message_ = fmt::format("task {} is not there at this moment", selected_);
    return;
  }
  auto json = task_detail_json(source_.log, *state, TaskId(selected_));
  if (json) {
    task_ = std::move(*json);
  } else {
    message_ = line_of_error(json.error()).text;
  }
}

void TopScreen::step(std::int64_t events) {
  const auto first = source_.log.base();
  const auto tail = source_.log.tail();
  if (!first || !tail) return;
  const auto from = static_cast<std::int64_t>(overview_.value("position", std::uint64_t{0}));
  const auto to = std::clamp(from + events, static_cast<std::int64_t>(first->last.value),
                             static_cast<std::int64_t>(tail->last.value));
  go_to(Position(static_cast<std::uint64_t>(to)));
}

void TopScreen::go_to(std::optional<Position> at) {
  at_ = at;
  is_paused_ = false;
  is_stale_ = true;
  task_.reset();
}

}  // namespace almanac
