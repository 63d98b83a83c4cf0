// Makes one call fail, or that one and all behind it, as a failing or a full disk would.
#pragma once

#include <almanac/tests/disk/folder_watcher.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace almanac::test {

struct InjectedFault {
  std::string_view name;
  int error = 0;            // 0: a write is cut short
  bool done_first = false;  // the call does its work and says that it failed
  // Whether a call can fail like that.
  bool (*hits)(const DiskCall&) = nullptr;
};
[[nodiscard]] std::span<const InjectedFault> injected_faults();

class Injector final : public FolderWatcher {
 public:
  struct Options {
    const InjectedFault& fault;
    std::uint64_t at = 1;  // the first call that fails, of those that can
    bool sticky = false;   // all behind it too
  };
  Injector(const std::filesystem::path& folder, const Options& options)
      : FolderWatcher(folder), options_(options) {}

  // Whether there was such a call.
  [[nodiscard]] bool fired() const { return fired_; }

 private:
  long on_seen(const Seen& seen, const RealCall& real) override;

  Options options_;
  std::atomic<std::uint64_t> calls_ = 0;
  std::atomic<bool> fired_ = false;
};

}  // namespace almanac::test
