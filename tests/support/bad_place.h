// Places where a command goes wrong, each with what is needed to take it down again: for the table
// of tests/tools/bad_input_test.cc.
#pragma once

#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/small_disk.h>
#include <almanac/tests/support/temp_folder.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {

// A command runs in `root`, and its log is in "log" there.
struct Place {
  TempFolder root;
  std::function<void()> in_child = {};  // for Invocation::in_child
  std::vector<std::string> says = {};   // what the command must say, beside what the row knows
  std::unique_ptr<SmallDisk> disk = {};
  std::unique_ptr<NamedPipe> arrived = {};
  std::unique_ptr<NamedPipe> never = {};
  std::unique_ptr<ChildProcess> other = {};

  Place();
  ~Place();
  [[nodiscard]] std::filesystem::path data_file() const { return root / "log/log/data.mdb"; }
  // Runs the command, which must succeed.
  void almanac(std::vector<std::string> arguments) const;
};
using Prepare = std::function<void(Place&)>;

void nothing(Place& place);
// Task 1 has succeeded and has the key "first", task 2 has failed, task 3 is ready.
void log_of_three_tasks(Place& place);

// ---- Workloads ----

Prepare file(const std::string& name, const std::string& content);
Prepare toml(const std::string& content);   // w.toml
Prepare jsonl(const std::string& content);  // w.jsonl
// w.toml with a task that is whole but for these lines, which begin at line 4.
Prepare task_with(const std::string& lines);
void unreadable_workload(Place& place);  // w.jsonl
// w.toml was run, and now has a new task in front of one with another content.
void submitted_workload(Place& place);

// ---- Folders ----

Prepare folder(const std::string& name);
void folder_to_read_only(Place& place);  // `root`
void log_to_read_only(Place& place);
void unreadable_log(Place& place);
// Another process is in the middle of a run.
void log_in_use(Place& place);
// A log of three tasks whose file is then changed.
Prepare damage(const std::function<void(std::string&)>& change);
// Sets the byte `offset` behind the beginning of each `mark`.
void set_behind(std::string& bytes, std::string_view mark, std::size_t offset, char value);
void zero_page(std::string& bytes, std::size_t page);

// ---- Disks ----

void log_on_full_disk(Place& place);  // in "full/log", of one task
// In "full/log" there is no log yet, and room for two pages.
void almost_full_disk(Place& place);
void output_on_full_disk(Place& place);
// The log's file may not grow: what is appended is cut off.
void file_that_cannot_grow(Place& place);

}  // namespace almanac::test
