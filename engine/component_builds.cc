#include <almanac/engine/component_builds.h>

#include <almanac/engine/component_command.h>
#include <almanac/engine/confined_folder.h>
#include <almanac/engine/limits.h>
#include <almanac/log/hash.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail_errno(errno, "read " + file.string());
  std::string content((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (stream.bad()) return fail_errno(EIO, "read " + file.string());
  return content;
}

// The files of a source, in one order on every machine; links are not followed.
Result<std::vector<fs::path>> files_of(const fs::path& source) {
  std::vector<fs::path> files;
  std::error_code error;
  const auto status = fs::symlink_status(source, error);
  if (fs::is_regular_file(status)) files.push_back(source);
  if (fs::is_directory(status)) {
    for (auto entry = fs::recursive_directory_iterator(source, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (entry->is_regular_file(error) && !entry->is_symlink(error)) files.push_back(*entry);
    }
  }
  if (error || !fs::exists(status)) {
    return fail_errno(error ? error.value() : ENOENT, "read " + source.string());
  }
  std::ranges::sort(files);
  return files;
}

// The oldest go.
Result<void> thin_out(const ConfinedFolder& folder, const fs::path& kept) {
  const auto builds = folder.enter(kept);
  if (!builds) return std::unexpected(builds.error());
  auto names = builds->names();
  if (!names) return std::unexpected(names.error());
  Result<void> thinned;
  for (std::size_t i = 0; thinned && i + limits::component_builds_max < names->size(); ++i) {
    thinned = builds->remove((*names)[i]);
  }
  return thinned;
}

}  // namespace

ComponentBuilds::ComponentBuilds(const fs::path& folder,
                                 const ComponentImplementation& implementation)
    : folder_(folder),
      // Its name may be any text, and is no path.
      kept_(fs::path(component_folder) / "builds" /
            to_hex(blake2b(as_bytes(implementation.name))).substr(0, 16)),
      implementation_(implementation) {}

// Of the sources' names and contents, and of what builds them.
Result<std::string> ComponentBuilds::key() const {
  Hasher hasher;
  for (const std::string& argument : implementation_.build) hasher.text(argument);
  for (const std::string& tool : implementation_.toolchain) {
    std::error_code error;
    const fs::path program = fs::canonical(find_program(folder_, tool), error);
    hasher.text(program.string());
    hasher.number(error ? 0 : fs::file_size(program, error));
    hasher.number(static_cast<std::uint64_t>(
        error ? 0 : fs::last_write_time(program, error).time_since_epoch().count()));
  }
  for (const fs::path& source : implementation_.sources) {
    auto files = files_of(folder_ / source);
    if (!files) return std::unexpected(files.error());
    hasher.number(files->size());
    for (const fs::path& file : *files) {
      auto content = read_file(file);
      if (!content) return std::unexpected(content.error());
      hasher.text(file.lexically_relative(folder_).string());
      hasher.text(*content);
    }
  }
  return to_hex(hasher.finish());
}

// What is kept: the digest of the artifact, and behind it the artifact.
Result<void> ComponentBuilds::keep() const {
  if (implementation_.sources.empty()) return {};
  auto name = key();
  if (!name) return std::unexpected(name.error());
  const auto folder = ConfinedFolder::open(folder_);
  if (!folder) return std::unexpected(folder.error());
  auto artifact = folder->read(implementation_.artifact);
  if (!artifact) return std::unexpected(artifact.error());
  const Digest digest = blake2b(as_bytes(*artifact));
  auto written = folder->write(kept_ / *name, std::string(as_text(digest)) + *artifact, 0644);
  return written ? thin_out(*folder, kept_) : written;
}

Result<void> ComponentBuilds::restore() const {
  auto name = key();
  if (!name) return std::unexpected(name.error());
  const auto folder = ConfinedFolder::open(folder_);
  if (!folder) return std::unexpected(folder.error());
  const auto kept = folder->read(kept_ / *name);
  if (!kept && kept.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, "no build of these sources is kept", "build it");
  }
  if (!kept) return std::unexpected(kept.error());
  const std::string_view artifact = kept->size() < sizeof(Digest)
                                        ? std::string_view()
                                        : std::string_view(*kept).substr(sizeof(Digest));
  if (!kept->starts_with(as_text(blake2b(as_bytes(artifact))))) {
    if (auto removed = folder->remove(kept_ / *name); !removed) return removed;
    return fail(ErrorCode::corrupt, "the build that was kept is damaged", "build it");
  }
  return folder->write(implementation_.artifact, artifact, 0755);
}

}  // namespace almanac
