#include <almanac/tools/top_page.h>

#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// Where a page is narrower, tables leave columns out.
constexpr std::size_t wide_columns = 70;
// Rows of the page above and below its lists.
constexpr std::size_t list_rows_min = 3;

std::string text_member_of(const ordered_json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return "-";
  return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

std::uint64_t count_member(const ordered_json& json, const char* name) {
  return json.value(name, std::uint64_t{0});
}

// "2026-11-22T19:52:18.322024Z" to the second.
std::string clock_text(const ordered_json& json, const char* name) {
  const std::string time = text_member_of(json, name);
  return time.size() < 19 ? time : time.substr(0, 10) + " " + time.substr(11, 8) + "Z";
}

// Lines that are put together from words, as many on each as fit.
class WordLines {
 public:
  WordLines(std::string head, std::size_t columns_max)
      : line_(std::move(head)), indent_(columns(line_)), columns_max_(columns_max) {}

  void add(const std::string& word) {
    const std::size_t between = is_fresh_ ? 0 : 2;
    if (!is_fresh_ && columns(line_) + between + columns(word) > columns_max_) {
      lines_.push_back(std::move(line_));
      line_ = std::string(indent_, ' ');
      is_fresh_ = true;
    }
    line_ += (is_fresh_ ? "" : "  ") + word;
    is_fresh_ = false;
  }
  void finish(std::vector<TopLine>& page, TopTone tone = TopTone::plain) {
    lines_.push_back(std::move(line_));
    for (const std::string& line : lines_) page.push_back({cut(line, columns_max_), tone});
  }

 private:
  std::vector<std::string> lines_;
  std::string line_;
  std::size_t indent_;
  std::size_t columns_max_;
  bool is_fresh_ = true;
};

bool passes(const std::string& filter, const ordered_json& json,
            std::initializer_list<const char*> names) {
  if (filter.empty()) return true;
  return std::ranges::any_of(names, [&](const char* name) {
    return text_member_of(json, name).find(filter) != std::string::npos;
  });
}

// ---- Above the lists ----

TopTone tone_of_health(const std::string& health) {
  if (health == "healthy") return TopTone::good;
  return health == "degraded" ? TopTone::warning : TopTone::bad;
}

void add_head(std::vector<TopLine>& page, const ordered_json& overview, const TopView& view) {
  WordLines head("almanac  ", view.columns);
  head.add(std::string(view.mode));
  head.add("position " + text_member_of(overview, "position"));
  head.add(clock_text(overview, view.mode == "now" ? "now" : "time"));
  const ordered_json& engine = overview["engine"];
  head.add(engine.value("running", false) ? fmt::format("{} slots", count_member(engine, "slots"))
                                          : "no engine runs");
  head.finish(page, TopTone::title);
  const ordered_json& health = overview["health"];
  const std::string word = text_member_of(health, "health");
  WordLines state("health   ", view.columns);
  state.add(word);
  for (const ordered_json& reason : health["reasons"]) {
    state.add(printable(reason.get<std::string>()));
  }
  state.finish(page, tone_of_health(word));
}

void add_counts(std::vector<TopLine>& page, const ordered_json& overview, const TopView& view) {
  const ordered_json& tasks = overview["tasks"];
  WordLines counts("tasks    ", view.columns);
  for (const auto& [state, count] : tasks.items()) {
    counts.add(fmt::format("{} {}", count.get<std::uint64_t>(), state));
  }
  counts.finish(page);
}

void add_rates(std::vector<TopLine>& page, const ordered_json& overview, const TopView& view) {
  for (const ordered_json& rate : overview["rates"]) {
    WordLines line(fmt::format("{:>3} min  ", rate["minutes"].get<int>()), view.columns);
    const char* about = rate.value("sampled", false) ? "~" : "";
    for (const char* what : {"enqueued", "started", "ended", "failed"}) {
      line.add(fmt::format("{}{:.1f} {}", about, rate.value(std::string(what) + "_per_minute", 0.0),
                           what));
    }
    line.add("a minute");
    line.finish(page);
  }
}

// ---- Lists ----

struct TopList {
  std::string title;
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows = {};
  std::vector<std::uint64_t> tasks = {};  // of each row; empty = none is about one
  std::uint64_t left_out = 0;             // that the overview does not have
};

std::string duration_text(const ordered_json& json, const char* name) {
  return format_compact(Duration(json.value(name, std::int64_t{0})));
}

TopList queue_list(const ordered_json& overview, const TopView& view) {
  const bool is_wide = view.columns >= wide_columns;
  TopList list{.title = "QUEUES", .headings = {"QUEUE", "READY", "RUN"}};
  if (is_wide) list.headings.insert(list.headings.end(), {"SLOTS", "DELAYED", "WAITING"});
  list.headings.insert(list.headings.end(), {"OK", "FAILED"});
  for (const ordered_json& queue : overview["queues"]) {
    if (!passes(view.filter, queue, {"queue"})) continue;
    const auto number = [&](const char* name) { return text_member_of(queue, name); };
    std::string shown = number("queue") + (queue.value("paused", false) ? " (paused)" : "");
    std::vector<std::string> row{std::move(shown), number("ready"), number("running")};
    if (is_wide) {
      const std::string slots = count_member(queue, "slots") == 0 ? "-" : number("slots");
      row.insert(row.end(), {slots, number("delayed"), number("waiting")});
    }
    row.insert(row.end(), {number("succeeded"), number("failed")});
    list.rows.push_back(std::move(row));
  }
  return list;
}

// Those that the filter lets through, in the order of the view.
std::vector<const ordered_json*> sorted_tasks(const ordered_json& tasks, const TopView& view) {
  std::vector<const ordered_json*> sorted;
  for (const ordered_json& task : tasks) {
    if (passes(view.filter, task, {"label", "queue", "kind", "id"})) sorted.push_back(&task);
  }
  const auto by_text = [&](const char* name) {
    std::ranges::stable_sort(sorted, {},
                             [&](const ordered_json* task) { return text_member_of(*task, name); });
  };
  switch (view.sort) {
    case TopSort::time: break;  // as they come
    case TopSort::id:
      std::ranges::sort(sorted, {},
                        [](const ordered_json* task) { return count_member(*task, "id"); });
      break;
    case TopSort::queue: by_text("queue"); break;
    case TopSort::label: by_text("label"); break;
  }
  return sorted;
}

TopList running_list(const ordered_json& overview, const TopView& view) {
  const bool is_wide = view.columns >= wide_columns;
  TopList list{.title = "RUNNING", .headings = {"TASK", "FOR"}};
  if (is_wide) list.headings.insert(list.headings.end(), {"QUEUE", "KIND", "TRY", "DONE"});
  list.headings.emplace_back("LABEL");
  list.left_out = count_member(overview, "running_left_out");
  for (const ordered_json* task : sorted_tasks(overview["running"], view)) {
    std::vector<std::string> row{text_member_of(*task, "id"), duration_text(*task, "running_us")};
    if (is_wide) {
      const ordered_json& done = (*task)["permille"];
      row.insert(row.end(),
                 {text_member_of(*task, "queue"), text_member_of(*task, "kind"),
                  text_member_of(*task, "attempt"),
                  done.is_null() ? "-" : fmt::format("{}%", done.get<std::uint64_t>() / 10)});
    }
    row.push_back(text_member_of(*task, "label"));
    list.rows.push_back(std::move(row));
    list.tasks.push_back(count_member(*task, "id"));
  }
  return list;
}

TopList ended_list(const ordered_json& overview, const TopView& view) {
  const bool is_wide = view.columns >= wide_columns;
  TopList list{.title = "ENDED", .headings = {"TASK", "STATE"}};
  if (is_wide) list.headings.insert(list.headings.end(), {"CODE", "QUEUE", "AT"});
  list.headings.emplace_back("LABEL");
  for (const ordered_json* task : sorted_tasks(overview["ended"], view)) {
    std::vector<std::string> row{text_member_of(*task, "id"), text_member_of(*task, "state")};
    if (is_wide) {
      row.insert(row.end(), {text_member_of(*task, "code"), text_member_of(*task, "queue"),
                             clock_text(*task, "ended_at").substr(11)});
    }
    row.push_back(text_member_of(*task, "label"));
    list.rows.push_back(std::move(row));
    list.tasks.push_back(count_member(*task, "id"));
  }
  return list;
}

void add_list(std::vector<TopLine>& page, const TopList& list, std::size_t rows_max,
              std::size_t columns_max) {
  Table table(list.headings);
  const std::size_t shown = std::min(rows_max, list.rows.size());
  for (std::size_t i = 0; i < shown; ++i) table.add(list.rows[i]);
  const std::uint64_t more = list.rows.size() - shown + list.left_out;
  page.push_back({"", TopTone::plain});
  const std::string title = list.rows.empty() ? list.title + ": none"
                            : more > 0        ? fmt::format("{} ({} more)", list.title, more)
                                              : list.title;
  page.push_back({cut(title, columns_max), TopTone::heading});
  if (list.rows.empty()) return;
  const std::string text = table.text(columns_max);
  std::size_t row = 0;
  for (std::size_t begin = 0; begin < text.size(); ++row) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    TopLine line{cut(text.substr(begin, end - begin), columns_max)};
    if (row == 0) line.tone = TopTone::hint;
    if (row > 0 && row <= list.tasks.size()) line.task = list.tasks[row - 1];
    page.push_back(std::move(line));
    begin = end + 1;
  }
}

