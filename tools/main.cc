// The command line of Almanac: what can be typed, and which function answers it.
#include <almanac/tools/command_line.h>
#include <almanac/tools/commands.h>
#include <almanac/tools/help_text.h>
#include <almanac/tools/standard_files.h>
#include <almanac/tools/usage_error.h>

#include <almanac/engine/limits.h>
#include <almanac/log/error.h>
#include <almanac/version.h>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// What is to be done once the line has been understood.
using Action = std::function<ExitCode()>;

// ---- What a value may be ----

constexpr std::int64_t number_max = std::numeric_limits<std::int64_t>::max();

CLI::Validator whole_number(std::int64_t min, std::int64_t max) {
  auto check = [=](std::string& text) -> std::string {
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool is_number = error == std::errc() && end == text.data() + text.size();
    if (is_number && number >= min && number <= max) return {};
    auto range = max == number_max
                     ? "of " + std::to_string(min) + " or more"
                     : "between " + std::to_string(min) + " and " + std::to_string(max);
    return "'" + text + "' is not a whole number " + range;
  };
  return {check, ""};
}

CLI::Validator not_empty() {
  return {[](std::string& text) { return std::string(text.empty() ? "the value is empty" : ""); },
          ""};
}

// ---- Help ----

// Behind the 30 columns of what an option is called, within the 80 of a terminal, also where the
// help of every command sets it in by two.
constexpr std::size_t help_columns = 48;

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(option->get_description(), help_columns);
  }
  std::string make_description(const CLI::App* command) const override {
    return wrapped(command->get_description(), help_columns + 30) + "\n";
  }
  std::string make_subcommand(const CLI::App* command) const override {
    std::ostringstream text;
    CLI::detail::format_help(text, command->get_display_name(true),
                             wrapped(command->get_description(), help_columns + 2),
                             get_column_width());
    return text.str();
  }
  std::string make_footer(const CLI::App* command) const override {
    const CLI::App* typed = command;  // directly behind `almanac`
    while (typed->get_parent() != nullptr && typed->get_parent()->get_parent() != nullptr) {
      typed = typed->get_parent();
    }
    const auto guide = guide_of(typed->get_name());
    const std::string more =
        guide.empty() ? "" : "\nGuide: docs/guides/" + std::string(guide) + ".md\n";
    return Formatter::make_footer(command) + more;
  }
  // Of a command that is a group, all that are in it.
  std::string make_expanded(const CLI::App* command) const override {
    std::string text;
    for (const CLI::App* inner : command->get_subcommands({})) {
      text += (text.empty() ? "" : "\n") + command->get_name() + " " + make_expanded(inner);
    }
    return text.empty() ? Formatter::make_expanded(command) : text;
  }
};

// ---- What can be typed ----

void add_folder(CLI::App& app, std::filesystem::path& folder) {
  folder = ".almanac";
  app.add_option("-d,--dir", folder, "Folder of the log")
      ->envname("ALMANAC_DIR")
      ->check(not_empty())
      ->type_name("FOLDER")
      ->capture_default_str();
}

// The options of one command of a group.
class Typed final : public OptionSet {
 public:
  explicit Typed(CLI::App& app) : app_(app) {}

