// Files below a folder, reached name by name from its descriptor, so that no link leads out of it,
// whoever makes one meanwhile. A link on the way is an error, also one that stays inside.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/file.h>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

// A handle on the folder as it was when it was opened, whatever becomes of its name. Paths are
// relative to it. Errors of all: invalid (".."), refused (a link, or no permission), not_found, io.
class ConfinedFolder {
 public:
  // The folder itself may be reached through links.
  [[nodiscard]] static Result<ConfinedFolder> open(const std::filesystem::path& folder);
  [[nodiscard]] Result<ConfinedFolder> enter(const std::filesystem::path& below) const;
  // The same, and what is missing of it is made.
  [[nodiscard]] Result<ConfinedFolder> make(const std::filesystem::path& below) const;

  [[nodiscard]] Result<std::string> read(const std::filesystem::path& file) const;
  // Whole or not at all, and on disk; takes the place of what has that name, and makes its folders.
  [[nodiscard]] Result<void> write(const std::filesystem::path& file, std::string_view content,
                                   mode_t mode) const;
  // A link itself, not what it leads to. Where there is none already nothing happens.
  [[nodiscard]] Result<void> remove(const std::filesystem::path& file) const;
  // What is directly in it, what was changed last comes last.
  [[nodiscard]] Result<std::vector<std::string>> names() const;

 private:
  enum class Missing : std::uint8_t { is_error, is_made };
  ConfinedFolder(FileDescriptor folder, std::filesystem::path path)
      : folder_(std::move(folder)), path_(std::move(path)) {}
  [[nodiscard]] Result<ConfinedFolder> walk(const std::filesystem::path& below,
                                            Missing missing) const;
  [[nodiscard]] Result<ConfinedFolder> step(const std::string& name, Missing missing) const;

  FileDescriptor folder_;
  std::filesystem::path path_;  // for what is said of it
};

}  // namespace almanac
