#include <almanac/snapshots/archive.h>

#include <almanac/snapshots/archive_checkpoint.h>
#include <almanac/snapshots/archived_log.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/segment_merge.h>
#include <almanac/snapshots/segment_writer.h>
#include <almanac/snapshots/state_at.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <span>
#include <string>
#include <utility>

namespace almanac {
namespace {

std::string text_of(Position position) { return std::to_string(position.value); }

// What a new snapshot builds on.
struct Earlier {
  std::optional<Manifest> newest;  // of this log
  std::uint64_t number = 0;        // the largest there is
  Digest digest{};                 // of the newest manifest that can be read
  std::vector<Error> refused;
};

// Whether that is what is in a file, and not that it could not be read this time.
bool is_of_the_file(const Error& error) {
  return error.code == ErrorCode::corrupt || error.code == ErrorCode::newer_format;
}

// A manifest that may be whole is not passed over: the new one would not follow it.
Result<Earlier> find_earlier(const Repository& repository, const Timeline& timeline) {
  Earlier earlier;
  bool is_newest = true;
  for (std::uint64_t number : repository.numbers()) {
    earlier.number = std::max(earlier.number, number);
    auto manifest = repository.read_manifest(number);
    if (!manifest) {
      if (!is_of_the_file(manifest.error())) return std::unexpected(manifest.error());
      earlier.refused.push_back(manifest.error());
      continue;
    }
    if (std::exchange(is_newest, false)) earlier.digest = Repository::digest_of(*manifest);
    // A signature is not to stand for what somebody else has made.
    if (auto trusted = repository.check_signer(*manifest); !trusted) {
      earlier.refused.push_back(trusted.error());
      continue;
    }
    if (manifest->timeline != timeline) continue;
    earlier.newest = std::move(*manifest);
    break;
  }
  return earlier;
}

// A state as the archive keeps it.
struct PackedState {
  Digest digest{};
  PackedCheckpoint checkpoint;
};

// Whether its frames are what its header says: no manifest stands for it yet.
bool leads_to_its_end(const ArchiveSegment& segment) {
  auto read = segment.read_frames(segment.header().first,
                                  [](const FrameReader&) -> Result<bool> { return true; });
  return read.has_value();
}

// One snapshot being made.
class Snapshot {
 public:
  Snapshot(const Log& log, Repository& repository, const SnapshotOptions& options)
      : log_(log), repository_(repository), options_(options) {}

  Result<SnapshotReport> make(const std::filesystem::path& folder);

 private:
  Result<LogTail> begin_at();
  Result<void> take_over_leftovers(LogTail& at);
  Result<void> archive_frames(LogTail at);
  Result<void> fill(SegmentWriter& segment);
  Result<void> begin_to_write(const SegmentHeader& header, std::vector<std::byte> file);
  Result<void> wait_for_segment();
  void merge_small_segments();
  Result<State> state_at_end(const std::filesystem::path& folder, const std::stop_token& stop);
  Result<PackedState> packed_state_at_end(const std::filesystem::path& folder,
                                          const std::stop_token& stop);
  Result<void> write_state(const PackedState& state);
  std::optional<State> read_earlier_state();
  Result<SnapshotReport> add_manifest();
  Result<void> check_tag();
  void remove_leftovers();
  void show(Position through);
  [[nodiscard]] static std::unexpected<Error> stopped() {
    return fail(ErrorCode::stopped, "the snapshot was stopped before it was whole",
                "what is archived stays; the next one goes on from there");
  }

