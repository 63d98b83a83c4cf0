#include <almanac/tools/usage_error.h>

#include <almanac/tools/nearest.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {
namespace {

std::string help_hint(const CLI::App& app) {
  return "`" + path_of(app) + " --help` shows what can be typed";
}

// A word the command does not take: `known` are those that would have been.
Error unknown_word(const CLI::App& app, std::string_view what, const std::string& word,
                   const std::vector<std::string>& known) {
  std::vector<std::string_view> candidates(known.begin(), known.end());
  auto meant = nearest(word, candidates);
  auto next_step = meant ? "did you mean '" + std::string(*meant) + "'?" : help_hint(app);
  return {ErrorCode::invalid, "there is no " + std::string(what) + " '" + word + "'", next_step};
}

// What was typed behind the name of `app` and not understood.
std::vector<std::string> unexpected_words(const CLI::App& app) {
  auto words = app.remaining();
  std::erase(words, "--");
  return words;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

bool is_parent(const CLI::App& app) { return !app.get_subcommands({}).empty(); }

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
  if (auto words = unexpected_words(app); !words.empty()) {
    return unknown_command(app, words.front());
  }
  std::string list;
  for (const auto& name : commands_of(app)) list += (list.empty() ? "" : ", ") + name;
  return {ErrorCode::invalid, "no command stands behind `" + path_of(app) + "`",
          "add one of: " + list};
}

// A word stands where the name of a command of `app` would.
bool is_no_command(const CLI::App& app, const std::vector<std::string>& words) {
  return is_parent(app) && !words.empty() && !words.front().starts_with('-');
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
  const auto words = unexpected_words(app);
  // Options behind a command that there is not are not what is wrong.
  if (is_no_command(app, words)) return std::nullopt;
  for (const std::string& word : words) {
    if (word.starts_with('-')) return unexpected_word(app, word, is_marked);
  }
  return std::nullopt;
}

}  // namespace

std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + " " + app.get_name();
}

Error unknown_command(const CLI::App& app, const std::string& word) {
  return unknown_word(app, "command", word, commands_of(app));
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
  if (is_no_command(*app, words)) return unknown_command(*app, words.front());
  if (!words.empty() && (required || is<CLI::ExtrasError>(error))) {
    return unexpected_word(*app, words.front(), false);
  }
  std::string text = error.what();
  auto subject = text.substr(0, text.find_first_of(": "));
  if (required) {
    const std::string article = subject.starts_with('-') ? "" : "the ";
    return {ErrorCode::invalid, article + subject + " is missing", help_hint(*app)};
  }
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

}  // namespace almanac
