#include <almanac/daemon/token_commands.h>

#include <almanac/daemon/token_file.h>
#include <almanac/engine/engine.h>
#include <almanac/tools/command_line.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <string_view>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// Changes nothing.
Result<std::filesystem::path> token_path(const std::filesystem::path& folder,
                                         const std::string& file) {
  if (!file.empty()) return std::filesystem::absolute(file);
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return fail(ErrorCode::not_found, "there is no folder " + folder.string(),
                "name that of the daemon with --dir, or its file of tokens with --file");
  }
  return folder / "daemon" / "tokens";
}

// What doors need lies in a folder of the log's own, which the daemon makes too.
Result<void> make_doors(const TokenCreateCommand& command) {
  if (!command.file.empty()) return {};
  const std::filesystem::path doors = command.folder / "daemon";
  if (::mkdir(doors.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail_errno(errno, "make the folder " + doors.string());
}

// None where there is no file yet.
Result<AccessTokens> tokens_of(const std::filesystem::path& file) {
  auto tokens = AccessTokens::load(file);
  if (!tokens && tokens.error().code == ErrorCode::not_found) return AccessTokens();
  return tokens;
}

ordered_json token_json(const AccessToken& token, Time now) {
  const auto time = [](Time at) {
    return at == Time() ? ordered_json() : ordered_json(format_second(at));
  };
  ordered_json json{{"name", token.name}, {"scopes", text_of(token.scopes)}};
  json["made"] = time(token.made);
  json["expires"] = time(token.expires);
  json["expired"] = token.has_expired(now);
  json["by_hand"] = token.by_hand;
  return json;
}

Result<NewToken> token_of(const TokenCreateCommand& command, Time now) {
  const auto scopes = scopes_from(command.scopes);
  if (!scopes) {
    return fail(ErrorCode::invalid, fmt::format("'{}' are no scopes", printable(command.scopes)),
                "write some of read,submit,work,operate");
  }
  NewToken token{.name = command.name, .scopes = *scopes, .made = now, .expires = {}};
  if (command.expires.empty()) return token;
  auto good_for = parse_duration(command.expires);
  if (!good_for) return std::unexpected(good_for.error());
  if (*good_for < std::chrono::seconds(1)) {
    return fail(ErrorCode::invalid, "it would have expired at once", "write a second or more");
  }
  token.expires = now + *good_for;
  return token;
}

Result<std::string> created(const TokenCreateCommand& command, Time now) {
  auto file = token_path(command.folder, command.file);
  if (!file) return std::unexpected(file.error());
  auto token = token_of(command, now);
  if (!token) return std::unexpected(token.error());
  if (auto made = make_doors(command); !made) return std::unexpected(made.error());
  return add_token(*file, *token);
}

void add_token_file(OptionSet& options, std::string& file) {
  options.text("--file", file, {"FILE", "The file of tokens (http.token_file of the daemon)"});
}

}  // namespace

ExitCode token_create(const TokenCreateCommand& command) {
  auto token = created(command, system_time());
  if (!token) return report(token.error());
  if (command.json) {
    fmt::print("{}\n", ordered_json{{"name", command.name}, {"token", *token}}.dump());
  } else {
    fmt::print("{}\n", *token);
    fmt::print(stderr, "Keep it: it is shown this once.\n");
  }
  return ExitCode::ok;
}

ExitCode token_list(const TokenListCommand& command) {
  auto file = token_path(command.folder, command.file);
  if (!file) return report(file.error());
  const auto tokens = tokens_of(*file);
  if (!tokens) return report(tokens.error());
  if (tokens->all().empty() && !command.json) {
    fmt::print("no tokens; `almanac token create` makes one\n");
    return ExitCode::ok;
  }
  const Time now = system_time();
  Table table({"name", "may", "made", "expires"});
  for (const AccessToken& token : tokens->all()) {
    if (command.json) {
      fmt::print("{}\n", token_json(token, now).dump());
      continue;
    }
    const std::string expires = token.expires == Time() ? "never" : format_second(token.expires);
    table.add({token.name, text_of(token.scopes),
               token.by_hand ? "by hand" : format_second(token.made),
               token.has_expired(now) ? expires + " (expired)" : expires});
  }
  if (!command.json) fmt::print("{}", table.text(terminal_columns()));
  return ExitCode::ok;
}

ExitCode token_revoke(const TokenRevokeCommand& command) {
  auto file = token_path(command.folder, command.file);
  if (!file) return report(file.error());
  const auto tokens = tokens_of(*file);
  if (!tokens) return report(tokens.error());
  if (tokens->all().empty()) {
    return report({ErrorCode::not_found, "there is no token '" + printable(command.name) + "'",
                   "`almanac token create` makes one"});
  }
  if (auto removed = remove_token(*file, command.name); !removed) return report(removed.error());
  if (command.json) fmt::print("{}\n", ordered_json{{"revoked", command.name}}.dump());
  return ExitCode::ok;
}

void add_token_commands(CommandGroup& token) {
  auto [create_options, create] = token.add<TokenCreateCommand>(
      {"create", "Make one, and print it: it is shown this once",
       "almanac token create --dir work --name ci --scopes read,submit --expires 30d"},
      token_create);
  create_options.text("--name", create.name, {"NAME", "Who has it: what it does is on record so"});
  create_options.require("--name");
  create_options.text("--scopes", create.scopes,
                      {"LIST", "What it may, of read,submit,work,operate; all when\nleft out"});
  create_options.text("--expires", create.expires,
                      {"TIME", "How long it is good for, such as 30d; for ever when\nleft out"});
  add_token_file(create_options, create.file);
  auto [list_options, list] = token.add<TokenListCommand>(
      {"list", "List them: names, what they may, until when", "almanac token list --dir work"},
      token_list);
  add_token_file(list_options, list.file);
  auto [revoke_options, revoke] = token.add<TokenRevokeCommand>(
      {"revoke", "Let nobody in by it any more, from now on", "almanac token revoke ci --dir work"},
      token_revoke);
  revoke_options.text("name", revoke.name, {"", "Its name"});
  revoke_options.require("name");
  add_token_file(revoke_options, revoke.file);
}

}  // namespace almanac