  const Log& log_;
  Repository& repository_;
  const SnapshotOptions& options_;
  Earlier earlier_;
  std::optional<ArchivedCheckpoint> checkpoint_;  // of the earlier snapshot
  struct Written {
    Result<SegmentRecord> record;
    std::vector<std::byte> memory;  // that the file had
  };
  std::future<Written> writing_;  // to the disk, while the next is compressed
  std::vector<std::byte> spare_;  // memory for the next file
  SnapshotReport report_;
};

Result<LogTail> Snapshot::begin_at() {
  if (options_.full) earlier_.newest.reset();
  if (!earlier_.newest) return log_.base();
  report_.manifest.segments = earlier_.newest->segments;
  LogTail at = earlier_.newest->tail;
  auto tail = repository_.tail(log_.timeline());
  if (tail && goes_on_behind(*tail, *earlier_.newest)) {
    std::ranges::copy(tail->segments, std::back_inserter(report_.manifest.segments));
    at = tail->end;
  } else if (!tail && tail.error().code != ErrorCode::not_found) {
    earlier_.refused.push_back(tail.error());
  }
  if (auto goes_on = check_goes_on(log_, at); !goes_on) return std::unexpected(goes_on.error());
  return at;
}

// A snapshot that was cut short has left whole segments: those that are of this log need not be
// archived again.
Result<void> Snapshot::take_over_leftovers(LogTail& at) {
  auto leftovers = repository_.unreferenced();
  if (!leftovers) return {};
  std::ranges::sort(*leftovers);
  for (const ArchiveName& name : *leftovers) {
    if (name.kind != ArchiveName::Kind::segment || name.timeline != log_.timeline() ||
        name.first != at.last.next() || name.last > report_.manifest.tail.last) {
      continue;
    }
    auto found = repository_.find(name);
    if (!found) continue;
    auto segment = ArchiveSegment::open(std::move(found->bytes));
    if (!segment || name_of(segment->header(), found->record) != name ||
        segment->header().before != at.digest || !leads_to_its_end(*segment)) {
      continue;
    }
    auto chain = chain_at(log_, name.last);
    if (!chain) return std::unexpected(chain.error());
    if (*chain != segment->header().digest) continue;
    at = {.last = name.last, .digest = *chain, .time = segment->header().last_time};
    report_.manifest.segments.push_back({.header = segment->header(), .file = found->record});
  }
  return {};
}

void Snapshot::show(Position through) {
  if (!options_.progress) return;
  options_.progress({.first = report_.from,
                     .through = through,
                     .last = report_.manifest.tail.last,
                     .frame_bytes = report_.frame_bytes,
                     .file_bytes = report_.file_bytes});
}

// The disk of the repository is waited for between two reads, never inside one: it may be slow, and
// a read pins pages of the log.
Result<void> Snapshot::archive_frames(LogTail at) {
  SegmentWriter segment(log_.timeline(), at, options_.jobs);
  for (bool again = false; at.last < report_.manifest.tail.last; again = true) {
    if (again) segment.begin(at, std::exchange(spare_, {}));
    if (auto filled = fill(segment); !filled) return filled;
    const SegmentHeader& header = segment.header();
    at = {.last = header.last, .digest = header.digest, .time = header.last_time};
    auto file = segment.finish();
    if (!file) return std::unexpected(file.error());
    if (auto begun = begin_to_write(header, std::move(*file)); !begun) return begun;
  }
  ALMANAC_CHECK(at.digest == report_.manifest.tail.digest);
  return wait_for_segment();
}

// As far as a segment goes, or the snapshot.
Result<void> Snapshot::fill(SegmentWriter& segment) {
  const Position last = report_.manifest.tail.last;
  return log_.read_frames(segment.header().first, [&](const FrameReader& frame) -> Result<bool> {
    if (options_.stop.stop_requested()) return stopped();
    if (frame.header().first != segment.header().last.next()) {
      return fail(ErrorCode::conflict, "the log was trimmed while it was archived",
                  "archive it again");
    }
    if (auto added = segment.add(frame); !added) return std::unexpected(added.error());
    report_.frame_bytes += frame.size_bytes();
    show(segment.header().last);
    return segment.header().last < last &&
           segment.header().frame_bytes < limits::segment_bytes_target;
  });
}

Result<void> Snapshot::begin_to_write(const SegmentHeader& header, std::vector<std::byte> file) {
  if (auto written = wait_for_segment(); !written) return written;
  writing_ = std::async(std::launch::async, [this, header, file = std::move(file)]() mutable {
    auto record = write_segment(repository_, header, file);
    return Written{std::move(record), std::move(file)};
  });
  return {};
}

Result<void> Snapshot::wait_for_segment() {
  if (!writing_.valid()) return {};
  auto [record, memory] = writing_.get();
  if (!record) return std::unexpected(record.error());
  spare_ = std::move(memory);
  report_.file_bytes += record->file.bytes;
  report_.manifest.segments.push_back(*record);
  return {};
}

// A snapshot may do without: what cannot be read or written is left as it is.
void Snapshot::merge_small_segments() {
  auto& segments = report_.manifest.segments;
  const std::size_t count = count_to_merge(segments);
  if (count == 0) return;
  const std::span<const SegmentRecord> small = std::span(segments).last(count);
  auto merged = merge_segments(repository_, small, options_.jobs);
  if (!merged) {
    earlier_.refused.push_back(merged.error());
    return;
  }
  report_.file_bytes += merged->file.bytes;
  segments.resize(segments.size() - count);
  segments.push_back(*merged);
}

// The state of the earlier snapshot. What cannot be read is not built on: the new checkpoint is one
// in full then.
std::optional<State> Snapshot::read_earlier_state() {
  if (!earlier_.newest) return std::nullopt;
  auto archived = read_checkpoint(repository_, *earlier_.newest);
  auto checkpoint = archived ? decode_checkpoint(archived->file)
                             : Result<Checkpoint>(std::unexpected(archived.error()));
  if (!checkpoint) {
    earlier_.refused.push_back(checkpoint.error());
    return std::nullopt;
  }
  checkpoint_ = std::move(*archived);
  return std::move(checkpoint->state);
}

Result<State> Snapshot::state_at_end(const std::filesystem::path& folder,
                                     const std::stop_token& stop) {
  const Position last = report_.manifest.tail.last;
  auto earlier = read_earlier_state();
  if (!earlier) return state_at(log_, folder, last, stop);
  return rebuild(log_, {.through = last, .start = std::move(*earlier), .stop = stop});
}

Result<PackedState> Snapshot::packed_state_at_end(const std::filesystem::path& folder,
                                                  const std::stop_token& stop) {
  const auto state = state_at_end(folder, stop);
  if (!state) return std::unexpected(state.error());
  const Manifest& manifest = report_.manifest;
  const CheckpointHeader header{.timeline = manifest.timeline,
                                .position = manifest.tail.last,
                                .chain = manifest.tail.digest,
                                .state = digest(*state)};
  const auto file = encode_checkpoint(header, *state);
  std::optional<DeltaBase> base;
  if (checkpoint_) {
    const Manifest& earlier = *earlier_.newest;
    base = {.record = earlier.base ? *earlier.base : earlier.checkpoint,
            .file = checkpoint_->full()};
  }
  auto packed = pack_checkpoint(manifest.timeline, manifest.tail.last, file, base);
  if (!packed) return std::unexpected(packed.error());
  return PackedState{.digest = header.state, .checkpoint = std::move(*packed)};
}

Result<void> Snapshot::write_state(const PackedState& state) {
  Manifest& manifest = report_.manifest;
  auto record = write_checkpoint(repository_, manifest.timeline, state.checkpoint);
  if (!record) return std::unexpected(record.error());
  manifest.state = state.digest;
  manifest.checkpoint = *record;
  manifest.base = state.checkpoint.base;
  report_.file_bytes += record->file.bytes;
  return {};
}

// Nobody reads what no manifest names; what stays for now goes with a later snapshot.
void Snapshot::remove_leftovers() {
  repository_.remove_unfinished();
  if (!repository_.remove_tail(log_.timeline())) return;
  auto leftovers = repository_.unreferenced();
  if (!leftovers) return;
  for (const ArchiveName& name : *leftovers) (void)repository_.remove(name);
}

Result<SnapshotReport> Snapshot::add_manifest() {
  Manifest& manifest = report_.manifest;
  manifest.made_at = options_.made_at;
  manifest.tag = options_.tag;
  manifest.number = earlier_.number + 1;
  manifest.previous = earlier_.digest;
  if (auto added = repository_.add(manifest); !added) return std::unexpected(added.error());
  remove_leftovers();
  report_.refused = std::move(earlier_.refused);
  return std::move(report_);
}

Result<void> Snapshot::check_tag() {
  const std::string& tag = options_.tag;
  if (tag.empty()) return {};
  if (!is_tag(tag)) {
    return fail(ErrorCode::invalid, "'" + tag + "' is not a tag",
                "write a letter, and up to 63 more letters, digits, dots, dashes and underscores");
  }
  const auto other = find_tagged(repository_, tag);
  if (!other) return {};
  return fail(ErrorCode::conflict,
              "snapshot " + std::to_string(other->number) + " has the tag " + tag + " already",
              "choose another one");
}

Result<SnapshotReport> Snapshot::make(const std::filesystem::path& folder) {
  if (auto checked = check_tag(); !checked) return std::unexpected(checked.error());
  auto tail = log_.tail();
  if (!tail) return std::unexpected(tail.error());
  if (!tail->last) {
    return fail(ErrorCode::not_found, "the log is empty: there is nothing to archive");
  }
  Manifest& manifest = report_.manifest;
  manifest.timeline = log_.timeline();
  manifest.tail = *tail;
  auto earlier = find_earlier(repository_, manifest.timeline);
  if (!earlier) return std::unexpected(earlier.error());
  earlier_ = std::move(*earlier);
  if (earlier_.number == UINT64_MAX) {
    return fail(ErrorCode::refused, "there is no number behind that of the newest manifest",
                "remove " + repository_.path_of(earlier_.number).string());
  }
  auto at = begin_at();
  if (!at) return std::unexpected(at.error());
  report_.from = at->last.next();
  if (earlier_.newest && earlier_.newest->tail.last == tail->last) {
    manifest = std::move(*earlier_.newest);
    manifest.signer.reset();
    report_.made = !options_.tag.empty();
    if (report_.made) return add_manifest();
    report_.refused = std::move(earlier_.refused);
    return std::move(report_);
  }
  if (auto taken = take_over_leftovers(*at); !taken) return std::unexpected(taken.error());
  // Folded and packed beside: compressing leaves processors free when it waits for the disk.
  std::stop_source in_vain;
  const std::stop_callback stop(options_.stop, [&] { in_vain.request_stop(); });
  auto folding = std::async(std::launch::async,
                            [&] { return packed_state_at_end(folder, in_vain.get_token()); });
  const auto archived = archive_frames(*at);
  if (!archived) in_vain.request_stop();
  auto state = folding.get();
  if (!archived) return std::unexpected(archived.error());
  if (options_.stop.stop_requested()) return stopped();
  merge_small_segments();
  if (!state) return std::unexpected(state.error());
  if (auto kept = write_state(*state); !kept) return std::unexpected(kept.error());
  return add_manifest();
}

}  // namespace

Result<void> check_goes_on(const Log& log, const LogTail& archived) {
  auto first = log.first();
  if (!first) return std::unexpected(first.error());
  if (*first > archived.last.next()) {
    return fail(ErrorCode::refused,
                "positions " + text_of(archived.last.next()) + " to " +
                    text_of(Position(first->value - 1)) +
                    " are neither in the archive nor in the log, which was trimmed",
                "`almanac snapshot create --full` begins again at position " + text_of(*first));
  }
  auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  auto chain = tail->last < archived.last ? Result<Digest>(Digest{}) : chain_at(log, archived.last);
  if (!chain) return std::unexpected(chain.error());
  if (*chain == archived.digest) return {};
  return fail(ErrorCode::conflict,
              "the log has another past than the one that is archived up to position " +
                  text_of(archived.last),
              "it was put back from an older copy: archive it in another repository");
}

Result<SnapshotReport> create_snapshot(const Log& log, const std::filesystem::path& folder,
                                       Repository& repository, const SnapshotOptions& options) {
  return Snapshot(log, repository, options).make(folder);
}

}  // namespace almanac
