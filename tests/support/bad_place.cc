#include <almanac/tests/support/bad_place.h>

#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t lmdb_page = 4096;

}  // namespace

Place::Place() { fs::permissions(root.path(), fs::perms(0755)); }

// What nobody may change nobody could remove.
Place::~Place() {
  std::error_code ignored;
  for (const auto& folder : {root.path(), root / "log", root / "log/log"}) {
    fs::permissions(folder, fs::perms(0755), ignored);
  }
}

void Place::almanac(std::vector<std::string> arguments) const {
  auto done = run_almanac({.arguments = std::move(arguments), .folder = root.path()});
  EXPECT_EQ(done.code, 0) << done.errors;
}

void nothing(Place&) {}

void log_of_three_tasks(Place& place) {
  place.almanac({"submit", "--dir", "log", "--key", "first", "--", "/bin/true"});
  place.almanac({"run", "--dir", "log"});
  place.almanac({"submit", "--dir", "log", "--", "/bin/false"});
  (void)run_almanac({.arguments = {"run", "--dir", "log"}, .folder = place.root.path()});
  place.almanac({"submit", "--dir", "log", "--", "/bin/true"});
}

Prepare file(const std::string& name, const std::string& content) {
  return [=](Place& place) { write_file(place.root / name, content); };
}
Prepare toml(const std::string& content) { return file("w.toml", content); }
Prepare jsonl(const std::string& content) { return file("w.jsonl", content); }
Prepare task_with(const std::string& lines) {
  return toml("[[task]]\nname = \"a\"\nshell = \"true\"\n" + lines);
}

Prepare folder(const std::string& name) {
  return [=](Place& place) { fs::create_directory(place.root / name); };
}

Prepare damage(const std::function<void(std::string&)>& change) {
  return [=](Place& place) {
    log_of_three_tasks(place);
    auto bytes = read_file(place.data_file());
    change(bytes);
    write_file(place.data_file(), bytes);
  };
}

void set_behind(std::string& bytes, std::string_view mark, std::size_t offset, char value) {
  ALMANAC_CHECK(bytes.find(mark) != std::string::npos);
  for (auto at = bytes.find(mark); at != std::string::npos; at = bytes.find(mark, at + 1)) {
    bytes.at(at + offset) = value;
  }
}

void zero_page(std::string& bytes, std::size_t page) {
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page * lmdb_page), lmdb_page, '\0');
}

void log_to_read_only(Place& place) {
  log_of_three_tasks(place);
  for (const auto& entry : fs::recursive_directory_iterator(place.root / "log")) {
    fs::permissions(entry.path(), fs::perms(entry.is_directory() ? 0555 : 0444));
  }
  fs::permissions(place.root / "log", fs::perms(0555));
  place.in_child = become_nobody;
}

void unreadable_log(Place& place) {
  log_of_three_tasks(place);
  fs::permissions(place.root / "log", fs::perms(0));
  place.in_child = become_nobody;
}

void unreadable_workload(Place& place) {
  write_file(place.root / "w.jsonl", R"({"shell":"true"})");
  fs::permissions(place.root / "w.jsonl", fs::perms(0));
  place.in_child = become_nobody;
}

void folder_to_read_only(Place& place) {
  fs::permissions(place.root.path(), fs::perms(0555));
  place.in_child = become_nobody;
}

void log_in_use(Place& place) {
  place.arrived = std::make_unique<NamedPipe>(place.root / "arrived");
  place.never = std::make_unique<NamedPipe>(place.root / "never");
  auto task = "echo here > " + place.arrived->path() + "; exec cat " + place.never->path();
  auto log = (place.root / "log").string();
  place.almanac({"submit", "--dir", "log", "--", "/bin/sh", "-c", task});
  place.other = std::make_unique<ChildProcess>(
      std::vector<std::string>{almanac_path(), "run", "--dir", log, "--json"});
  EXPECT_EQ(place.arrived->read_line(), "here");
  place.says.push_back("held by process " + std::to_string(place.other->id()) + " (");
}

void submitted_workload(Place& place) {
  write_file(place.root / "w.toml", "[[task]]\nname = \"a\"\nshell = \"true\"\n");
  place.almanac({"run", "w.toml", "--dir", "log"});
  write_file(place.root / "w.toml",
             "[[task]]\nname = \"new\"\nshell = \"true\"\n"
             "[[task]]\nname = \"a\"\nshell = \"false\"\n");
}

namespace {

void full_disk(Place& place) {
  fs::create_directory(place.root / "disk");
  place.disk = std::make_unique<SmallDisk>(place.root / "disk", 512 * 1024);
  fs::create_directory_symlink(place.disk->path(), place.root / "full");
}

}  // namespace

void log_on_full_disk(Place& place) {
  full_disk(place);
  place.almanac({"submit", "--dir", "full/log", "--", "/bin/true"});
  place.disk->fill();
}

void almost_full_disk(Place& place) {
  full_disk(place);
  fs::create_directory(place.root / "full/log");
  write_file(place.root / "full/log/lock", "");
  write_file(place.root / "full/room", std::string(2 * lmdb_page, 'x'));
  place.disk->fill();
  fs::remove(place.root / "full/room");
}

void output_on_full_disk(Place& place) {
  log_of_three_tasks(place);
  place.in_child = [] {
    FileDescriptor full(::open("/dev/full", O_WRONLY));
    if (full.valid()) ::dup2(full.get(), STDOUT_FILENO);
  };
}

void file_that_cannot_grow(Place& place) {
  log_of_three_tasks(place);
  auto bytes = fs::file_size(place.data_file());
  place.in_child = [bytes] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  };
}

}  // namespace almanac::test
