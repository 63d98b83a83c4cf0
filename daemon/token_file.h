// Changes of the file of tokens (access_tokens.h): made beside it, synced and renamed, so that who
// reads it finds the old one or the new one, whole. One process changes it at a time.
#pragma once

#include <almanac/daemon/access_tokens.h>
#include <almanac/log/error.h>

#include <filesystem>
#include <string>

namespace almanac {

// Without tokens; nothing where it is there. Errors: io.
[[nodiscard]] Result<void> make_token_file(const std::filesystem::path& file);

struct NewToken {
  std::string name;
  AccessScopes scopes;
  Time made;
  Time expires;  // none = never
};
// Answers the token: it is nowhere else, and never shown again. Errors: invalid (the name, or too
// many), conflict (there is one of this name), and those of AccessTokens::load().
[[nodiscard]] Result<std::string> add_token(const std::filesystem::path& file,
                                            const NewToken& token);
// From when this returns a daemon lets nobody in by it. Errors: not_found, and those of
// AccessTokens::load().
[[nodiscard]] Result<void> remove_token(const std::filesystem::path& file, std::string_view name);

}  // namespace almanac
