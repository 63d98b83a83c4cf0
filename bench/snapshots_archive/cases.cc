#include <almanac/bench/snapshots_archive/cases.h>

#include <almanac/bench/processor_time.h>
#include <almanac/bench/projections/mix.h>
#include <almanac/bench/require.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/log/log.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/checkpoint_policy.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/restore.h>
#include <almanac/snapshots/state_at.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t append_events = 1'000;
constexpr int jobs = 2;

template <class T>
T taken(Result<T> result) {
  require(result.has_value(), result ? "" : describe(result.error()));
  return std::move(*result);
}

std::unique_ptr<Log> open_log(const fs::path& folder, Access access = Access::write) {
  return taken(Log::open(folder, {.access = access, .index = false}));
}

// What tasks carry: 200 bytes of JSON, about half of which is chance.
class Payloads {
 public:
  void add_to(std::vector<Event>& events) {
    texts_.clear();
    for (Event& event : events) {
      auto* enqueued = std::get_if<TaskEnqueued>(&event.body);
      if (enqueued == nullptr) continue;
      enqueued->payload = as_bytes(texts_.emplace_back(draw()));
    }
  }

 private:
  std::string draw() {
    std::string text = R"({"customer":")" + std::to_string(random_() % 100'000) +
                       R"(","model":"large","temperature":0.)" + std::to_string(random_() % 10) +
                       R"(,"prompt":")";
    while (text.size() < 190) text += words_[random_() % words_.size()];
    return text + R"("})";
  }

  static constexpr std::array<std::string_view, 16> words_ = {
      "the ",   "report ", "of ",    "yesterday ", "and ",  "a ",    "picture ", "with ",
      "every ", "number ", "again ", "in ",        "blue ", "from ", "here ",    "to "};
  std::mt19937_64 random_{20'260'102};
  std::deque<std::string> texts_;  // of one batch
};

void append(Log& log, std::span<const Event> events, bool is_last) {
  const auto durability = is_last ? Durability::durable : Durability::grouped;
  (void)taken(log.append_and_wait(events, {.durability = durability}));
}

// The events of the mix behind those the log has, up to so many. Made anew from the beginning,
// since a mix cannot be begun in its middle.
void write_mix(const fs::path& folder, const Sizes& sizes, std::uint64_t events) {
  const auto log = open_log(folder);
  const Position from = taken(log->tail()).last;
  Mix mix;
  Payloads payloads;
  while (mix.position() < events) {
    const auto batch = mix.position() < sizes.tasks ? enqueue_batch(mix, append_events)
                                                    : mixed_batch(mix, append_events);
    std::vector<Event> all = batch->events;
    payloads.add_to(all);
    if (mix.position() > from.value) append(*log, all, mix.position() == events);
  }
}

SnapshotReport archive(const fs::path& folder, const fs::path& to, double& seconds) {
  const auto log = open_log(folder, Access::read);
  const Stopwatch watch;
  auto repository = taken(Repository::open(to, Access::write));
  auto report =
      taken(create_snapshot(*log, folder, repository, {.made_at = system_now(), .jobs = jobs}));
  seconds = watch.seconds();
  require(report.made, "nothing was archived");
  return report;
}

void verify_all(const fs::path& repository) {
  const auto opened = taken(Repository::open(repository, Access::read));
  const auto report = taken(verify_archive(opened, {}));
  for (const auto& snapshot : report.snapshots) require(snapshot.whole(), "a snapshot is damaged");
}

// The frames as they stand in the log, behind each other.
std::uint64_t write_frames(const fs::path& folder, const fs::path& to) {
  const auto log = open_log(folder, Access::read);
  std::ofstream file(to, std::ios::binary);
  auto read = log->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    const Bytes bytes = frame.value();
    file.write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
    return true;
  });
  require(read && file.flush(), "the frames could not be written");
  return fs::file_size(to);
}

void run(const std::string& command) {
  require(std::system(command.c_str()) == 0, command + " has failed");
}

// Ours is synced when it is there: so is theirs.
void pack(Packed& packed, const std::string& command, const fs::path& to) {
  const double worked = processor_seconds_of_children();
  const Stopwatch watch;
  run(command + " && sync '" + to.string() + "'");
  packed.seconds.push_back(watch.seconds());
  packed.processor_seconds.push_back(processor_seconds_of_children() - worked);
  packed.bytes = fs::file_size(to);
}

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

void archive_anew(Packed& packed, const fs::path& folder, std::uint64_t frame_bytes) {
  fs::remove_all(folder / "archive");
  const double worked = processor_seconds();
  const auto report = archive(folder / "log", folder / "archive", packed.seconds.emplace_back());
  packed.processor_seconds.push_back(processor_seconds() - worked);
  packed.bytes = report.manifest.bytes();
  require(report.frame_bytes == frame_bytes, "not all frames were archived");
}

