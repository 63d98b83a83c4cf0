#include <almanac/tools/run_log.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/tools/choices.h>

namespace almanac {

void add_log_options(OptionSet& options, RunLog& log) {
  options.text("--log-file", log.file,
               {"FILE",
                "Where to write what the engine does, and errors\nin FILE.errors too; 7 "
                "files of 10 MB are kept"});
  options.text("--log-format", log.format, {"FORMAT", "Of its lines: human (the default) or json"});
  options.text("--log-level", log.level,
               {"LEVEL", "What it has: debug, info (the default), warning\nor error"});
}

Result<void> begin_log(const RunLog& log) {
  if (log.file.empty() && !(log.format.empty() && log.level.empty())) {
    return fail(ErrorCode::invalid, "the log has no file",
                "name it with --log-file, or as file of [log]");
  }
  LogFile file{.path = log.file};
  if (!log.format.empty()) {
    auto format = choose<LogFormat>("format of a log", log.format, log_format_count);
    if (!format) return std::unexpected(format.error());
    file.format = *format;
  }
  if (!log.level.empty()) {
    auto level = choose<LogLevel>("level of a log", log.level, log_level_count);
    if (!level) return std::unexpected(level.error());
    file.level = *level;
  }
  return set_log_file(file);
}

}  // namespace almanac
