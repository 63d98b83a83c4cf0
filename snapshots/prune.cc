#include <almanac/snapshots/prune.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace almanac {
namespace {

using Decisions = std::vector<PruneReport::Decision>;

Result<Decisions> undecided(const Repository& repository) {
  Decisions decisions;
  for (CheckedSnapshot& snapshot : list_snapshots(repository)) {
    if (!snapshot.manifest) {
      return fail(snapshot.damage.front().code, snapshot.damage.front().message,
                  "nothing is removed while a manifest cannot be read, since it may need any "
                  "file: bring it back, or remove it");
    }
    decisions.push_back({.snapshot = std::move(snapshot), .rules = {}});
  }
  return decisions;
}

// Adds the rules that keep those of one log, damaged ones among them or not.
void decide(Decisions& decisions, const Timeline& timeline, bool with_damaged,
            const PruneOptions& options) {
  std::map<std::uint64_t, PruneReport::Decision*> of_number;
  std::vector<SnapshotTime> times;
  for (PruneReport::Decision& decision : decisions) {
    const Manifest& manifest = *decision.snapshot.manifest;
    if (manifest.timeline != timeline || !(with_damaged || decision.snapshot.whole())) continue;
    of_number[manifest.number] = &decision;
    times.push_back({manifest.number, manifest.made_at, !manifest.tag.empty()});
  }
  for (const RetainedSnapshot& kept : retain(times, options.policy, options.now)) {
    auto& rules = of_number[kept.number]->rules;
    std::vector<RetentionRule> all;
    std::ranges::set_union(rules, kept.rules, std::back_inserter(all));
    rules = std::move(all);
  }
}

std::uint64_t size_of(const std::filesystem::path& path) {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(path, none);
  return none ? 0 : bytes;
}

class Pruning {
 public:
  Pruning(Repository& repository, const PruneOptions& options)
      : repository_(repository), options_(options) {}

  Result<PruneReport> run();

 private:
  Result<void> find_what_goes();
  template <class Name>
  Result<void> remove(const std::vector<Name>& names);

  Repository& repository_;
  const PruneOptions& options_;
  std::vector<std::uint64_t> manifests_;
  std::vector<ArchiveName> files_;
  std::uint64_t bytes_removed_ = 0;
  PruneReport report_;
};

Result<void> Pruning::find_what_goes() {
  // Then the folder cannot be listed, or a first snapshot was cut short and the next one goes on.
  if (report_.snapshots.empty()) return {};
  std::set<ArchiveName> needed;
  for (const auto& decision : report_.snapshots) {
    if (!decision.is_kept()) {
      manifests_.push_back(decision.snapshot.number);
      continue;
    }
    const auto names = files_of(*decision.snapshot.manifest);
    needed.insert(names.begin(), names.end());
  }
  const auto of_tails = repository_.files_of_tails();
  if (!of_tails) return std::unexpected(of_tails.error());
  needed.insert(of_tails->begin(), of_tails->end());
  files_ = repository_.files();
  std::erase_if(files_, [&](const ArchiveName& name) { return needed.contains(name); });
  report_.files = files_.size();
  for (std::uint64_t number : manifests_) report_.bytes += size_of(repository_.path_of(number));
  for (const ArchiveName& name : files_) report_.bytes += size_of(repository_.path_of(name));
  return {};
}

template <class Name>
Result<void> Pruning::remove(const std::vector<Name>& names) {
  for (const Name& name : names) {
    if (options_.stop.stop_requested()) {
      return fail(ErrorCode::stopped, "pruning was stopped before it was complete",
                  "every snapshot that is left is whole; prune again to go on");
    }
    const std::uint64_t bytes = size_of(repository_.path_of(name));
    if (auto removed = repository_.remove(name); !removed) return removed;
    bytes_removed_ += bytes;
    if (options_.progress) options_.progress(bytes_removed_, report_.bytes);
  }
  return {};
}

Result<PruneReport> Pruning::run() {
  auto decisions = undecided(repository_);
  if (!decisions) return std::unexpected(decisions.error());
  std::set<Timeline> timelines;
  for (const auto& decision : *decisions) timelines.insert(decision.snapshot.manifest->timeline);
  for (const Timeline& timeline : timelines) {
    for (bool with_damaged : {false, true}) decide(*decisions, timeline, with_damaged, options_);
  }
  report_.snapshots = std::move(*decisions);
  if (auto found = find_what_goes(); !found) return std::unexpected(found.error());
  if (options_.dry_run) return std::move(report_);
  if (auto removed = remove(manifests_); !removed) return std::unexpected(removed.error());
  if (auto removed = remove(files_); !removed) return std::unexpected(removed.error());
  repository_.remove_unfinished();
  return std::move(report_);
}

}  // namespace

Result<PruneReport> prune(Repository& repository, const PruneOptions& options) {
  return Pruning(repository, options).run();
}

}  // namespace almanac
