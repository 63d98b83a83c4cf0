#include <almanac/tests/disk/workload.h>

#include <almanac/log/compact.h>
#include <almanac/log/file.h>
#include <almanac/log/repair.h>
#include <almanac/tests/disk/log_oracle.h>
#include <almanac/tests/disk/shadow_disk.h>
#include <almanac/tests/disk/state_folder.h>
#include <almanac/tests/support/temp_folder.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <deque>
#include <random>
#include <set>
#include <thread>
#include <utility>

namespace almanac::test {
namespace {

constexpr std::size_t usual_map_bytes = 256 * limits::mebibyte;
constexpr std::size_t spare_map_bytes = 192 * limits::kibibyte;
constexpr std::size_t filling_event_bytes = 16 * limits::kibibyte;
constexpr std::size_t settled_event_bytes = 16 * limits::kibibyte;
constexpr int filling_events_max = 40;
constexpr std::size_t page_bytes = 4096;

// Bytes of which no 8 are like any others, so that no sector can pass for another one.
std::string unlike_bytes(std::uint64_t number, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += 8) {
    auto word = mix(number, at);
    std::memcpy(&bytes[at], &word, std::min<std::size_t>(8, size - at));
  }
  return bytes;
}

constexpr std::array table = {
    Operation{"append one", &Workload::append_one, 50},
    Operation{"append several", &Workload::append_several, 15},
    Operation{"append 256", &Workload::append_256, 10},
    Operation{"append 1 MiB", &Workload::append_mebibyte, 1},
    Operation{"append grouped", &Workload::append_grouped, 10},
    Operation{"append with a version", &Workload::append_with_version, 5},
    Operation{"append with a key", &Workload::append_with_key, 5},
    Operation{"append and settle", &Workload::append_and_settle, 5},
    Operation{"close and open", &Workload::close_and_open, 15},
    Operation{"map full", &Workload::fill_map, 4},
    Operation{"trim", &Workload::trim, 5},
    Operation{"compact", &Workload::compact, 2},
};

std::string_view name_of(Start start) {
  switch (start) {
    case Start::nothing: return "first create";
    case Start::closed: return "open";
    case Start::killed: return "open what was killed";
  }
  return "?";
}

}  // namespace

std::span<const Operation> operations() { return table; }

const Operation& damage_and_repair() {
  static const Operation operation{"damage and repair", &Workload::damage_and_repair, 0};
  return operation;
}

Workload::Workload(Options options) : options_(std::move(options)) { open(usual_map_bytes); }
Workload::~Workload() = default;

void Workload::mark(Mark::Kind kind, const Promised& promised) {
  if (options_.recorder != nullptr) {
    options_.recorder->mark({kind, promised.position, promised.content});
  }
}

void Workload::open(std::size_t map_bytes) {
  auto log = Log::open(options_.folder,
                       {.map_bytes = map_bytes,
                        .on_commit = [this](const CommitReport& report) { on_commit(report); }});
  if (!log) std::fprintf(stderr, "%s\n", describe(log.error()).c_str());
  ALMANAC_CHECK(log.has_value());
  log_ = std::move(*log);
  check_contents();
}

// No power failed: what was acknowledged is there but for what was removed, and nothing else.
void Workload::check_contents() {
  auto base = log_->base();
  ALMANAC_CHECK(base.has_value());
  auto end = std::ranges::find(ends_, base->last.value, &Promised::position);
  ALMANAC_CHECK(end != ends_.end());
  Promised found = *end;
  auto read = log_->read(Position(1), [&](const RecordedEvent& recorded) {
    found = {recorded.position.value, content_behind(found.content, recorded.event)};
    return Result<bool>(true);
  });
  ALMANAC_CHECK(read.has_value());
  if (ends_.size() == 1) ends_.push_back(found);  // a log that was there before
  ALMANAC_CHECK(found.position == ends_.back().position);
  ALMANAC_CHECK(found.content == ends_.back().content);
  number_ = std::max(number_, found.position);
  mark(Mark::Kind::appended, found);
  mark(Mark::Kind::found, found);
  mark(Mark::Kind::shown, found);
  shown_ = found.position;
}

// Events one behind the other, their number being their time.
std::shared_ptr<const EventBatch> Workload::make_events(std::size_t count, std::size_t bytes,
                                                        bool keyed) {
  auto memory = std::make_shared<std::deque<std::string>>();
  auto batch = std::make_shared<EventBatch>();
  for (std::size_t i = 0; i < count; ++i) {
    memory->push_back(unlike_bytes(++number_, bytes));
    Event event{.at = Time(Duration(static_cast<std::int64_t>(number_))),
                .stream = number_ % 2 == 0 ? "even" : "odd",
                .body = CustomEvent{"power", as_bytes(memory->back())}};
    if (keyed) event.idempotency_key = memory->emplace_back("key " + std::to_string(number_));
    batch->events.push_back(event);
  }
  batch->memory = memory;
  return batch;
}

