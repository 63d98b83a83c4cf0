#include <almanac/snapshots/archive_verify.h>

#include <almanac/snapshots/archive_checkpoint.h>
#include <almanac/snapshots/archived_log.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>

namespace almanac {
namespace {

std::unexpected<Error> corrupt(const std::filesystem::path& file, std::string what) {
  return in_file(file, {ErrorCode::corrupt, std::move(what), ""});
}

NamedFile file_of(const SegmentRecord& segment) {
  return {name_of(segment.header, segment.file), segment.file};
}
NamedFile file_of(const Manifest& manifest, const CheckpointRecord& checkpoint) {
  return {name_of(manifest.timeline, checkpoint), checkpoint.file};
}

// Whether a manifest names the one in front of it, where that is there.
void check_follows(const Repository& repository, CheckedSnapshot& snapshot,
                   const CheckedSnapshot& before) {
  if (!snapshot.manifest || !before.manifest || before.number + 1 != snapshot.number) return;
  if (snapshot.manifest->previous == Repository::digest_of(*before.manifest)) return;
  snapshot.damage.push_back(
      corrupt(repository.path_of(snapshot.number), "it does not follow the manifest in front of it")
          .error());
}

std::vector<CheckedSnapshot> read_manifests(const Repository& repository) {
  std::vector<CheckedSnapshot> snapshots;
  for (std::uint64_t number : repository.numbers()) {
    CheckedSnapshot snapshot{.number = number, .manifest = {}, .damage = {}};
    auto manifest = repository.manifest(number);
    if (manifest) {
      snapshot.manifest = std::move(*manifest);
    } else {
      snapshot.damage.push_back(manifest.error());
    }
    if (!snapshots.empty()) check_follows(repository, snapshots.back(), snapshot);
    snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

Result<std::uint64_t> frames_in(const Repository& repository, const SegmentRecord& record) {
  auto segment = open_segment(repository, record);
  if (!segment) return std::unexpected(segment.error());
  auto read = segment->read_frames(record.header.first,
                                   [](const FrameReader&) -> Result<bool> { return true; });
  if (!read) return corrupt(repository.path_of(file_of(record).name), read.error().message);
  return record.header.frames;
}

// None where a snapshot has taken it over. What seems to be damaged is looked at again if the tail
// was replaced meanwhile, and files with it.
std::optional<CheckedTail> check_tail(const Repository& repository, const Timeline& timeline) {
  CheckedTail checked{.timeline = timeline, .tail = {}, .damage = {}};
  for (std::string looked_at;;) {
    auto newest = find_newest(repository, timeline);
    if (newest && newest->tail_damaged) {
      return CheckedTail{timeline, std::nullopt, {*newest->tail_damaged}};
    }
    if (!newest || !newest->tail) return std::nullopt;
    std::string text = encode(*newest->tail);
    if (text == looked_at) return checked;
    looked_at = std::move(text);
    checked.tail = std::move(newest->tail);
    checked.damage.clear();
    for (const SegmentRecord& segment : checked.tail->segments) {
      auto there = repository.check_size(name_of(segment.header, segment.file), segment.file);
      if (!there) checked.damage.push_back(there.error());
    }
    if (checked.whole()) return checked;
  }
}

// Reads files as long as nobody stops it, each once.
class RunningVerification {
 public:
  RunningVerification(const Repository& repository, const ArchiveVerifyOptions& options)
      : repository_(repository), options_(options), random_(options.seed) {}

  Result<ArchiveVerification> run();

 private:
  using Found = std::optional<Error>;

  void draw(const CheckedSnapshot& snapshot, bool is_newest);
  void verify(CheckedSnapshot& snapshot);
  void verify_state(CheckedSnapshot& snapshot);
  void verify(CheckedTail& tail);
  void count(const NamedFile& file);
  [[nodiscard]] bool is_drawn(const NamedFile& file) const { return drawn_.at(file); }

  const Repository& repository_;
  const ArchiveVerifyOptions& options_;
  std::mt19937_64 random_;
  std::map<NamedFile, bool> drawn_;
  std::map<NamedFile, Found> found_;  // segments that were read
  std::map<NamedFile, bool> counted_;
  std::uint64_t bytes_drawn_ = 0;
  ArchiveVerification result_;
};

void RunningVerification::draw(const CheckedSnapshot& snapshot, bool is_newest) {
  if (!snapshot.manifest) return;
  auto add = [&](const NamedFile& file, bool always) {
    const bool drawn = always || random_() % 100 < options_.percent;
    const auto [known, is_new] = drawn_.try_emplace(file, drawn);
    if (is_new && drawn) bytes_drawn_ += file.record.bytes;
  };
  const Manifest& manifest = *snapshot.manifest;
  add(file_of(manifest, manifest.checkpoint), is_newest);
  for (const SegmentRecord& segment : manifest.segments) {
    add(file_of(segment), is_newest && &segment == &manifest.segments.back());
  }
}

void RunningVerification::count(const NamedFile& file) {
  if (!counted_.try_emplace(file, true).second) return;
  ++result_.files;
  result_.bytes += file.record.bytes;
  if (options_.progress) options_.progress(result_.bytes, bytes_drawn_);
}

void RunningVerification::verify(CheckedSnapshot& snapshot) {
  const Manifest& manifest = *snapshot.manifest;
  for (const SegmentRecord& record : manifest.segments) {
    const NamedFile file = file_of(record);
    if (options_.stop.stop_requested()) return;
    auto known = found_.find(file);
    if (known == found_.end()) {
      Found found;
      if (is_drawn(file)) {
        auto frames = frames_in(repository_, record);
        if (frames) result_.frames += *frames;
        if (!frames) found = frames.error();
        count(file);
      } else if (auto there = repository_.check_size(file.name, file.record); !there) {
        found = there.error();
      }
      known = found_.emplace(file, std::move(found)).first;
    }
    if (known->second) snapshot.damage.push_back(*known->second);
  }
}

void RunningVerification::verify_state(CheckedSnapshot& snapshot) {
  const Manifest& manifest = *snapshot.manifest;
  const NamedFile file = file_of(manifest, manifest.checkpoint);
  if (options_.stop.stop_requested()) return;
  if (is_drawn(file)) {
    auto whole = read_state(repository_, manifest);
    if (!whole) snapshot.damage.push_back(whole.error());
    count(file);
    return;
  }
  for (const NamedFile& each : named_files(manifest)) {
    if (each.name.kind != ArchiveName::Kind::checkpoint) continue;
    auto there = repository_.check_size(each.name, each.record);
    if (!there) snapshot.damage.push_back(there.error());
  }
}

// As a log is read, which finds the frames of files that are replaced meanwhile.
void RunningVerification::verify(CheckedTail& checked) {
  if (!checked.tail || options_.stop.stop_requested()) return;
  const ArchiveTail& tail = *checked.tail;
  auto snapshot = repository_.manifest(tail.snapshot);
  if (!snapshot) return;  // its damage is known
  const ArchivedLog log(repository_, with_tail(std::move(*snapshot), tail));
  std::uint64_t frames = 0;
  auto read = log.read_frames(tail.first(), [&](const FrameReader&) -> Result<bool> {
    ++frames;
    return !options_.stop.stop_requested();
  });
  checked.damage.clear();
  if (!read) checked.damage.push_back(read.error());
  result_.frames += frames;
  result_.files += tail.segments.size();
  result_.bytes += tail.bytes();
  if (options_.progress) options_.progress(result_.bytes, bytes_drawn_);
}

Result<ArchiveVerification> RunningVerification::run() {
  result_.tails = list_tails(repository_);
  result_.snapshots = read_manifests(repository_);
  if (options_.number) {
    std::erase_if(result_.snapshots,
                  [&](const auto& snapshot) { return snapshot.number != *options_.number; });
    if (result_.snapshots.empty()) {
      return fail(ErrorCode::not_found, "there is no snapshot " + std::to_string(*options_.number),
                  "`almanac snapshot list` shows those there are");
    }
    std::erase_if(result_.tails, [&](const CheckedTail& checked) {
      return !checked.tail || checked.tail->snapshot != *options_.number;
    });
  }
  for (const CheckedSnapshot& snapshot : result_.snapshots) {
    draw(snapshot, &snapshot == &result_.snapshots.front());
  }
  for (const CheckedTail& checked : result_.tails) {
    if (checked.tail) bytes_drawn_ += checked.tail->bytes();
  }
  for (CheckedSnapshot& snapshot : result_.snapshots) {
    if (!snapshot.manifest) continue;
    verify(snapshot);
    verify_state(snapshot);
  }
  for (CheckedTail& tail : result_.tails) verify(tail);
  if (options_.stop.stop_requested()) {
    return fail(ErrorCode::stopped, "the verification was stopped before it was complete");
  }
  return std::move(result_);
}

}  // namespace

bool ArchiveVerification::whole() const {
  return std::ranges::all_of(snapshots, &CheckedSnapshot::whole) &&
         std::ranges::all_of(tails, &CheckedTail::whole);
}

std::vector<CheckedTail> list_tails(const Repository& repository) {
  std::vector<CheckedTail> tails;
  for (const Timeline& timeline : repository.tails().value_or(std::vector<Timeline>())) {
    if (auto checked = check_tail(repository, timeline)) tails.push_back(std::move(*checked));
  }
  return tails;
}

std::vector<CheckedSnapshot> list_snapshots(const Repository& repository) {
  auto snapshots = read_manifests(repository);
  for (CheckedSnapshot& snapshot : snapshots) {
    if (!snapshot.manifest) continue;
    for (const NamedFile& file : named_files(*snapshot.manifest)) {
      auto there = repository.check_size(file.name, file.record);
      if (!there) snapshot.damage.push_back(there.error());
    }
  }
  return snapshots;
}

Result<ArchiveVerification> verify_archive(const Repository& repository,
                                           const ArchiveVerifyOptions& options) {
  return RunningVerification(repository, options).run();
}

}  // namespace almanac
