#include <almanac/engine/component_builder.h>

#include <almanac/engine/component_builds.h>
#include <almanac/engine/component_probe.h>
#include <almanac/engine/confined_folder.h>

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

RepairResult result_of(const Result<void>& done, RepairOutcome otherwise) {
  if (done) return {};
  return {.outcome = otherwise, .message = describe(done.error())};
}

// The commands of one repair, which share its time.
class Commands {
 public:
  explicit Commands(CommandRun run)
      : run_(std::move(run)), deadline_(Clock::now() + run_.timeout) {}

  RepairResult run(const ComponentCommand& command) {
    run_.timeout = std::chrono::duration_cast<Duration>(deadline_ - Clock::now());
    const CommandEnd end = almanac::run(command, run_);
    if (end.succeeded()) return {};
    RepairResult result{.outcome = end.timed_out ? RepairOutcome::timed_out
                                   : end.stopped ? RepairOutcome::interrupted
                                                 : RepairOutcome::failed,
                        .message = {}};
    const Diagnosis diagnosis = diagnose(end, ComponentIssue::build_failed);
    result.message = command.front() + ": " + diagnosis.evidence;
    result.left = diagnosis.issue;
    return result;
  }
  void add_environment(std::string variable) { run_.environment.push_back(std::move(variable)); }

 private:
  CommandRun run_;
  Clock::time_point deadline_;
};

// One job at a time takes the least memory; each tool is told so in its own words.
void limit_jobs(Commands& commands) {
  for (const char* variable : {"CMAKE_BUILD_PARALLEL_LEVEL=1", "MAKEFLAGS=-j1",
                               "CARGO_BUILD_JOBS=1", "ALMANAC_BUILD_JOBS=1"}) {
    commands.add_environment(variable);
  }
}

// Lets the owner read and write what is in the folder, enter its folders, and run `program`. Walks
// by descriptors and follows no link, so that nothing outside is reached.
class Permissions {
 public:
  explicit Permissions(fs::path program) : program_(std::move(program)) {}

  Result<void> fix(int parent, const std::string& name, const fs::path& path) {
    const FileDescriptor entry(::openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (entry.get() < 0 || ::fstat(entry.get(), &status) != 0) {
      return fail_errno(errno, "look at " + path.string());
    }
    const bool is_folder = S_ISDIR(status.st_mode);
    if (!is_folder && !S_ISREG(status.st_mode)) return {};
    const mode_t wanted =
        S_IRUSR | S_IWUSR | (is_folder || path == program_ ? mode_t{S_IXUSR} : mode_t{0});
    if ((status.st_mode & wanted) != wanted) {
      // A path descriptor cannot be changed itself, what it stands for can.
      const std::string self = "/proc/self/fd/" + std::to_string(entry.get());
      if (::chmod(self.c_str(), (status.st_mode | wanted) & 07777) != 0) {
        return fail_errno(errno, "let " + path.string() + " be used");
      }
    }
    return is_folder ? fix_all(entry.get(), path) : Result<void>();
  }

 private:
  Result<void> fix_all(int folder, const fs::path& path) {
    const int opened = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* list = opened < 0 ? nullptr : ::fdopendir(opened);
    if (list == nullptr) return fail_errno(errno, "list " + path.string());
    Result<void> fixed;
    while (const dirent* entry = fixed ? ::readdir(list) : nullptr) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") fixed = fix(opened, name, path / name);
    }
    ::closedir(list);
    return fixed;
  }

  fs::path program_;
};

RepairResult clean_and_build(const ComponentImplementation& implementation, Commands& commands) {
  RepairResult cleaned = commands.run(implementation.clean);
  if (cleaned.outcome != RepairOutcome::done) return cleaned;
  return commands.run(implementation.build);
}

// What looks as new as its sources is built again only when it is gone.
RepairResult rebuild(const ComponentImplementation& implementation, Commands& commands,
                     const fs::path& folder) {
  const auto inside = ConfinedFolder::open(folder);
  if (!inside) return result_of(std::unexpected(inside.error()), RepairOutcome::failed);
  const auto removed = inside->remove(implementation.artifact);
  return removed ? commands.run(implementation.build) : result_of(removed, RepairOutcome::failed);
}

}  // namespace

RepairResult repair(const ComponentImplementation& implementation, RepairStrategy strategy,
                    CommandRun run) {
  ALMANAC_CHECK(implementation.allowed.contains(strategy));
  const fs::path folder = run.folder;
  Commands commands(std::move(run));
  switch (strategy) {
    case RepairStrategy::build: return commands.run(implementation.build);
    case RepairStrategy::clean_build: return clean_and_build(implementation, commands);
    case RepairStrategy::rebuild: return rebuild(implementation, commands, folder);
    case RepairStrategy::install_dependencies:
      return commands.run(implementation.install_dependencies);
    case RepairStrategy::install_toolchain: return commands.run(implementation.install_toolchain);
    case RepairStrategy::fix_permissions: {
      const bool is_program = implementation.kind == ComponentKind::program;
      Permissions permissions(is_program ? folder / implementation.artifact : fs::path());
      return result_of(permissions.fix(AT_FDCWD, folder.string(), folder), RepairOutcome::failed);
    }
    case RepairStrategy::free_memory:
      ::malloc_trim(0);
      limit_jobs(commands);
      return commands.run(implementation.build);
    case RepairStrategy::restore:
      return result_of(ComponentBuilds(folder, implementation).restore(),
                       RepairOutcome::impossible);
  }
  return {.outcome = RepairOutcome::failed, .message = "a strategy that is not known"};
}

}  // namespace almanac