// Half as far back as it may lie by the default policy.
void leave_checkpoint(const fs::path& folder, std::uint64_t events) {
  const auto log = open_log(folder);
  const Position at(events - std::min<std::uint64_t>(events / 2, CheckpointPolicy().events / 2));
  const State state = taken(state_at(*log, folder, at));
  (void)taken(keep_checkpoint(*log, folder, state));
}

void lease_all_over(const fs::path& folder, std::uint64_t tasks, std::uint64_t leased) {
  const auto log = open_log(folder);
  const Time at = taken(log->tail()).time;
  for (std::uint64_t i = 0; i < leased; i += append_events) {
    std::vector<Event> events;
    for (std::uint64_t j = i; j < std::min<std::uint64_t>(i + append_events, leased); ++j) {
      events.push_back(
          {.at = at, .body = TaskStarted{.id = TaskId(j * (tasks / leased) + 1), .attempt = 1}});
    }
    append(*log, events, i + append_events >= leased);
  }
}

}  // namespace

Archiving compare_archiving(const Sizes& sizes, const fs::path& folder) {
  write_mix(folder / "log", sizes, sizes.archived);
  const std::string frames = folder / "frames";
  Archiving archiving{.frame_bytes = write_frames(folder / "log", frames),
                      .ours = {.system = "almanac snapshot create", .seconds = {}},
                      .beside_checkpoint = {.system = "the same with a checkpoint", .seconds = {}},
                      .peers = {}};
  const bool has_zstd = is_installed("zstd");
  if (has_zstd) archiving.peers.push_back({.system = "zstd -3 -T2", .seconds = {}});
  archiving.peers.push_back({.system = "tar", .seconds = {}});
  for (int round = 0; round < sizes.rounds; ++round) {
    archive_anew(archiving.ours, folder, archiving.frame_bytes);
    leave_checkpoint(folder / "log", sizes.archived);
    archive_anew(archiving.beside_checkpoint, folder, archiving.frame_bytes);
    fs::remove_all(checkpoints_folder(folder / "log"));
    if (has_zstd) {
      const std::string to = frames + ".zst";
      pack(archiving.peers.front(), "zstd -q -f -3 -T2 '" + frames + "' -o '" + to + "'", to);
    }
    const std::string to = frames + ".tar";
    pack(archiving.peers.back(), "tar -cf '" + to + "' -C '" + folder.string() + "' frames", to);
  }
  verify_all(folder / "archive");
  if (has_zstd) run("zstd -q -d -c '" + frames + ".zst' | cmp -s - '" + frames + "'");
  for (const char* end : {"", ".zst", ".tar"}) fs::remove(frames + end);
  return archiving;
}

Incremental measure_incremental(const Sizes& sizes, const fs::path& folder) {
  Incremental incremental{.tasks = sizes.tasks, .changed = sizes.tasks / 100, .seconds = {}};
  for (int round = 0; round < sizes.rounds; ++round) {
    fs::remove_all(folder);
    double ignored = 0;
    write_mix(folder / "log", sizes, sizes.tasks);
    incremental.full_bytes = archive(folder / "log", folder / "archive", ignored).manifest.bytes();
    lease_all_over(folder / "log", sizes.tasks, incremental.changed);
    incremental.bytes =
        archive(folder / "log", folder / "archive", incremental.seconds.emplace_back()).file_bytes;
    verify_all(folder / "archive");
  }
  fs::remove_all(folder);
  return incremental;
}

std::vector<Restored> measure_restores(const Sizes& sizes, const fs::path& folder) {
  write_mix(folder / "log", sizes, sizes.restored);
  double ignored = 0;
  (void)archive(folder / "log", folder / "archive", ignored);
  const auto repository = taken(Repository::open(folder / "archive", Access::read));
  std::mt19937_64 random(4'711);
  std::vector<Restored> all;
  for (int round = 0; round <= sizes.rounds; ++round) {
    const bool is_last = round == sizes.rounds;
    const Position at(is_last ? sizes.restored : 1 + random() % sizes.restored);
    const double worked = processor_seconds();
    const Stopwatch watch;
    const auto plan = taken(plan_restore(repository, {.snapshot = {}, .moment = at}));
    const auto restored = taken(restore(repository, plan, folder / "restored",
                                        {.now = system_now(), .proves_state = is_last}));
    all.push_back({.at = at.value,
                   .folded = at.value - restored.folded_from.value,
                   .seconds = watch.seconds(),
                   .processor_seconds = processor_seconds() - worked});
    fs::remove_all(folder / "restored");
  }
  return all;
}

}  // namespace almanac::bench
