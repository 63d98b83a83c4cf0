#include <almanac/tools/log_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/repair.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

std::string positions(Position from, Position to) {
  return from == to ? "position " + std::to_string(from.value)
                    : "positions " + std::to_string(from.value) + " to " + std::to_string(to.value);
}

void print(const RepairReport& report, bool dry_run) {
  fmt::print("damage: {}\n{} {} in {}, {}\n", printable(report.damage.message),
             dry_run ? "would keep" : "kept",
             counted(report.kept.value + 1 - report.first.value, "event"),
             counted(report.frames, "frame"), format_bytes(report.bytes));
  if (report.first_is_guessed) {
    fmt::print("nothing says where the log begins: it is taken to begin at position {}\n",
               report.first.value);
  } else if (report.first > Position(1)) {
    fmt::print("the log was trimmed: it begins at position {}\n", report.first.value);
  }
  if (report.lost > report.kept) {
    fmt::print("{} {}, {} of them still readable\n", dry_run ? "would cut" : "cut",
               positions(report.kept.next(), report.lost), report.readable);
  } else {
    fmt::print("nothing {} cut\n", dry_run ? "would be" : "was");
  }
  if (!dry_run) fmt::print("the old files are in {}\n", printable(report.aside.string()));
}

void print_json(const RepairReport& report) {
  nlohmann::ordered_json json{{"damage", report.damage.message},
                              {"begins_at", report.first.value},
                              {"begins_at_guessed", report.first_is_guessed},
                              {"kept_through", report.kept.value},
                              {"frames", report.frames},
                              {"bytes", report.bytes},
                              {"cut_through", report.lost.value},
                              {"cut_readable", report.readable}};
  if (!report.aside.empty()) json["old_files"] = report.aside.string();
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

ExitCode log_repair(const LogRepairCommand& command) {
  auto report = repair(command.folder, {.dry_run = command.dry_run});
  if (!report) return almanac::report(report.error());
  if (command.json) {
    print_json(*report);
  } else {
    print(*report, command.dry_run);
  }
  return ExitCode::ok;
}

}  // namespace almanac
