// A copy of a repository that a command makes, one file at a time: `rclone copyto {file} …`.
#pragma once

#include <almanac/snapshots/copy_out.h>

#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace almanac {

// Which files the command has copied is remembered in a folder, since it cannot be asked. It is
// never asked to remove one: what the repository has no more is forgotten, and stays where it is.
class CommandCopy : public CopyTarget {
 public:
  // `command` is split at spaces and runs without a shell; {file} stands for the path of the file
  // to copy and {name} for what it is called in the repository. It has copied the file when it ends
  // with 0. `record` is made where it is missing, and its lock is held. Errors: invalid (no
  // {file}), conflict (another copy uses the record), corrupt (the record), refused, io.
  [[nodiscard]] static Result<CommandCopy> open(const std::string& command,
                                                const std::filesystem::path& record,
                                                std::stop_token stop);

  [[nodiscard]] Result<std::vector<std::string>> names() override;
  [[nodiscard]] bool has(const CopyFile& file) override;
  // Errors: not_found (the file), invalid (there is no such command), stopped, io (it failed: with
  // what it said), those of writing the record.
  [[nodiscard]] Result<void> put(const CopyFile& file) override;
  [[nodiscard]] Result<void> remove(const std::string& name) override;

 private:
  CommandCopy(std::vector<std::string> command, std::filesystem::path record, WriteLock lock,
              std::stop_token stop)
      : command_(std::move(command)),
        record_(std::move(record)),
        lock_(std::move(lock)),
        stop_(std::move(stop)) {}
  [[nodiscard]] Result<void> read_record();
  [[nodiscard]] Result<void> write_record() const;

  std::vector<std::string> command_;
  std::filesystem::path record_;
  WriteLock lock_;
  std::stop_token stop_;
  std::map<std::string, FileRecord> copied_;
};

}  // namespace almanac