// ---- What is not as it should be ----

void add_circuits(std::vector<TopLine>& page, const ordered_json& overview, const TopView& view) {
  for (const ordered_json& circuit : overview["circuits"]) {
    WordLines line("circuit  ", view.columns);
    line.add(text_member_of(circuit, "service"));
    line.add(text_member_of(circuit, "state"));
    line.add("since " + clock_text(circuit, "since"));
    line.finish(page, TopTone::bad);
  }
  for (const ordered_json& part : overview["components"]) {
    WordLines line("broken   ", view.columns);
    line.add(text_member_of(part, "component") + "/" + text_member_of(part, "implementation"));
    line.add(text_member_of(part, "state"));
    line.add(text_member_of(part, "issue"));
    line.finish(page, TopTone::bad);
  }
}

void add_gpus(std::vector<TopLine>& page, const ordered_json& overview, const TopView& view) {
  for (const ordered_json& gpu : overview["gpus"]) {
    WordLines line("gpu      ", view.columns);
    line.add(text_member_of(gpu, "name"));
    line.add(text_member_of(gpu, "presence"));
    const ordered_json& used = gpu["used"];
    line.add((used.is_null() ? "?" : format_bytes(used.get<std::uint64_t>())) + " of " +
             format_bytes(count_member(gpu, "size")));
    const std::string level = text_member_of(gpu, "level");
    line.add(level);
    line.finish(page, level == "normal"    ? TopTone::plain
                      : level == "warning" ? TopTone::warning
                                           : TopTone::bad);
  }
}

