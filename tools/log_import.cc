#include <almanac/tools/event_json.h>
#include <almanac/tools/export_head.h>
#include <almanac/tools/limits.h>
#include <almanac/tools/line_reader.h>
#include <almanac/tools/log_commands.h>
#include <almanac/tools/text.h>

#include <almanac/log/import.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <utility>

namespace almanac {
namespace {

std::unexpected<Error> at_line(const LineReader& reader, const LineFault& fault) {
  return fail(
      ErrorCode::invalid,
      fmt::format("{}:{}:{}: {}", reader.shown(), reader.number(), fault.column, fault.message),
      fault.next_step);
}

// The lines of events become frames: one is whole when the next begins.
class FrameLines {
 public:
  explicit FrameLines(LogImport& log)
      : log_(log), last_(log.tail().last), latest_(log.tail().time) {}

  // Takes one line. Faults are about this line.
  Result<void> take(const LineReader& reader) {
    auto parsed = parse_event(reader.line(), *memory_);
    if (!parsed) return at_line(reader, parsed.error());
    if (auto checked = check(*parsed, reader.line()); !checked) {
      return at_line(reader, checked.error());
    }
    if (parsed->frame) {
      if (auto flushed = flush(); !flushed) return flushed;
      frame_time_ = parsed->frame->time;
    }
    const auto& [position, event] = parsed->recorded;
    events_.push_back(event);
    bytes_ += reader.line().size();
    last_ = position;
    latest_ = event.at;
    return {};
  }
  // Gives what is there to the log. The line that begins a frame lies in the memory of the one
  // before: two memories in turn, of which the older is never needed any more.
  Result<void> flush() {
    Result<void> added;
    if (!events_.empty()) {
      added = log_.add(frame_time_, std::exchange(events_, {}));
      ++frames_;
    }
    bytes_ = 0;
    before_->clear();
    std::swap(memory_, before_);
    return added;
  }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] bool begun() const { return frames_ != 0 || !events_.empty(); }

 private:
  using Checked = std::expected<void, LineFault>;
  Checked check(const ParsedEvent& parsed, std::string_view line) const;

  LogImport& log_;
  std::unique_ptr<EventMemory> memory_ = std::make_unique<EventMemory>();
  std::unique_ptr<EventMemory> before_ = std::make_unique<EventMemory>();
  std::vector<Event> events_;
  std::size_t bytes_ = 0;  // of their lines
  std::uint64_t frames_ = 0;
  Time frame_time_;
  Position last_;
  Time latest_;
};

FrameLines::Checked FrameLines::check(const ParsedEvent& parsed, std::string_view line) const {
  auto wrong = [&](const char* key, std::string message, std::string next_step) {
    return std::unexpected(
        LineFault{column_of(line, key), std::move(message), std::move(next_step)});
  };
  const auto& [position, event] = parsed.recorded;
  if (position != last_.next()) {
    return wrong("position",
                 fmt::format("event {} stands where {} should", position.value, last_.value + 1),
                 "lines are missing or were moved: export the log again");
  }
  if (!parsed.frame && events_.empty()) {
    return wrong("position", "the first event begins no frame", "add \"frame\": true to it");
  }
  if (event.at < latest_) {
    return wrong("time", "the event is older than the one before it",
                 "give it the time of that one");
  }
  auto frame_time = parsed.frame ? parsed.frame->time : frame_time_;
  if (event.at < frame_time || event.at - frame_time > Duration(UINT32_MAX)) {
    return wrong(parsed.frame ? "frame_time" : "time",
                 "the event lies before its frame, or over 71 minutes behind it",
                 "begin another frame with it: \"frame\": true");
  }
  auto size = check_batch({.events = {event}, .memory = {}});
  if (!size) return wrong("type", size.error().message, "export the log again");
  if (parsed.frame) return {};
  if (events_.size() >= limits::export_frame_events_max ||
      bytes_ + line.size() > limits::export_frame_bytes_max) {
    return wrong("position", "the frame is larger than frames are",
                 "begin another frame with it: \"frame\": true");
  }
  return {};
}

Result<ExportHead> read_head(LineReader& reader) {
  auto there = reader.next();
  if (!there) return std::unexpected(there.error());
  auto head = parse_export_head(*there ? reader.line() : "");
  if (!head) {
    return fail(ErrorCode::invalid, fmt::format("{}:1: {}", reader.shown(), head.error().message),
                head.error().next_step);
  }
  if (head->partial) {
    return fail(ErrorCode::refused,
                reader.shown() + " was exported with a filter and holds only some of the events",
                "export the log again, without a filter");
  }
  return *head;
}

// What the index knew of events that are not there.
Result<void> take_removed(const LineReader& reader, LogImport& log) {
  auto record = parse_removed(reader.line());
  return record ? log.add_removed(*record) : at_line(reader, record.error());
}

// What was read is what was exported.
Result<void> check_end(const LineReader& reader, const ExportHead& head, const LogTail& tail) {
  if (tail.last != head.last) {
    return fail(ErrorCode::invalid,
                fmt::format("{}:{}: the file ends with event {} of {}", reader.shown(),
                            reader.number(), tail.last.value, head.last.value),
                "it was cut short: export the log again");
  }
  if (head.digest && *head.digest != tail.digest) {
    return fail(
        ErrorCode::invalid,
        reader.shown() + " was changed after it was exported: the last frame's digest is " +
            to_hex(tail.digest),
        "export the log again; to import it as it is, take \"digest\" out of the first line");
  }
  return {};
}

struct Imported {
  LogTail tail;
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
};

Result<Imported> import_log(const LogImportCommand& command) {
  auto reader = LineReader::open(command.file, limits::export_line_bytes_max);
  if (!reader) return std::unexpected(reader.error());
  auto head = read_head(*reader);
  if (!head) return std::unexpected(head.error());
  auto log = LogImport::begin(command.folder, head->timeline, head->base, head->checkpoint);
  if (!log) return std::unexpected(log.error());
  if (head->origin) {
    if (auto said = (*log)->set_origin(*head->origin); !said) return std::unexpected(said.error());
  }
  FrameLines lines(**log);
  for (;;) {
    auto there = reader->next();
    if (!there) return std::unexpected(there.error());
    if (!*there) break;
    const bool removed = !lines.begun() && is_removed_line(reader->line());
    auto taken = removed ? take_removed(*reader, **log) : lines.take(*reader);
    if (!taken) return std::unexpected(taken.error());
  }
  if (auto flushed = lines.flush(); !flushed) return std::unexpected(flushed.error());
  auto tail = (*log)->tail();
  if (auto checked = check_end(*reader, *head, tail); !checked) {
    return std::unexpected(checked.error());
  }
  if (auto finished = (*log)->finish(); !finished) return std::unexpected(finished.error());
  return Imported{tail, tail.last.value - head->base.last.value, lines.frames()};
}

}  // namespace

ExitCode log_import(const LogImportCommand& command) {
  auto imported = import_log(command);
  if (!imported) return report(imported.error());
  const LogTail& tail = imported->tail;
  if (command.json) {
    nlohmann::ordered_json json{{"events", imported->events},
                                {"frames", imported->frames},
                                {"digest", to_hex(tail.digest)}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("{} in {}\nlast frame {}\n", counted(imported->events, "event"),
               counted(imported->frames, "frame"), to_hex(tail.digest));
  }
  return ExitCode::ok;
}

}  // namespace almanac
