#include <almanac/engine/component_probe.h>

#include <almanac/log/file.h>

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace almanac {
namespace {

using enum ComponentIssue;

struct TextRule {
  ComponentIssue issue;
  std::string_view text;
  std::string_view also = {};  // in the same line
};

// What tools write when something is missing around them, the most telling first: a compiler that
// is killed for memory also says that a build has failed.
constexpr std::array text_rules = {
    TextRule{out_of_memory, "virtual memory exhausted"},
    TextRule{out_of_memory, "out of memory"},
    TextRule{out_of_memory, "Cannot allocate memory"},
    TextRule{out_of_memory, "cannot allocate memory"},
    TextRule{out_of_memory, "std::bad_alloc"},
    TextRule{out_of_memory, "Killed signal terminated program"},
    TextRule{out_of_memory, "MemoryError"},
    TextRule{out_of_memory, "(signal: 9, SIGKILL"},
    TextRule{missing_toolchain, "command not found"},
    TextRule{missing_toolchain, "make: ", "No such file or directory"},
    TextRule{missing_toolchain, "sh: ", ": not found"},
    TextRule{missing_toolchain, "No CMAKE_C_COMPILER could be found"},
    TextRule{missing_toolchain, "No CMAKE_CXX_COMPILER could be found"},
    TextRule{missing_toolchain, "CMake was unable to find a build program"},
    TextRule{missing_toolchain, "linker `cc` not found"},
    TextRule{missing_toolchain, "no default toolchain configured"},
    TextRule{missing_toolchain, "is not installed for the toolchain"},
    TextRule{incompatible_version, "wrong ELF class"},
    TextRule{incompatible_version, "' not found (required by"},
    TextRule{incompatible_version, "or higher is required"},
    TextRule{incompatible_version, "requires rustc"},
    TextRule{corrupt_binary, "invalid ELF header"},
    TextRule{corrupt_binary, "file too short"},
    TextRule{corrupt_binary, "Exec format error"},
    TextRule{missing_dependencies, "cannot open shared object file"},
    TextRule{missing_dependencies, "=> not found"},
    TextRule{missing_dependencies, "cannot find -l"},
    TextRule{missing_dependencies, "fatal error: ", "No such file or directory"},
    TextRule{missing_dependencies, "fatal error: ", "file not found"},
    TextRule{missing_dependencies, "Could NOT find"},
    TextRule{missing_dependencies, "Could not find a package configuration file"},
    TextRule{missing_dependencies, "ModuleNotFoundError"},
    TextRule{missing_dependencies, "Cannot find module"},
    TextRule{missing_dependencies, "can't find crate for"},
    TextRule{missing_dependencies, "no matching package named"},
    TextRule{permission_error, "Permission denied"},
    TextRule{permission_error, "Operation not permitted"},
    TextRule{permission_error, "Read-only file system"},
};

constexpr std::size_t evidence_bytes_max = 400;

std::string line_around(std::string_view text, std::size_t at) {
  const auto begin = text.rfind('\n', at) + 1;
  const auto end = std::min(text.find('\n', at), text.size());
  return std::string(text.substr(begin, std::min(end - begin, evidence_bytes_max)));
}

std::optional<std::string> find_line(std::string_view text, const TextRule& rule) {
  for (auto at = text.find(rule.text); at != std::string_view::npos;
       at = text.find(rule.text, at + 1)) {
    std::string line = line_around(text, at);
    if (line.find(rule.also) != std::string::npos) return line;
  }
  return std::nullopt;
}

// The last line that says something.
std::string last_line(std::string_view text) {
  const auto end = text.find_last_not_of(" \n\r\t");
  return end == std::string_view::npos ? std::string() : line_around(text, end);
}

Diagnosis found(ComponentIssue issue, std::string evidence) {
  return {.issue = issue, .evidence = std::move(evidence), .version = {}};
}

bool may_be_out_of_memory(int signal) { return signal == SIGKILL; }
bool is_of_damage(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGSYS;
}

// Not what access(2) says: to root it says yes, and nobody else can use the file.
std::optional<std::string> find_denial(const std::filesystem::path& file, const struct stat& status,
                                       ComponentKind kind) {
  const bool is_program = kind == ComponentKind::program;
  const mode_t wanted = is_program ? S_IXUSR | S_IRUSR : S_IRUSR;
  const bool is_ours = status.st_uid == ::geteuid() || ::geteuid() == 0;
  const bool is_denied = is_ours ? (status.st_mode & wanted) != wanted
                                 : ::access(file.c_str(), is_program ? X_OK | R_OK : R_OK) != 0;
  if (!is_denied) return std::nullopt;
  return file.string() + " may not be " + (is_program ? "run" : "read");
}

#if __SIZEOF_POINTER__ == 8
using Header = Elf64_Ehdr;
using LoadedSegment = Elf64_Phdr;
using Section = Elf64_Shdr;
constexpr char own_class = ELFCLASS64;
#else
using Header = Elf32_Ehdr;
using LoadedSegment = Elf32_Phdr;
using Section = Elf32_Shdr;
constexpr char own_class = ELFCLASS32;
#endif

// A file of which parts are read.
class FileParts {
 public:
  explicit FileParts(const std::filesystem::path& file)
      : file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status{};
    if (file_.get() >= 0 && ::fstat(file_.get(), &status) == 0) {
      size_ = static_cast<std::uint64_t>(status.st_size);
    }
  }
  [[nodiscard]] bool is_open() const { return file_.get() >= 0; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t size) const {
    return offset <= size_ && size <= size_ - offset;
  }
  [[nodiscard]] std::string text(std::uint64_t offset, std::size_t size) const {
    std::string text(size, '\0');
    const auto count = ::pread(file_.get(), text.data(), size, static_cast<off_t>(offset));
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
  }
  template <class Part>
  [[nodiscard]] std::optional<Part> at(std::uint64_t offset) const {
    const std::string bytes = text(offset, sizeof(Part));
    if (bytes.size() < sizeof(Part)) return std::nullopt;
    Part part;
    std::memcpy(&part, bytes.data(), sizeof(part));
    return part;
  }

 private:
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

const Header& own_header() {
  static const Header header = FileParts("/proc/self/exe").at<Header>(0).value_or(Header());
  return header;
}

std::optional<std::string> find_elf_damage(const FileParts& file) {
  const auto header = file.at<Header>(0);
  if (!header) return "its header is cut off";
  if (header->e_ident[EI_CLASS] != own_class || header->e_machine != own_header().e_machine) {
    return "it is for another machine";
  }
  if (header->e_phentsize != sizeof(LoadedSegment) ||
      !file.holds(header->e_phoff, std::uint64_t{header->e_phnum} * sizeof(LoadedSegment)) ||
      !file.holds(header->e_shoff, std::uint64_t{header->e_shnum} * sizeof(Section))) {
    return "it is cut off";
  }
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const auto segment = file.at<LoadedSegment>(header->e_phoff + i * sizeof(LoadedSegment));
    if (!segment || !file.holds(segment->p_offset, segment->p_filesz)) return "it is cut off";
  }
  return std::nullopt;
}

// What would load it here; empty when we need none ourselves.
std::string loader() {
  const FileParts self("/proc/self/exe");
  for (unsigned i = 0; i < own_header().e_phnum; ++i) {
    const auto segment = self.at<LoadedSegment>(own_header().e_phoff + i * sizeof(LoadedSegment));
    if (!segment || segment->p_type != PT_INTERP || segment->p_filesz == 0) continue;
    return self.text(segment->p_offset, segment->p_filesz - 1);
  }
  return {};
}

bool is_elf(const std::filesystem::path& file) {
  return FileParts(file).text(0, SELFMAG) == ELFMAG;
}

// Asks the loader for all libraries that the file needs, without running any of it.
Diagnosis ask_loader(const std::filesystem::path& file, CommandRun run) {
  static const std::string program = loader();
  if (program.empty() || !is_elf(file)) return {};
  run.environment.emplace_back("LD_TRACE_LOADED_OBJECTS=1");
  const CommandEnd end = almanac::run({program, file.string()}, run);
  Diagnosis diagnosis = diagnose(end, none);
  if (diagnosis.issue == none && is_of_damage(end.signal)) {
    diagnosis = found(corrupt_binary, "the loader was " + describe(end));
  }
  diagnosis.took = end.took;
  return diagnosis;
}

std::optional<std::string> find_missing_tool(const ComponentImplementation& implementation,
                                             const std::filesystem::path& folder) {
  for (const std::string& tool : implementation.toolchain) {
    if (find_program(folder, tool).empty()) return "there is no " + tool + " in PATH";
  }
  return std::nullopt;
}

Diagnosis look_at(const ComponentImplementation& implementation,
                  const std::filesystem::path& folder) {
  const auto artifact = folder / implementation.artifact;
  struct stat status{};
  if (::stat(artifact.c_str(), &status) != 0) {
    const int error = errno;
    if (error == EACCES) return found(permission_error, artifact.string() + ": no permission");
    // What cannot be built is not built because of that.
    const auto missing = find_missing_tool(implementation, folder);
    return missing ? found(missing_toolchain, *missing)
                   : found(not_built, "there is no " + artifact.string());
  }
  if (const auto denial = find_denial(artifact, status, implementation.kind)) {
    return found(permission_error, *denial);
  }
  if (!S_ISREG(status.st_mode)) return found(corrupt_binary, artifact.string() + " is no file");
  const auto damage = find_damage(artifact, implementation.kind);
  return damage ? found(corrupt_binary, artifact.string() + ": " + *damage) : Diagnosis();
}

Diagnosis run_probe(const ComponentImplementation& implementation, const CommandRun& run) {
  const CommandEnd end = almanac::run(implementation.probe, run);
  if (end.stopped) return found(unexplained, describe(end));
  Diagnosis diagnosis;
  if (end.succeeded()) {
    diagnosis.version = end.output.substr(0, end.output.find('\n'));
  } else {
    diagnosis = diagnose(end, unexplained);
  }
  diagnosis.took = end.took;
  return diagnosis;
}

Diagnosis probe_builtin(const ComponentImplementation& implementation) {
  if (!implementation.builtin_probe) return {};
  auto version = implementation.builtin_probe();
  if (!version) return found(unexplained, describe(version.error()));
  return {.evidence = {}, .version = *std::move(version)};
}

Diagnosis compare_version(const ComponentImplementation& implementation, Diagnosis diagnosis) {
  const bool is_wanted = diagnosis.issue != none || implementation.version.empty() ||
                         is_version(diagnosis.version, implementation.version);
  if (is_wanted) return diagnosis;
  diagnosis.issue = incompatible_version;
  diagnosis.evidence =
      "its version is '" + diagnosis.version + "' and not " + implementation.version;
  return diagnosis;
}

}  // namespace