// Of the rows that are left each list gets a third, and what the ones before it did not take.
void add_lists(std::vector<TopLine>& page, std::span<const TopList> lists, const TopView& view) {
  std::size_t left = view.rows > page.size() ? view.rows - page.size() : 0;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    std::size_t rows_max = lists[i].rows.size();
    if (view.rows > 0) {
      const std::size_t share = left / (lists.size() - i);
      // A blank line, the title and the headings.
      rows_max = std::min(rows_max, share > list_rows_min ? share - list_rows_min : 0);
    }
    const std::size_t before = page.size();
    add_list(page, lists[i], rows_max, view.columns);
    left -= std::min(left, page.size() - before);
  }
}

}  // namespace

std::string_view name(TopSort sort) {
  switch (sort) {
    case TopSort::time: return "time";
    case TopSort::id: return "id";
    case TopSort::queue: return "queue";
    case TopSort::label: return "label";
  }
  return "";
}

std::vector<TopLine> top_page(const ordered_json& overview, const TopView& view) {
  std::vector<TopLine> page;
  add_head(page, overview, view);
  add_counts(page, overview, view);
  add_rates(page, overview, view);
  add_circuits(page, overview, view);
  add_gpus(page, overview, view);
  const std::array lists = {queue_list(overview, view), running_list(overview, view),
                            ended_list(overview, view)};
  add_lists(page, lists, view);
  if (view.rows > 0 && page.size() > view.rows) page.resize(view.rows);
  return page;
}

std::vector<TopLine> top_task_page(const ordered_json& task, const TopView& view) {
  std::vector<TopLine> page;
  page.push_back({cut("task " + text_member_of(task, "id"), view.columns), TopTone::title});
  for (const auto& [member, value] : task.items()) {
    if (value.is_null() || value == "" || member == "id") continue;
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    page.push_back({cut(fmt::format("{:<16}  {}", member, printable(text)), view.columns)});
  }
  page.push_back({""});
  page.push_back({"enter: back", TopTone::hint});
  return page;
}

std::vector<TopLine> top_help_page(const TopView& view) {
  std::vector<TopLine> page{{"keys", TopTone::title}};
  for (const char* line :
       {"q            end", "space        pause, and go on", "up down      choose a task",
        "enter        show it, and back", "s            sort tasks by time, id, queue, label",
        "/ text       show what has this in a name; escape: all again",
        "< >          an event back, and forward",
        "{ }          a hundredth of the log back, and forward", "n            now",
        "?            this, and back"}) {
    page.push_back({cut(line, view.columns)});
  }
  return page;
}

}  // namespace almanac
