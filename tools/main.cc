// The command line of Almanac: what can be typed, and which function answers it.
#include <almanac/tools/command_line.h>
#include <almanac/tools/commands.h>
#include <almanac/tools/nearest.h>
#include <almanac/tools/standard_files.h>

#include <almanac/engine/limits.h>
#include <almanac/log/error.h>
#include <almanac/version.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// What is to be done once the line has been understood.
using Action = std::function<ExitCode()>;

// ---- What is wrong with a line, in words that do not change with CLI11's version ----

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

// "almanac log cat"
std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + " " + app.get_name();
}

std::string help_hint(const CLI::App& app) {
  return "`" + path_of(app) + " --help` shows what can be typed";
}

// What was typed behind the name of `app` and not understood.
std::vector<std::string> unexpected_words(const CLI::App& app) {
  auto words = app.remaining();
  std::erase(words, "--");
  return words;
}

bool is_parent(const CLI::App& app) { return !app.get_subcommands({}).empty(); }

// A word the command does not take: `known` are those that would have been.
Error unknown_word(const CLI::App& app, std::string_view what, const std::string& word,
                   const std::vector<std::string>& known) {
  std::vector<std::string_view> candidates(known.begin(), known.end());
  auto meant = nearest(word, candidates);
  auto next_step = meant ? "did you mean '" + std::string(*meant) + "'?" : help_hint(app);
  return {ErrorCode::invalid, "there is no " + std::string(what) + " '" + word + "'", next_step};
}

// `is_marked`: -- was typed, behind which a command to run stands.
Error unexpected_word(const CLI::App& app, const std::string& word, bool is_marked) {
  if (!word.starts_with('-')) {
    return {ErrorCode::invalid, "'" + word + "' is one word too many", help_hint(app)};
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) known.push_back(option->get_name());
  auto error = unknown_word(app, "option", word, known);
  if (is_parent(app)) error.next_step = "write options behind the command: `almanac list --json`";
  if (!is_marked && app.get_option_no_throw("command") != nullptr) {
    error.next_step =
        "write -- in front of the command: `" + path_of(app) + " -- tar -czf home.tgz`";
  }
  return error;
}

Error missing_command(const CLI::App& app) {
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands({})) known.push_back(command->get_name());
  if (auto words = unexpected_words(app); !words.empty()) {
    return unknown_word(app, "command", words.front(), known);
  }
  std::string list;
  for (const auto& name : known) list += (list.empty() ? "" : ", ") + name;
  return {ErrorCode::invalid, "no command stands behind `" + path_of(app) + "`",
          "add one of: " + list};
}

template <class Kind>
bool is(const CLI::ParseError& error) {
  return dynamic_cast<const Kind*>(&error) != nullptr;
}

// What stands behind an option that nobody knows is one word too many to CLI11, and not what is
// wrong. The innermost command was asked first.
std::optional<Error> unknown_option(const CLI::App& app, bool is_marked) {
  if (!app.get_subcommands().empty()) {
    if (auto inner = unknown_option(*app.get_subcommands().front(), is_marked)) return inner;
  }
  for (const std::string& word : unexpected_words(app)) {
    if (word.starts_with('-')) return unexpected_word(app, word, is_marked);
  }
  return std::nullopt;
}

Error usage_error(const CLI::App& root, const CLI::ParseError& error,
                  std::span<char* const> typed) {
  const bool is_marked = std::ranges::find(typed, std::string_view("--")) != typed.end();
  if (auto unknown = unknown_option(root, is_marked)) return *unknown;
  const CLI::App* app = &root;
  while (unexpected_words(*app).empty() && !app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
  }
  bool required = is<CLI::RequiredError>(error);
  if (required && is_parent(*app)) return missing_command(*app);
  auto words = unexpected_words(*app);
  if (!words.empty() && (required || is<CLI::ExtrasError>(error))) {
    return unexpected_word(*app, words.front(), false);
  }
  std::string text = error.what();
  auto subject = text.substr(0, text.find_first_of(": "));
  if (required) return {ErrorCode::invalid, "the " + subject + " is missing", help_hint(*app)};
  if (is<CLI::ExcludesError>(error)) {
    return {ErrorCode::invalid, text, "keep one of them"};
  }
  if (is<CLI::ArgumentMismatch>(error)) {
    bool missing = text.ends_with("missing") || text.ends_with("received 0");
    return {ErrorCode::invalid,
            subject + (missing ? " needs a value behind it" : " was given more than once"),
            help_hint(*app)};
  }
  return {ErrorCode::invalid, text, help_hint(*app)};
}

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
    if (!option->get_positional()) option->capture_default_str();
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
    app_.require_subcommand(1);
    app_.footer(
        "Example:\n"
        "  almanac run examples/project_report.toml\n\n"
        "Exit codes: 0 ok, 1 a task failed or nothing was found, 2 usage,\n"
        "3 not found, 4 conflict, 5 no daemon, 6 corrupt, 7 refused,\n"
        "8 outcome unknown, 9 storage full.");
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
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& asked) {
      app_.exit(asked);
      return finish_output(ExitCode::ok);
    } catch (const CLI::ParseError& error) {
      return report(usage_error(app_, error, {argv, static_cast<std::size_t>(argc)}));
    }
    return finish_output(action_());
  }

 private:
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
