// What can be typed, said without the library that reads it: a group of commands in a file of its
// own declares itself through these two, and main.cc stands behind them.
#pragma once

#include <almanac/tools/exit_code.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace almanac {

struct NumberRange {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::int64_t>::max();
};

// What help says of an option: what its value is called, and a line or two.
struct OptionHelp {
  const char* type;
  const char* text;
};

// The options of one command. Names are written "--limit" or "-n,--limit", and without dashes for
// what stands at its place. The variables hold the defaults and live as long as the command.
class OptionSet {
 public:
  virtual void flag(const char* names, bool& value, const char* help) = 0;
  virtual void number(const char* names, std::uint64_t& value, NumberRange range,
                      OptionHelp help) = 0;
  virtual void integer(const char* names, std::int32_t& value, OptionHelp help) = 0;
  // Not empty.
  virtual void text(const char* names, std::string& value, OptionHelp help) = 0;
  // May be repeated, one value each time.
  virtual void texts(const char* names, std::vector<std::string>& values, OptionHelp help) = 0;
  // At their place, as many as there are.
  virtual void numbers(const char* name, std::vector<std::uint64_t>& values, NumberRange range,
                       OptionHelp help) = 0;
  virtual void words(const char* name, std::vector<std::string>& values, OptionHelp help) = 0;
  virtual void folder(std::filesystem::path& value) = 0;  // --dir, ALMANAC_DIR
  virtual void require(const char* name) = 0;
  virtual void exclude(const char* one, const char* other) = 0;

 protected:
  ~OptionSet() = default;
};

struct CommandText {
  const char* name;
  const char* description;
  const char* example;
};

// The commands below one word, such as `almanac log`.
class CommandGroup {
 public:
  template <class Command>
  struct Added {
    OptionSet& options;
    Command& command;
  };
  // A command whose options fill a structure of its own, and the function that takes it. What has
  // a `folder` gets --dir, what has `json` gets --json.
  template <class Command>
  Added<Command> add(const CommandText& text, ExitCode (*function)(const Command&)) {
    auto command = std::make_shared<Command>();
    OptionSet& options = add_command(text, [command, function] { return function(*command); });
    if constexpr (requires { command->folder; }) options.folder(command->folder);
    if constexpr (requires { command->json; }) {
      options.flag("--json", command->json, "Print JSON, one object a line");
    }
    return {options, *command};
  }

 protected:
  ~CommandGroup() = default;

 private:
  virtual OptionSet& add_command(const CommandText& text, std::function<ExitCode()> action) = 0;
};

// --at of every command that reads the state.
inline constexpr OptionHelp at_help = {"MOMENT",
                                       "As it was at a position, or at a time such as\n"
                                       "\"2026-11-21 10:00\", in UTC where it names no\nzone, or "
                                       "\"2 hours ago\": behind the last event\nnot younger"};

// `almanac log …`
void add_log_commands(CommandGroup& log);
// `almanac snapshot …`
void add_snapshot_commands(CommandGroup& snapshot);
// `almanac queue …`
void add_queue_commands(CommandGroup& queue);
// `almanac review …`
void add_review_commands(CommandGroup& review);
// `almanac circuit …`
void add_circuit_commands(CommandGroup& circuit);
// `almanac group …`
void add_group_commands(CommandGroup& group);
// `almanac component …`, `almanac heal …`
void add_component_commands(CommandGroup& component);
void add_heal_commands(CommandGroup& heal);
// `almanac context …`
void add_context_commands(CommandGroup& context);
// `almanac pool …`
void add_pool_commands(CommandGroup& pool);
// `almanac gpu …`
void add_gpu_commands(CommandGroup& gpu);
// `almanac model …`
void add_model_commands(CommandGroup& model);
// `almanac advisor …`
void add_advisor_commands(CommandGroup& advisor);
// `almanac memory …`
void add_memory_commands(CommandGroup& memory);
// `almanac schedule …`
void add_schedule_commands(CommandGroup& schedule);
// `almanac diagnostics …`
void add_diagnostics_commands(CommandGroup& diagnostics);
// `almanac submit`
void add_submit_command(CommandGroup& root);
// `almanac top`
void add_top_command(CommandGroup& root);
// `almanac health`
void add_health_command(CommandGroup& root);
// `almanac audit`
void add_audit_command(CommandGroup& root);
// `almanac token …`; daemon/token_commands.cc has it.
void add_token_commands(CommandGroup& token);
// `almanac whatif`
void add_what_if_command(CommandGroup& root);
// `almanac serve`; daemon/serve.cc has it, which knows the tools and is not known to them.
void add_serve_command(CommandGroup& root);
// Those of task_commands.h, directly behind `almanac`.
void add_task_commands(CommandGroup& root);
// Those of past_commands.h: directly behind `almanac`, and `almanac state …`
void add_past_commands(CommandGroup& root);
void add_state_commands(CommandGroup& state);

}  // namespace almanac
