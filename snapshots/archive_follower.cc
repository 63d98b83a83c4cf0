#include <almanac/snapshots/archive_follower.h>

#include <almanac/log/this_thread.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/follow_beat.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/segment_merge.h>
#include <almanac/snapshots/segment_writer.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace almanac {
namespace {

constexpr std::chrono::milliseconds look_interval_max{50};
constexpr std::chrono::seconds retry_interval_max{30};
constexpr std::chrono::minutes snapshot_retry_interval{10};
constexpr std::chrono::seconds beat_interval{10};
// As long as an archiving took, it rests so many times.
constexpr int rest_factor = 9;

// As one writes it, for whom nothing is archived yet.
ArchiveTail begin_tail(const Manifest& snapshot) {
  return {.timeline = snapshot.timeline,
          .snapshot = snapshot.number,
          .archived_at = {},
          .end = snapshot.tail,
          .segments = {}};
}

bool same_failure(const std::optional<Error>& one, const std::optional<Error>& other) {
  if (!one || !other) return one.has_value() == other.has_value();
  return one->code == other->code && one->message == other->message;
}

}  // namespace

Duration FollowStatus::loss_window(Time now) const {
  return missing_since ? std::max(now - *missing_since, Duration{0}) : Duration{0};
}

ArchiveFollower::ArchiveFollower(Surroundings surroundings, FollowOptions options)
    : surroundings_(std::move(surroundings)), options_(std::move(options)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

ArchiveFollower::~ArchiveFollower() { stop(); }

void ArchiveFollower::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

FollowStatus ArchiveFollower::status() const {
  const std::lock_guard guard(mutex_);
  return status_;
}

template <class Change>
void ArchiveFollower::publish(const Change& change) {
  FollowStatus before;
  FollowStatus now;
  {
    const std::lock_guard guard(mutex_);
    before = status_;
    change(status_);
    now = status_;
  }
  const bool is_news = before.archived.last != now.archived.last ||
                       before.looked_at != now.looked_at || before.snapshot != now.snapshot ||
                       !same_failure(before.failure, now.failure) ||
                       !same_failure(before.snapshot_failure, now.snapshot_failure);
  if (is_news && options_.report) options_.report(now);
}

void ArchiveFollower::run(const std::stop_token& stop) {
  this_thread::set_name("almanac-archive");
  this_thread::give_way();
  this_thread::stay_behind();
  const auto interval = std::min(options_.every, look_interval_max);
  while (!stop.stop_requested()) {
    look();
    if (Clock::now() >= retry_at_) {
      const auto more = turn(stop);
      note(more ? std::nullopt : std::optional(more.error()));
      if (more && *more) continue;
    }
    this_thread::wait_for(stop, interval);
  }
  const auto rest = turn(stop);
  note(rest ? std::nullopt : std::optional(rest.error()));
}

// How far the log goes, and since when it is not archived: that is to be known also while archiving
// fails.
void ArchiveFollower::look() {
  const Log& log = surroundings_.log;
  const auto tail = log.tail();
  if (!tail) return;
  const FollowStatus known = status();
  std::optional<Time> missing_since = known.missing_since;
  if (!missing_since && tail->last > known.archived.last) {
    (void)log.read(known.archived.last.next(), [&](const RecordedEvent& event) -> Result<bool> {
      missing_since = event.event.at;
      return false;
    });
  }
  publish([&](FollowStatus& status) {
    status.last = tail->last;
    status.missing_since = missing_since;
  });
}

void ArchiveFollower::note(const std::optional<Error>& failure) {
  failures_ = failure ? failures_ + 1 : 0;
  if (failure) {
    const auto wait = options_.every * (std::uint64_t{1} << std::min<std::uint64_t>(failures_, 16));
    retry_at_ = Clock::now() + std::min<Clock::duration>(wait, retry_interval_max);
  }
  publish([&](FollowStatus& status) {
    status.failures = failures_;
    status.failure = failure;
  });
}

// Whether there is more to do at once.
Result<bool> ArchiveFollower::turn(const std::stop_token& stop) {
  if (!segment_) {
    if (auto begun = begin(stop); !begun) return std::unexpected(begun.error());
    if (!segment_) return false;
  }
  if (auto filled = fill(); !filled) {
    segment_.reset();
    return std::unexpected(filled.error());
  }
  if (is_due(stop.stop_requested())) return archive(stop);
  auto given = give_sign_of_life();
  if (given) return false;
  segment_.reset();
  if (given.error().code == ErrorCode::not_found) return true;  // looks again what is there
  return std::unexpected(given.error());
}

// A repository that is gone is noticed, too, though there is nothing to archive.
Result<void> ArchiveFollower::give_sign_of_life() {
  const Time now = options_.clock();
  const Time last = status().looked_at;
  if (now >= last && now - last < beat_interval) return {};
  auto repository = surroundings_.open_repository(Access::read);
  if (!repository) return std::unexpected(repository.error());
  auto given = beat(*repository, surroundings_.log.timeline(), now);
  if (!given) return given;
  publish([&](FollowStatus& status) {
    status.looked_at = now;
    status.failures = 0;
    status.failure.reset();
  });
  return {};
}

// One that has gone, with the disk it is on say, is not begun anew.
Result<Repository> ArchiveFollower::open_repository() const {
  if (was_there_) {
    auto there = surroundings_.open_repository(Access::read);
    if (!there) return there;
  }
  return surroundings_.open_repository(Access::write);
}

// A tail that is damaged counts as none: what was in it is archived again.
Result<NewestArchived> ArchiveFollower::find_archived(const Repository& repository) const {
  auto newest = find_newest(repository, surroundings_.log.timeline());
  const auto* damaged = newest && newest->tail_damaged ? &*newest->tail_damaged : nullptr;
  if (damaged == nullptr || damaged->code == ErrorCode::corrupt) return newest;
  return std::unexpected(*damaged);
}

// Where the archive of the log ends. One that has no snapshot gets it, once it has an event.
Result<void> ArchiveFollower::begin(const std::stop_token& stop) {
  const Log& log = surroundings_.log;
  auto last = log.tail();
  if (!last) return std::unexpected(last.error());
  if (!last->last) return {};
  auto repository = open_repository();
  if (!repository) return std::unexpected(repository.error());
  was_there_ = true;
  if (auto begun = begin_beats(*repository, log.timeline()); !begun) return begun;
  auto newest = find_archived(*repository);
  if (!newest && newest.error().code != ErrorCode::not_found) {
    return std::unexpected(newest.error());
  }
  if (!newest) return stop.stop_requested() ? Result<void>() : make_snapshot(*repository, stop);
  if (newest->tail_damaged) {
    publish([&](FollowStatus& status) { status.failure = newest->tail_damaged; });
  }
  const Manifest archived = newest->joined();
  if (auto goes_on = check_goes_on(log, archived.tail); !goes_on) return goes_on;
  go_on_behind(archived);
  return {};
}

void ArchiveFollower::go_on_behind(const Manifest& archived) {
  segment_ = std::exchange(emptied_, nullptr);
  if (segment_) {
    segment_->begin(archived.tail);
  } else {
    segment_ = std::make_unique<SegmentWriter>(archived.timeline, archived.tail, options_.jobs);
  }
  end_ = archived.tail;
  publish([&](FollowStatus& status) {
    status.archived = archived.tail;
    status.archived_at = archived.made_at;
    status.snapshot = archived.number;
    status.missing_since.reset();
  });
}

// With what the log has, as far as a segment goes.
Result<void> ArchiveFollower::fill() {
  const SegmentHeader& header = segment_->header();
  if (header.frame_bytes >= limits::segment_bytes_target) return {};
  auto read = surroundings_.log.read_frames(
      header.last.next(), [&](const FrameReader& frame) -> Result<bool> {
        if (frame.header().first != header.last.next() ||
            frame.header().previous != header.digest) {
          return fail(ErrorCode::conflict, "the log was trimmed or replaced while it was archived",
                      "archiving goes on where that is possible");
        }
        auto last = frame.event(frame.header().count - 1);
        if (!last) return std::unexpected(last.error());
        if (header.frames == 0) filled_since_ = Clock::now();
        if (auto added = segment_->add(frame); !added) return std::unexpected(added.error());
        end_ = {.last = header.last, .digest = header.digest, .time = last->at};
        return header.frame_bytes < limits::segment_bytes_target;
      });
  if (!read) return read;
  if (header.frames > 0) {
    publish([&](FollowStatus& status) { status.missing_since = header.first_time; });
  }
  return {};
}

bool ArchiveFollower::is_due(bool at_end) const {
  const SegmentHeader& header = segment_->header();
  if (header.frames == 0) return false;
  if (failures_ > 0 || at_end || header.frame_bytes >= limits::segment_bytes_target) return true;
  const auto now = Clock::now();
  return now - filled_since_ >= options_.every ||
         (header.frame_bytes >= options_.bytes && now >= rested_at_);
}

// A segment, and then the tail that names it.
Result<bool> ArchiveFollower::archive(const std::stop_token& stop) {
  const auto began = Clock::now();
  auto repository = open_repository();
  if (!repository) return std::unexpected(repository.error());
  auto newest = find_archived(*repository);
  if (!newest) {
    segment_.reset();
    return std::unexpected(newest.error());
  }
  ArchiveTail tail = newest->tail ? std::move(*newest->tail) : begin_tail(newest->snapshot);
  if (tail.end.digest != segment_->header().before) {
    segment_.reset();  // somebody else has archived it: on from there
    return true;
  }
  const bool is_full = segment_->header().frame_bytes >= limits::segment_bytes_target;
  if (auto added = add_segment(*repository, tail); !added) return std::unexpected(added.error());
  merge_small_segments(*repository, tail);
  go_on_behind(with_tail(newest->snapshot, tail));
  const auto ended = Clock::now();
  rested_at_ = ended + rest_factor * (ended - began);
  if (!stop.stop_requested() && is_snapshot_due(newest->snapshot, tail)) {
    snapshot_retry_at_ = Clock::now() + snapshot_retry_interval;
    auto made = make_snapshot(*repository, stop);
    if (!made) publish([&](FollowStatus& status) { status.snapshot_failure = made.error(); });
  }
  return is_full;
}

Result<void> ArchiveFollower::add_segment(Repository& repository, ArchiveTail& tail) {
  auto segment = std::exchange(segment_, nullptr);
  auto file = segment->finish();
  if (!file) return std::unexpected(file.error());
  auto record = write_segment(repository, segment->header(), *file);
  if (!record) return std::unexpected(record.error());
  tail.segments.push_back(*record);
  tail.end = end_;
  tail.archived_at = options_.clock();
  if (auto put = repository.put(tail); !put) return put;
  failures_ = 0;
  // That of a small one is soon made again, and not held while little happens.
  if (record->header.frame_bytes >= limits::block_run_bytes) emptied_ = std::move(segment);
  publish([&](FollowStatus& status) {
    status.file_bytes += record->file.bytes;
    status.failures = 0;
    status.failure.reset();
  });
  return {};
}

// A tail may do without: what cannot be read, written or removed is left as it is.
void ArchiveFollower::merge_small_segments(Repository& repository, ArchiveTail& tail) const {
  const std::size_t count = count_to_merge(tail.segments);
  if (count == 0) return;
  const auto small = std::span(tail.segments).last(count);
  auto merged = merge_segments(repository, small, options_.jobs);
  if (!merged) return;
  ArchiveTail with_merged = tail;
  with_merged.segments.resize(tail.segments.size() - count);
  with_merged.segments.push_back(*merged);
  if (!repository.put(with_merged)) return;
  for (const SegmentRecord& each : small) {
    (void)repository.remove(name_of(each.header, each.file));
  }
  tail = std::move(with_merged);
}

bool ArchiveFollower::is_snapshot_due(const Manifest& newest, const ArchiveTail& tail) const {
  const bool is_time = options_.clock() - newest.made_at >= options_.snapshot_every;
  return (is_time || tail.segments.size() >= limits::tail_segments_max) &&
         Clock::now() >= snapshot_retry_at_;
}

Result<void> ArchiveFollower::make_snapshot(Repository& repository, const std::stop_token& stop) {
  auto made = create_snapshot(
      surroundings_.log, surroundings_.folder, repository,
      {.made_at = options_.clock(), .jobs = options_.jobs, .progress = {}, .stop = stop});
  if (!made) return std::unexpected(made.error());
  go_on_behind(made->manifest);
  publish([&](FollowStatus& status) {
    status.file_bytes += made->file_bytes;
    status.snapshot_failure.reset();
    if (!made->refused.empty()) status.snapshot_failure = made->refused.front();
  });
  return {};
}

}  // namespace almanac