std::optional<std::string> find_damage(const std::filesystem::path& file, ComponentKind kind) {
  const FileParts parts(file);
  if (!parts.is_open()) return "it cannot be read";
  if (parts.size() == 0) return "it is empty";
  if (kind == ComponentKind::program && parts.text(0, 2) == "#!") return std::nullopt;
  if (parts.text(0, SELFMAG) != ELFMAG) return "it is no program or library";
  return find_elf_damage(parts);
}

bool is_version(std::string_view version, std::string_view wanted) {
  if (!version.starts_with(wanted)) return false;
  version.remove_prefix(wanted.size());
  return version.empty() || version.front() == '.' || version.front() == '-' ||
         version.front() == '+' || version.front() == ' ';
}

Diagnosis diagnose(const CommandEnd& end, ComponentIssue otherwise) {
  if (end.not_started) {
    const bool is_missing = end.not_started->code == ErrorCode::not_found;
    const bool is_denied = end.not_started->code == ErrorCode::refused;
    const auto issue = is_missing  ? missing_toolchain
                       : is_denied ? permission_error
                                   : corrupt_binary;  // ENOEXEC
    return found(issue, describe(end));
  }
  for (const TextRule& rule : text_rules) {
    if (auto line = find_line(end.output, rule)) return found(rule.issue, *std::move(line));
  }
  const bool was_killed = !end.timed_out && !end.stopped;
  if (was_killed && may_be_out_of_memory(end.signal)) return found(out_of_memory, describe(end));
  if (otherwise == unexplained && is_of_damage(end.signal)) {
    return found(corrupt_binary, describe(end));
  }
  if (otherwise == none) return {};
  const std::string line = last_line(end.output);
  return found(otherwise, line.empty() ? describe(end) : describe(end) + ": " + line);
}

Diagnosis diagnose(const ComponentImplementation& implementation, const CommandRun& run) {
  if (implementation.kind == ComponentKind::builtin) {
    return compare_version(implementation, probe_builtin(implementation));
  }
  const auto artifact = run.folder / implementation.artifact;
  Diagnosis diagnosis = look_at(implementation, run.folder);
  if (diagnosis.issue == none) diagnosis = ask_loader(artifact, run);
  if (diagnosis.issue == none && !implementation.probe.empty()) {
    diagnosis = run_probe(implementation, run);
  }
  return compare_version(implementation, std::move(diagnosis));
}

}  // namespace almanac