  void flag(const char* names, bool& value, const char* help) override {
    app_.add_flag(names, value, help);
  }
  void number(const char* names, std::uint64_t& value, NumberRange range,
              OptionHelp help) override {
    auto* option = app_.add_option(names, value, help.text)
                       ->check(whole_number(static_cast<std::int64_t>(range.min),
                                            static_cast<std::int64_t>(range.max)))
                       ->type_name(help.type);
    // One beyond the range stands for what has not been typed.
    if (!option->get_positional() && value <= range.max) option->capture_default_str();
  }
  void integer(const char* names, std::int32_t& value, OptionHelp help) override {
    app_.add_option(names, value, help.text)
        ->check(whole_number(std::numeric_limits<std::int32_t>::min(),
                             std::numeric_limits<std::int32_t>::max()))
        ->type_name(help.type)
        ->capture_default_str();
  }
  void text(const char* names, std::string& value, OptionHelp help) override {
    app_.add_option(names, value, help.text)->check(not_empty())->type_name(help.type);
  }
  void texts(const char* names, std::vector<std::string>& values, OptionHelp help) override {
    app_.add_option(names, values, help.text)
        ->check(not_empty())
        ->type_name(help.type)
        ->allow_extra_args(false);
  }
  void numbers(const char* name, std::vector<std::uint64_t>& values, NumberRange range,
               OptionHelp help) override {
    app_.add_option(name, values, help.text)
        ->check(whole_number(static_cast<std::int64_t>(range.min),
                             static_cast<std::int64_t>(range.max)))
        ->type_name(help.type);
  }
  void words(const char* name, std::vector<std::string>& values, OptionHelp help) override {
    app_.add_option(name, values, help.text)->type_name(help.type);
  }
  void folder(std::filesystem::path& value) override { add_folder(app_, value); }
  void require(const char* name) override { app_.get_option(name)->required(); }
  void exclude(const char* one, const char* other) override {
    app_.get_option(one)->excludes(app_.get_option(other));
  }

 private:
  CLI::App& app_;
};

// The commands below one word. `action` becomes that of the command that was typed.
class Group final : public CommandGroup {
 public:
  Group(CLI::App& parent, Action& action) : parent_(parent), action_(action) {}

 private:
  OptionSet& add_command(const CommandText& text, Action action) override {
    CLI::App* app = parent_.add_subcommand(text.name, text.description);
    app->footer("Example:\n  " + std::string(text.example));
    app->callback([this, action = std::move(action)] { action_ = action; });
    return options_.emplace_back(*app);
  }

  CLI::App& parent_;
  Action& action_;
  std::deque<Typed> options_;
};

class CommandLine {
 public:
  CommandLine() {
    app_.name("almanac");
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.require_subcommand(1);
    app_.footer(
        "Example:\n"
        "  almanac run examples/project_report.toml\n\n"
        "Exit codes: 0 ok, 1 a task failed or nothing was found, 2 usage,\n"
        "3 not found, 4 conflict, 5 no daemon, 6 corrupt, 7 refused,\n"
        "8 outcome unknown, 9 storage full.\n\n"
        "Guides: README.md and docs/guides, which `cmake --install` puts under\n"
        "share/doc/almanac.");
    app_.set_version_flag("--version", "almanac " + std::string(version), "Print the version");
    app_.set_help_flag("-h,--help", "Print this help");
    add_run();
    add_submit_command(groups_.emplace_back(app_, action_));
    add_list();
    add_show();
    for (auto* add : {add_task_commands, add_past_commands, add_health_command, add_what_if_command,
                      add_serve_command, add_top_command, add_audit_command}) {
      add(groups_.emplace_back(app_, action_));
    }
    add_groups();
    add_version();
    app_.set_help_all_flag("--help-all", "Print the help of every command");
  }