void Workload::hand_over(const std::shared_ptr<const EventBatch>& batch,
                         const AppendOptions& options) {
  const auto count = batch->events.size();
  Promised end = ends_.back();
  end.position += count;
  for (const Event& event : batch->events) end.content = content_behind(end.content, event);
  ends_.push_back(end);
  mark(Mark::Kind::appended, end);
  if (options_.promised_at_append) mark(*options_.promised_at_append, end);
  auto first = log_->append(batch, options);
  ALMANAC_CHECK(first.has_value() && first->value + count - 1 == end.position);
}

// Reads the end of the log until the outcome is known, and notes what it saw.
bool Workload::wait() {
  for (;;) {
    auto tail = log_->tail();
    ALMANAC_CHECK(tail.has_value());
    if (tail->last.value > shown_) {
      shown_ = tail->last.value;
      mark(Mark::Kind::shown, {shown_, 0});
    }
    {
      std::lock_guard guard(mutex_);
      if (error_) break;
      if (through_ >= ends_.back().position) return true;
    }
    std::this_thread::yield();
  }
  ALMANAC_CHECK(error_->code == ErrorCode::storage_full);
  std::erase_if(ends_, [&](const Promised& end) { return end.position > through_; });
  error_.reset();
  log_->resume();
  return false;
}

void Workload::on_commit(const CommitReport& report) {
  mark(Mark::Kind::acknowledged, {report.through.value, 0});
  if (report.error) mark(Mark::Kind::refused, {report.through.value, 0});
  std::lock_guard guard(mutex_);
  through_ = report.through.value;
  error_ = report.error;
}

bool Workload::append(std::size_t count, std::size_t bytes) {
  hand_over(make_events(count, bytes));
  return wait();
}

void Workload::append_in_batches(std::size_t count, std::size_t bytes) {
  for (std::size_t i = 0; i < count; ++i) hand_over(make_events(1, bytes));
  wait();
}

void Workload::append_grouped() {
  hand_over(make_events(2, 60), {.durability = Durability::grouped});
}

void Workload::append_with_version() {
  auto version = log_->version("even");
  ALMANAC_CHECK(version.has_value());
  const ExpectedVersion wrong{"even", *version + 1};
  auto refused = log_->append(make_events(1, 60), {.expected = std::span(&wrong, 1)});
  ALMANAC_CHECK(!refused && refused.error().code == ErrorCode::conflict);
  const ExpectedVersion right{"even", *version};
  hand_over(make_events(1, 60), {.expected = std::span(&right, 1)});
  wait();
}

void Workload::append_with_key() {
  repeat();
  auto batch = make_events(2, 60, true);
  auto first = ends_.back().position + 1;
  hand_over(batch);
  if (wait()) keyed_ = {batch, Position(first)};
  repeat();
}

// Waits until the store has it as well, in which it takes new pages.
void Workload::append_and_settle() {
  auto used = [this] {
    auto size = log_->size();
    ALMANAC_CHECK(size.has_value());
    return size->store_bytes - size->store_free_bytes;
  };
  const auto before = used();
  append(1, settled_event_bytes);
  while (used() < before + settled_event_bytes / 2) std::this_thread::yield();
}

void Workload::repeat() {
  if (!keyed_) return;
  auto again = log_->append_and_wait(keyed_->batch->events);
  ALMANAC_CHECK(again && again->repeated && again->first == keyed_->first);
}

void Workload::close_and_open() {
  log_.reset();
  open(usual_map_bytes);
}

// Fills the little room that is left in the map, and opens the log with a larger one.
void Workload::fill_map() {
  log_.reset();
  auto size = std::filesystem::file_size(options_.folder / "log" / "data.mdb");
  open((size + spare_map_bytes) / page_bytes * page_bytes);
  for (int i = 0; i < filling_events_max && append(1, filling_event_bytes); ++i) {}
  append(1, 1);
  close_and_open();
}

// What is in the file only, and of that the first half.
void Workload::trim() {
  close_and_open();
  const Position half((ends_.back().position + 1) / 2);
  if (!half) return;
  mark(Mark::Kind::removable, {half.value, 0});
  ALMANAC_CHECK(log_->set_checkpoint(half).has_value());
  ALMANAC_CHECK(
      log_->trim({.before = half.next(), .older_than = {}, .keep_bytes = {}}).has_value());
}

void Workload::compact() {
  log_.reset();
  auto compacted = almanac::compact(options_.folder);
  if (!compacted) std::fprintf(stderr, "%s\n", describe(compacted.error()).c_str());
  ALMANAC_CHECK(compacted.has_value());
  open(usual_map_bytes);
}

