// The command line of Almanac: what can be typed, and which function answers it.
#include <almanac/tools/commands.h>

#include <almanac/version.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <string>

namespace almanac {
namespace {

// What is to be done once the line has been understood.
using Action = std::function<ExitCode()>;

class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    app_.set_help_all_flag("--help-all", "Show the help of every command");
    app_.footer(
        "Start here:\n"
        "  almanac run examples/project_report.toml\n\n"
        "Exit codes: 0 ok, 1 a task failed, 2 usage, 3 not found, 4 conflict,\n"
        "5 no daemon, 6 corrupt, 7 refused, 8 outcome unknown, 9 storage full.");
    app_.set_version_flag("--version", "almanac " + std::string(version));
    add_run();
    add_submit();
    add_list();
    add_show();
    add_cancel();
    add_log();
    add_state();
    add_version();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& asked) {
      return app_.exit(asked);
    } catch (const CLI::ParseError& error) {
      std::fprintf(stderr, "almanac: %s\n  `almanac --help` shows what can be typed\n",
                   error.what());
      return static_cast<int>(ExitCode::usage);
    }
    return static_cast<int>(action_());
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
    if constexpr (requires { options->folder; }) {
      options->folder = ".almanac";
      app->add_option("-d,--dir", options->folder, "Folder of the log")
          ->envname("ALMANAC_DIR")
          ->capture_default_str();
    }
    if constexpr (requires { options->json; }) {
      app->add_flag("--json", options->json, "Print JSON, one object a line");
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
                    "without one, runs what was submitted to the folder");
    app->add_option("-s,--slots", options->slots, "Attempts at once; 0 = one for each processor")
        ->capture_default_str();
    app->add_option("--grace", options->grace,
                    "On Ctrl-C, how long tasks may go on before they are handed back")
        ->capture_default_str();
    app->add_flag("--all", options->all, "Show every task, however many there are");
    app->add_flag("-v,--verbose", options->verbose, "Say what the engine does");
  }

  void add_submit() {
    auto [app, options] = add<SubmitCommand>(
        app_, "submit", "Add one command to the folder, for the next `almanac run`",
        "almanac submit --name backup --attempts 3 -- tar czf home.tgz /home\n"
        "  almanac run",
        almanac::submit);
    app->add_option("command", options->arguments, "The command and its arguments, after --")
        ->required();
    app->add_option("-n,--name", options->name, "What to call it; the program when left out");
    app->add_option("-q,--queue", options->queue, "Queue")->capture_default_str();
    app->add_option("-p,--priority", options->priority, "Larger runs first")->capture_default_str();
    app->add_option("--attempts", options->attempts, "Tries in all")->capture_default_str();
    app->add_option("--timeout", options->timeout, "Of one attempt, such as 30s or 5m");
    auto* delay = app->add_option("--delay", options->delay, "Not before this long from now");
    app->add_option("--run-at", options->run_at, "Not before, such as 2026-11-21T10:00:00Z")
        ->excludes(delay);
    app->add_option("--after", options->after, "Numbers of tasks that must succeed first");
    app->add_option("--tag", options->tags, "Tags");
    app->add_option("--key", options->key, "Idempotency key: the same key submits once");
  }

  void add_list() {
    auto [app, options] = add<ListCommand>(app_, "list", "List tasks",
                                           "almanac list --state failed --limit 20", almanac::list);
    options->limit = 100;
    app->add_option("--state", options->states,
                    "waiting, delayed, ready, running, cancelling,\nsucceeded, failed, cancelled");
    app->add_option("-q,--queue", options->queue, "Only this queue");
    app->add_option("--tag", options->tag, "Only this tag");
    app->add_option("--limit", options->limit, "At most so many; 0 = all")->capture_default_str();
  }

  void add_show() {
    auto [app, options] =
        add<ShowCommand>(app_, "show", "Show one task: what it is, how it went, what it said",
                         "almanac show 7\n  almanac show 7 --output > report.txt", almanac::show);
    app->add_option("id", options->id, "Number of the task")->required();
    app->add_flag("--output", options->output, "Print nothing but what its last attempt wrote");
  }

  void add_cancel() {
    auto [app, options] = add<CancelCommand>(app_, "cancel", "Cancel tasks that have not ended",
                                             "almanac cancel 7 8", almanac::cancel);
    app->add_option("id", options->ids, "Numbers of the tasks")->required();
    app->add_option("--reason", options->reason, "Why, for the record")->capture_default_str();
  }

  void add_log() {
    CLI::App* log = app_.add_subcommand("log", "Look at the log itself");
    log->require_subcommand(1);
    auto [cat, options] =
        add<LogCatCommand>(*log, "cat", "Print events",
                           "almanac log cat --from 100 --to 120 --json", almanac::log_cat);
    cat->add_option("--from", options->from, "First position")->capture_default_str();
    cat->add_option("--to", options->to, "Last position; 0 = the end")->capture_default_str();
    add<LogVerifyCommand>(*log, "verify", "Check every checksum, digest, link and event of the log",
                          "almanac log verify --dir work", almanac::log_verify);
  }

  void add_state() {
    CLI::App* state = app_.add_subcommand("state", "Look at the state folded from the log");
    state->require_subcommand(1);
    add<StateDigestCommand>(*state, "digest", "Print the digest of the state",
                            "almanac state digest --dir work", almanac::state_digest);
  }

  void add_version() {
    add<VersionCommand>(app_, "version", "Print the version", "almanac version --json",
                        almanac::show_version);
  }

  CLI::App app_{
      "A durable scheduler over one log: nothing acknowledged is lost, and every past\n"
      "moment can be seen."};
  Action action_;
};

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  try {
    return almanac::CommandLine().run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "almanac: %s\n", error.what());
    return static_cast<int>(almanac::ExitCode::work_failed);
  }
}
