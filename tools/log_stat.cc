#include <almanac/tools/bar_plot.h>
#include <almanac/tools/log_commands.h>
#include <almanac/tools/log_summary.h>
#include <almanac/tools/origin_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t rate_steps = 60;
constexpr std::size_t rate_plot_lines = 4;
constexpr std::size_t types_shown_max = 20;
constexpr std::size_t screen_columns = 80;

ordered_json json_of(const LogSummary& summary) {
  ordered_json json{{"timeline", to_hex(summary.timeline)},
                    {"files", ordered_json::array()},
                    {"slack", summary.slack()},
                    {"events", summary.last.value},
                    {"frames", summary.frames},
                    {"frame_bytes", summary.frame_bytes}};
  if (summary.origin) json["origin"] = origin_json(*summary.origin);
  for (const FileSize& file : summary.files) {
    json["files"].push_back(
        {{"name", file.name}, {"bytes", file.bytes}, {"on_disk", file.on_disk}});
  }
  if (!summary.last) return json;
  json["first"] = {{"position", summary.first.value}, {"time", format_time(summary.first_time)}};
  json["last"] = {{"position", summary.last.value}, {"time", format_time(summary.last_time)}};
  for (const TypeSummary& type : summary.types) {
    ordered_json entry{{"type", type.type}};
    if (type.type == "custom") entry["custom_type"] = type.custom_type;
    entry["events"] = type.events;
    entry["bytes"] = type.bytes;
    json["types"].push_back(std::move(entry));
  }
  if (!summary.rate.empty()) {
    json["rate"] = {{"from", format_time(summary.first_time)},
                    {"step_us", summary.step.count()},
                    {"events", summary.rate}};
  }
  return json;
}

// With one decimal, cut.
std::string mean(std::uint64_t sum, std::uint64_t count) {
  return fmt::format("{}.{}", sum / count, sum % count * 10 / count);
}

void print_files(const LogSummary& summary) {
  std::uint64_t bytes = 0;
  std::uint64_t on_disk = 0;
  for (const FileSize& file : summary.files) {
    bytes += file.bytes;
    on_disk += file.on_disk;
  }
  fmt::print("size      {} in {}, {} on disk\n", format_bytes(bytes),
             counted(summary.files.size(), "file"), format_bytes(on_disk));
  for (const FileSize& file : summary.files) {
    fmt::print("{:>20}  {}\n", format_bytes(file.bytes), cut(printable(file.name), 56));
  }
  fmt::print("slack     {} of data.mdb hold no frame\n", format_bytes(summary.slack()));
}

void print_types(const LogSummary& summary) {
  Table table({"TYPE", "EVENTS", "SHARE", "CARRIED"});
  std::uint64_t others = 0;
  for (std::size_t i = 0; i < summary.types.size(); ++i) {
    const TypeSummary& type = summary.types[i];
    if (i >= types_shown_max) {
      others += type.events;
      continue;
    }
    auto name = type.type == "custom" ? "custom " + printable(type.custom_type) : type.type;
    auto thousandths = type.events * 1000 / summary.last.value;
    table.add({name, std::to_string(type.events),
               fmt::format("{}.{}%", thousandths / 10, thousandths % 10),
               format_bytes(type.bytes)});
  }
  fmt::print("\n{}", table.text(screen_columns));
  if (others > 0) {
    fmt::print("and {} of {} more types; --json lists them\n", others,
               summary.types.size() - types_shown_max);
  }
}

void print_rate(const LogSummary& summary) {
  if (summary.rate.empty()) return;
  auto most = std::to_string(std::ranges::max(summary.rate));
  fmt::print("\nevents per {}\n", format_compact(summary.step));
  auto rows = bar_plot(summary.rate, rate_plot_lines, glyphs_of_output());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto label = i == 0 ? most : i + 1 == rows.size() ? "0" : "";
    auto row = rows[i];
    row.erase(row.find_last_not_of(' ') + 1);
    fmt::print("{:>{}} |{}\n", label, most.size(), row);
  }
  auto seconds = [](Time time) { return format_time(time).substr(0, 19) + "Z"; };
  auto width = std::max<std::size_t>(summary.rate.size(), 42);
  fmt::print("{:>{}}{:>{}}\n", seconds(summary.first_time), most.size() + 22,
             seconds(summary.last_time), width - 20);
}

void print(const LogSummary& summary) {
  fmt::print("timeline  {}\n", to_hex(summary.timeline));
  if (summary.origin) {
    fmt::print("origin    {} at position {}\nforked    {}\n", to_hex(summary.origin->timeline),
               summary.origin->position.value, format_time(summary.origin->forked));
  }
  print_files(summary);
  if (!summary.last) {
    fmt::print("events    none\n");
    return;
  }
  fmt::print("events    {} in {}\n", summary.last.value, counted(summary.frames, "frame"));
  fmt::print("a frame   {} events and {}, on the average\n",
             mean(summary.last.value, summary.frames),
             format_bytes(summary.frame_bytes / summary.frames));
  fmt::print("first     {} at position {}\nlast      {} at position {}, {} later\n",
             format_time(summary.first_time), summary.first.value, format_time(summary.last_time),
             summary.last.value, format_compact(summary.last_time - summary.first_time));
  print_types(summary);
  print_rate(summary);
}

}  // namespace

ExitCode log_stat(const LogStatCommand& command) {
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto summary = summarise(command.folder, **log, rate_steps);
  if (!summary) return report(summary.error());
  if (command.json) {
    auto json = json_of(*summary);
    fmt::print("{}\n",
               printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
  } else {
    print(*summary);
  }
  return ExitCode::ok;
}

}  // namespace almanac