// Of a file without its meta pages nothing is found but by searching it, and then all is.
void Workload::damage_and_repair() {
  log_.reset();
  {
    const std::string nothing(2 * page_bytes, '\0');
    FileDescriptor file(::open((options_.folder / "log" / "data.mdb").c_str(), O_WRONLY));
    ALMANAC_CHECK(::pwrite(file.get(), nothing.data(), nothing.size(), 0) ==
                  static_cast<ssize_t>(nothing.size()));
    ALMANAC_CHECK(::fdatasync(file.get()) == 0);
  }
  auto repaired = repair(options_.folder);
  if (!repaired) std::fprintf(stderr, "%s\n", describe(repaired.error()).c_str());
  ALMANAC_CHECK(repaired.has_value());
  open(usual_map_bytes);
}

std::vector<Scenario> all_sequences(std::size_t length) {
  std::vector<Scenario> all;
  std::vector<std::vector<const Operation*>> last{{}};
  for (std::size_t i = 0; i < length; ++i) {
    std::vector<std::vector<const Operation*>> longer;
    for (const auto& sequence : last) {
      for (const Operation& operation : operations()) {
        longer.push_back(sequence);
        longer.back().push_back(&operation);
      }
    }
    for (const auto& sequence : longer) {
      for (Start start : {Start::closed, Start::nothing, Start::killed}) {
        std::string name(name_of(start));
        for (const Operation* operation : sequence) name += ", " + std::string(operation->name);
        all.push_back({std::move(name), start, sequence});
      }
    }
    last = std::move(longer);
  }
  return all;
}

Scenario random_run(std::uint64_t seed, std::size_t length) {
  std::mt19937_64 random(seed);
  int weights = 0;
  for (const Operation& operation : operations()) weights += operation.weight;
  Scenario scenario{"random run " + std::to_string(seed), static_cast<Start>(random() % 3), {}};
  while (scenario.operations.size() < length) {
    auto left = static_cast<int>(random() % static_cast<unsigned>(weights));
    const Operation* chosen = operations().data();
    while (left >= chosen->weight) left -= (chosen++)->weight;
    scenario.operations.push_back(chosen);
  }
  return scenario;
}

namespace {

DiskImage live_image(const RecordedScenario& recorded, SectorPool& pool) {
  ShadowDisk disk(pool, recorded.before);
  for (std::size_t i = 0; i < recorded.recording.steps.size(); ++i) {
    const auto* call = std::get_if<RecordedCall>(&recorded.recording.steps[i]);
    if (call != nullptr) disk.apply(*call, i);
  }
  return disk.live_image();
}

// Also under the names they have got since.
std::set<std::string> mapped_files(const Recording& recording) {
  auto mapped = recording.mapped_for_writing;
  for (const Step& step : recording.steps) {
    const auto* call = std::get_if<RecordedCall>(&step);
    if (call == nullptr || call->kind != CallKind::rename) continue;
    std::set<std::string> renamed;
    for (const std::string& path : mapped) {
      if (path.starts_with(call->path + "/")) {
        renamed.insert(call->to + path.substr(call->path.size()));
      }
    }
    mapped.merge(renamed);
  }
  return mapped;
}

}  // namespace

bool is_complete(const RecordedScenario& recorded, const std::filesystem::path& folder,
                 SectorPool& pool) {
  auto expected = live_image(recorded, pool);
  auto real = read_image(folder, pool);
  const auto mapped = mapped_files(recorded.recording);
  for (DiskImage* image : {&expected, &real}) {
    for (ImageEntry& entry : *image) {
      if (mapped.contains(entry.path)) entry.file.sectors.clear();
      entry.file.trim(pool);
    }
  }
  return expected == real;
}

namespace {

// A few events; answers what the disk held before they were closed.
DiskImage write_before(const std::filesystem::path& folder, SectorPool& pool, Recorder& recorder) {
  const auto nothing = read_image(folder, pool);
  Recording recording;
  {
    Watching watching(recorder);
    Workload before({.folder = folder / "log", .recorder = &recorder});
    before.append_several();
    recording = recorder.take();
  }
  (void)recorder.take();
  for (const Step& step : recording.steps) {
    if (const auto* mark = std::get_if<Mark>(&step)) recorder.mark(*mark);
  }
  return live_image({nothing, std::move(recording)}, pool);
}

void replace(const std::filesystem::path& folder, const DiskImage& image, SectorPool& pool) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  StateFolder(folder, pool).make(image);
}

}  // namespace

RecordedScenario record(const Scenario& scenario, SectorPool& pool,
                        std::optional<Mark::Kind> promised_at_append) {
  TempFolder folder;
  const auto log = folder / "log";
  Recorder recorder(folder.path());
  if (scenario.start != Start::nothing) {
    auto unclosed = write_before(folder.path(), pool, recorder);
    if (scenario.start == Start::killed) replace(folder.path(), unclosed, pool);
  }
  RecordedScenario recorded{read_image(folder.path(), pool), {}};
  {
    Watching watching(recorder);
    Workload workload({log, &recorder, promised_at_append});
    for (const Operation* operation : scenario.operations) (workload.*operation->run)();
  }
  recorded.recording = recorder.take();
  ALMANAC_CHECK(is_complete(recorded, folder.path(), pool));
  return recorded;
}

}  // namespace almanac::test
