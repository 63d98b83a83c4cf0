#include <almanac/daemon/token_file.h>

#include <almanac/daemon/limits.h>
#include <almanac/daemon/secret_file.h>
#include <almanac/log/file.h>
#include <almanac/log/hash.h>

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace almanac {
namespace {

constexpr std::string_view token_file_head = "# Who may ask by TCP: see `almanac token --help`.\n";

// What another user changes stays the owner's: of the file, or where there is none of its folder.
Result<void> leave_to_owner(int opened, const std::filesystem::path& file) {
  struct stat found{};
  const bool is_known =
      ::stat(file.c_str(), &found) == 0 || ::stat(file.parent_path().c_str(), &found) == 0;
  if (!is_known || found.st_uid == ::geteuid()) return {};
  if (::fchown(opened, found.st_uid, found.st_gid) == 0) return {};
  return fail_errno(errno, "leave " + file.string() + " to its owner");
}

Result<void> write_token_file(const std::filesystem::path& file, std::string_view text) {
  const std::filesystem::path draft = file.string() + ".new";
  ::unlink(draft.c_str());
  const FileDescriptor opened(
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!opened.valid() || ::fchmod(opened.get(), 0600) != 0 ||
      ::write(opened.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(opened.get()) != 0) {
    return fail_errno(errno, "write the file of tokens, " + file.string());
  }
  if (auto left = leave_to_owner(opened.get(), file); !left) return left;
  return rename_synced(draft, file);
}

// Held as long as it lives, also against other processes.
Result<FileDescriptor> lock_tokens(const std::filesystem::path& file) {
  FileDescriptor lock(
      ::open((file.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.valid() || ::flock(lock.get(), LOCK_EX) != 0) {
    return fail_errno(errno, "lock the file of tokens, " + file.string());
  }
  if (auto left = leave_to_owner(lock.get(), file); !left) return std::unexpected(left.error());
  return lock;
}

struct OpenedTokens {
  FileDescriptor lock;
  std::string text;
  AccessTokens tokens;
};

Result<OpenedTokens> open_to_change(const std::filesystem::path& file) {
  auto lock = lock_tokens(file);
  if (!lock) return std::unexpected(lock.error());
  OpenedTokens opened{.lock = std::move(*lock), .text = std::string(token_file_head), .tokens = {}};
  if (::access(file.c_str(), F_OK) != 0) return opened;
  auto text = read_secret_file(file, limits::token_file_bytes_max);
  if (!text) return std::unexpected(text.error());
  auto tokens = AccessTokens::parse(*text, file.string());
  if (!tokens) return std::unexpected(tokens.error());
  opened.text = std::move(*text);
  opened.tokens = std::move(*tokens);
  return opened;
}

// Without one of its lines, counted from 0.
std::string without_line(std::string_view text, std::size_t number) {
  std::string left;
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    if (i != number) left += text.substr(0, end);
    text.remove_prefix(end);
  }
  return left;
}

// The line of a token of this name, counted from 0; none = there is none.
std::optional<std::size_t> line_with(std::string_view text, std::string_view name) {
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto token = token_in_line(text.substr(0, end));
    if (token && (token->by_hand ? fmt::format("line {}", i + 1) : token->name) == name) return i;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace

Result<void> make_token_file(const std::filesystem::path& file) {
  if (::access(file.c_str(), F_OK) == 0) return {};
  auto lock = lock_tokens(file);
  if (!lock) return std::unexpected(lock.error());
  if (::access(file.c_str(), F_OK) == 0) return {};
  return write_token_file(file, token_file_head);
}

Result<std::string> add_token(const std::filesystem::path& file, const NewToken& token) {
  if (!is_token_name(token.name)) {
    return fail(ErrorCode::invalid, "this is no name of a token",
                "use 1 to 64 letters, digits, and - . _ @");
  }
  auto opened = open_to_change(file);
  if (!opened) return std::unexpected(opened.error());
  const auto& known = opened->tokens.all();
  if (std::ranges::find(known, token.name, &AccessToken::name) != known.end()) {
    return fail(ErrorCode::conflict, fmt::format("there is a token '{}' already", token.name),
                fmt::format("take another name, or `almanac token revoke {}` first", token.name));
  }
  if (known.size() >= limits::tokens_max) {
    return fail(ErrorCode::invalid, fmt::format("there are {} tokens already", limits::tokens_max),
                "revoke those that nobody uses");
  }
  std::string made = make_access_token();
  std::string text = std::move(opened->text);
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  text += line_of({.name = token.name,
                   .scopes = token.scopes,
                   .made = token.made,
                   .expires = token.expires,
                   .digest = blake2b(as_bytes(made))}) +
          "\n";
  if (auto written = write_token_file(file, text); !written) {
    return std::unexpected(written.error());
  }
  return made;
}

Result<void> remove_token(const std::filesystem::path& file, std::string_view name) {
  auto opened = open_to_change(file);
  if (!opened) return std::unexpected(opened.error());
  const auto line = line_with(opened->text, name);
  if (!line) {
    return fail(ErrorCode::not_found, fmt::format("there is no token '{}'", name),
                "`almanac token list` says which there are");
  }
  return write_token_file(file, without_line(opened->text, *line));
}

}  // namespace almanac
