#include <almanac/tools/trace_file.h>

#include <almanac/tools/limits.h>
#include <almanac/tools/line_reader.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <ranges>
#include <string_view>

namespace almanac {
namespace {

enum TraceColumn : std::size_t {
  arrival,
  duration,
  kind,
  queue,
  priority,
  outcome,
  owner,
  deadline,
  estimate,
  model
};
constexpr std::size_t column_count = 10;

// What each is called here, and what else it is known as.
struct ColumnNames {
  std::string_view name;
  std::array<std::string_view, 2> others;
};
constexpr std::array<ColumnNames, column_count> usual = {{
    {"arrival", {"gmt_create", "arrived_at"}},
    {"duration", {"exec_time_seconds", "run_time"}},
    {"kind", {"predict_type", "type"}},
    {"queue", {"", ""}},
    {"priority", {"", ""}},
    {"outcome", {"predict_status", "status"}},
    {"owner", {"groupId", "user"}},
    {"deadline", {"", ""}},
    {"estimate", {"", ""}},
    {"model", {"checkpoint_model_version_id", ""}},
}};

using Fields = std::vector<std::string>;

// A field in quotes may hold commas, and a quote as two.
Fields split_fields(std::string_view line) {
  Fields fields(1);
  bool quoted = false;
  if (line.ends_with('\r')) line.remove_suffix(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Duration> seconds(std::string_view text) {
  constexpr double seconds_max = 1e11;
  const auto value = number(text);
  if (!value || *value < 0 || *value > seconds_max) return std::nullopt;
  return Duration(static_cast<std::int64_t>(*value * 1e6));
}

class TraceReader {
 public:
  explicit TraceReader(LineReader lines) : lines_(std::move(lines)) {}

  Result<void> read_head(const std::vector<std::string>& columns) {
    auto read = lines_.next();
    if (!read) return std::unexpected(read.error());
    if (!*read)
      return bad("there is no line that names the columns", "write one: arrival,duration");
    head_ = split_fields(lines_.line());
    for (std::size_t i = 0; i < column_count; ++i) {
      place(static_cast<TraceColumn>(i), usual[i].name);
      for (std::string_view other : usual[i].others) {
        if (!places_[i]) place(static_cast<TraceColumn>(i), other);
      }
    }
    for (const std::string& text : columns) {
      if (auto named = take(text); !named) return named;
    }
    if (places_[arrival]) return {};
    return bad("no column says when a request arrived", "name it: --columns arrival=NAME");
  }

  Result<RecordedWork> read_rows() {
    RecordedWork work;
    while (true) {
      auto read = lines_.next();
      if (!read) return std::unexpected(read.error());
      if (!*read) break;
      if (lines_.line().empty()) continue;
      row_ = split_fields(lines_.line());
      auto task = read_row();
      if (!task) return std::unexpected(task.error());
      if (work.tasks.size() == limits::workload_tasks_max) {
        return bad(fmt::format("more than {} requests", limits::workload_tasks_max),
                   "take a part of them");
      }
      work.tasks.push_back(std::move(*task));
    }
    std::ranges::stable_sort(work.tasks, {}, &RecordedTask::arrived);
    return work;
  }

 private:
  std::unexpected<Error> bad(const std::string& what, const std::string& next_step) const {
    return fail(ErrorCode::invalid,
                fmt::format("{}, line {}: {}", lines_.shown(),
                            std::max<std::size_t>(lines_.number(), 1), what),
                next_step);
  }
  void place(TraceColumn column, std::string_view heading) {
    const auto found = std::ranges::find(head_, heading);
    if (heading.empty() || found == head_.end()) return;
    places_[column] = static_cast<std::size_t>(found - head_.begin());
  }
  // "queue=model"
  Result<void> take(const std::string& text) {
    const auto middle = std::min(text.find('='), text.size());
    const auto name = text.substr(0, middle);
    const auto known = std::ranges::find(usual, name, &ColumnNames::name);
    if (known == usual.end() || middle == text.size()) {
      return bad("'" + printable(text) + "' names no column",
                 fmt::format("write NAME=HEADING; names are {}",
                             fmt::join(std::views::transform(usual, &ColumnNames::name), ", ")));
    }
    const auto column = static_cast<TraceColumn>(known - usual.begin());
    places_[column] = std::nullopt;
    place(column, std::string_view(text).substr(middle + 1));
    if (places_[column]) return {};
    return bad("there is no column '" + printable(text.substr(middle + 1)) + "'",
               "the first line of the file names them");
  }
  std::string_view field(TraceColumn column) const {
    const auto place = places_[column];
    return place && *place < row_.size() ? std::string_view(row_[*place]) : std::string_view();
  }

  Result<RecordedTask> read_row() const {
    RecordedTask task;
    auto read = read_moment(arrival, task.arrived);
    if (read) read = read_moment(deadline, task.spec.deadline);
    if (read) read = read_duration(estimate, task.spec.estimate);
    if (!read) return std::unexpected(read.error());
    task.spec.owner = field(owner);
    task.spec.kind = field(kind).empty() ? "request" : field(kind);
    if (!field(queue).empty()) task.spec.queue = field(queue);
    if (!field(priority).empty()) {
      const auto value = number(field(priority));
      if (!value || *value < INT32_MIN || *value > INT32_MAX) {
        return bad("'" + printable(field(priority)) + "' is no priority", "write a whole number");
      }
      task.spec.priority = static_cast<std::int32_t>(*value);
    }
    if (!field(model).empty()) task.spec.demands = {{std::string(field(model)), 1}};
    if (field(duration).empty()) return task;
    RecordedAttempt attempt{.status = status()};
    if (read = read_duration(duration, attempt.took); !read) return std::unexpected(read.error());
    task.attempts.push_back(attempt);
    return task;
  }
  // Nothing where nothing stands, but for the arrival.
  Result<void> read_moment(TraceColumn column, Time& time) const {
    if (column != arrival && field(column).empty()) return {};
    const auto since = seconds(field(column));
    const auto moment = since ? Result<Time>(Time(*since)) : parse_moment(field(column), Time());
    if (!moment) return bad(moment.error().message, moment.error().next_step);
    time = *moment;
    return {};
  }
  Result<void> read_duration(TraceColumn column, Duration& span) const {
    if (field(column).empty()) return {};
    const auto plain = seconds(field(column));
    const auto read = plain ? Result<Duration>(*plain) : parse_duration(field(column));
    if (!read) return bad(read.error().message, read.error().next_step);
    span = *read;
    return {};
  }
  AttemptStatus status() const {
    std::string text(field(outcome));
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    const bool failed = text.starts_with("fail") || text.starts_with("err");
    return failed ? AttemptStatus::error : AttemptStatus::succeeded;
  }

  LineReader lines_;
  Fields head_;
  Fields row_;
  std::array<std::optional<std::size_t>, column_count> places_;
};

}  // namespace

Result<RecordedWork> read_trace(const std::string& path, const std::vector<std::string>& columns) {
  auto lines = LineReader::open(path, limits::trace_line_bytes_max);
  if (!lines) return std::unexpected(lines.error());
  TraceReader reader(std::move(*lines));
  if (auto head = reader.read_head(columns); !head) return std::unexpected(head.error());
  return reader.read_rows();
}

}  // namespace almanac