  ExitCode run(int argc, char** argv) {
    const std::span typed(argv, static_cast<std::size_t>(argc));
    if (argc > 1 && std::string_view(argv[1]) == "help") return help(typed.subspan(2));
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& asked) {
      app_.exit(asked);
      return finish_output(ExitCode::ok);
    } catch (const CLI::ParseError& error) {
      return report(usage_error(app_, error, typed));
    }
    return finish_output(action_());
  }

 private:
  // `almanac help log cat` prints what `almanac log cat --help` does.
  ExitCode help(std::span<char* const> words) {
    const CLI::App* command = &app_;
    for (const char* word : words) {
      const auto named = command->get_subcommands(
          [&](const CLI::App* inner) { return inner->get_name() == word; });
      if (named.empty()) return report(unknown_command(*command, word));
      command = named.front();
    }
    const std::string parents =
        command->get_parent() == nullptr ? "" : path_of(*command->get_parent());
    fmt::print("{}", command->help(parents));
    return finish_output(ExitCode::ok);
  }

  // A subcommand whose options fill a structure of its own, and the function that takes it.
  template <class Options>
  struct Added {
    CLI::App* app;
    std::shared_ptr<Options> options;
  };
  template <class Options>
  Added<Options> add(CLI::App& parent, const char* name, const char* description,
                     const char* example, ExitCode (*function)(const Options&)) {
    auto options = std::make_shared<Options>();
    CLI::App* app = parent.add_subcommand(name, description);
    app->footer("Example:\n  " + std::string(example));
    app->callback([this, options, function] {
      action_ = [options, function] { return function(*options); };
    });
    if constexpr (requires { options->folder; }) add_folder(*app, options->folder);
    if constexpr (requires { options->json; }) {
      app->add_flag("--json", options->json, "Print JSON, one object a line");
    }
    if constexpr (requires { options->at; }) {
      app->add_option("--at", options->at, at_help.text)
          ->check(not_empty())
          ->type_name(at_help.type);
    }
    return {app, options};
  }

  void add_run() {
    auto [app, options] = add<RunCommand>(
        app_, "run", "Run a workload until all its tasks have ended",
        "almanac run build.toml --dir work --slots 4\n"
        "  Run it again after a crash: it goes on and repeats nothing that was done.",
        almanac::run);
    app->add_option("workload", options->workload,
                    "TOML or JSON Lines file, - for standard input;\n"
                    "without one, runs what was submitted before")
        ->check(not_empty())
        ->type_name("FILE");
    app->add_option("-s,--slots", options->slots, "Attempts at once; 0 = one for each processor")
        ->check(whole_number(0, limits::slots_max))
        ->type_name("NUMBER")
        ->capture_default_str();
    app->add_option("--grace", options->grace,
                    "On Ctrl-C, how long tasks may go on before\nthey are handed back")
        ->type_name("TIME")
        ->capture_default_str();
    app->add_flag(
        "--forever", options->forever,
        "Do not end when all tasks have ended: what\nschedules enqueue runs, until Ctrl-C");
    app->add_flag("--all", options->all, "Show every task, however many there are");
    app->add_flag("-v,--verbose", options->verbose, "Say what the engine does");
    app->add_option("--retain-succeeded", options->retain_succeeded,
                    "How long tasks that succeeded are kept")
        ->type_name("TIME")
        ->capture_default_str();
    app->add_option("--retain-failed", options->retain_failed,
                    "How long tasks that failed or were cancelled\nare kept")
        ->type_name("TIME")
        ->capture_default_str();
    app->add_flag("--retain-all", options->retain_all, "Keep all tasks for ever");
    Typed typed(*app);
    add_log_options(typed, options->log);
    typed.text("--versions", options->versions,
               {"RANGE", "Run tasks of these versions, others wait,\nsuch as 1-2 or 3-"});
    typed.text("-c,--components", options->components,
               {"FILE", "Keep the components that it describes in working\norder"});
    add_gpu_options(typed, *options);
    typed.text("--advisor", options->advisor,
               {"FILE", "Let the program that it describes say which tasks\nbegin first"});
    add_backup_options(typed, options->backups);
  }

  void add_groups() {
    add_group({"queue", "Change how a queue works", "almanac queue set mail --policy urgency"},
              add_queue_commands);
    add_group({"review", "Decide about tasks that a restore holds", "almanac review run 7 8"},
              add_review_commands);
    add_group({"schedule", "Enqueue commands again and again", "almanac schedule list"},
              add_schedule_commands);
    add_group({"circuit", "Keep tasks from services that fail", "almanac circuit list"},
              add_circuit_commands);
    add_group(
        {"group", "Tasks of many submissions that belong together", "almanac group create import"},
        add_group_commands);
    add_group({"diagnostics", "Collect what helps to understand a problem",
               "almanac diagnostics export problem.json"},
              add_diagnostics_commands);
    add_group(
        {"component", "Parts that an engine keeps in working order", "almanac component list"},
        add_component_commands);
    add_group({"heal", "Find and repair what is wrong with components", "almanac heal status"},
              add_heal_commands);
    add_group({"pool", "See what becomes of the instances of pools", "almanac pool list"},
              add_pool_commands);
    add_group({"gpu", "GPUs and their memory", "almanac gpu list"}, add_gpu_commands);
    add_group({"model", "What GPUs have in memory", "almanac model list"}, add_model_commands);
    add_group({"advisor", "Programs that say which tasks begin first", "almanac advisor list"},
              add_advisor_commands);
    add_group({"memory", "What programs remember", "almanac memory search sea"},
              add_memory_commands);
    add_group({"token", "Who may ask a daemon", "almanac token list"}, add_token_commands);
    add_group({"context", "What is known of users", "almanac context get --user ann"},
              add_context_commands);
    add_group({"log", "Look at the log itself", "almanac log cat --from 100\n  almanac log verify"},
              add_log_commands);
    add_group({"state", "Look at the state folded from the log", "almanac state verify"},
              add_state_commands);
    add_group({"snapshot", "Archive the log, and look at archives",
               "almanac snapshot create --repository /backup/build"},
              add_snapshot_commands);
  }

  void add_list() {
    auto [app, options] = add<ListCommand>(app_, "list", "List tasks",
                                           "almanac list --state failed --limit 20", almanac::list);
    options->limit = 100;
    app->add_option(
           "--state", options->states,
           "waiting, delayed, ready, running, cancelling,\nsucceeded, failed, cancelled, held")
        ->type_name("STATE");
    app->add_option("-q,--queue", options->queue, "Only this queue")->type_name("NAME");
    app->add_option("--tag", options->tag, "Only this tag")->type_name("NAME");
    app->add_option("--where", options->where,
                    "Only those for which this holds, such as\n"
                    "'attempts > 2 && queue in [\"web\", \"mail\"]'")
        ->check(not_empty())
        ->type_name("EXPRESSION");
    app->add_option("--limit", options->limit, "At most so many; 0 = all")
        ->check(whole_number(0, number_max))
        ->type_name("NUMBER")
        ->capture_default_str();
  }

  void add_show() {
    auto [app, options] =
        add<ShowCommand>(app_, "show", "Show one task, how it went and what it wrote",
                         "almanac show 7\n  almanac show 7 --output > report.txt", almanac::show);
    app->add_option("id", options->id, "Number of the task")
        ->required()
        ->check(whole_number(1, number_max))
        ->type_name("");
    app->add_flag("--output", options->output, "Print nothing but what its last attempt wrote");
  }

  // `almanac NAME …`
  void add_group(const CommandText& text, void (*add_commands)(CommandGroup&)) {
    CLI::App* group = app_.add_subcommand(text.name, text.description);
    group->require_subcommand(1);
    group->footer(std::string("Example:\n  ") + text.example);
    add_commands(groups_.emplace_back(*group, action_));
  }

  void add_version() {
    add<VersionCommand>(app_, "version", "Print the version", "almanac version --json",
                        almanac::show_version);
  }

  CLI::App app_{
      "A durable scheduler over one log: nothing acknowledged is lost, and every past\n"
      "moment can be seen."};
  Action action_;
  std::deque<Group> groups_;
};

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  using almanac::ExitCode;
  auto code = ExitCode::ok;
  try {
    almanac::open_standard_files();
    code = almanac::CommandLine().run(argc, argv);
  } catch (const std::system_error& error) {
    // What fmt throws when it cannot print.
    bool reader_went_away = error.code() == std::errc::broken_pipe;
    if (!reader_went_away) {
      code = almanac::report(almanac::fail_errno(error.code().value(), "print").error());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "almanac: %s\n", error.what());
    code = ExitCode::work_failed;
  }
  return static_cast<int>(code);
}
