#include <almanac/log/log.h>

#include <almanac/log/folder.h>
#include <almanac/log/log_parts.h>

#include <string>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

// Events without a time take that of now.
void set_times(std::vector<Event>& events, Time now) {
  for (Event& event : events) {
    if (event.at == Time()) event.at = now;
  }
}

}  // namespace

Time system_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// 1. may this be a log  2. lock  3. make what is missing  4. store, mark, journal
Result<std::unique_ptr<Log>> Log::open(const fs::path& folder, LogOptions options) {
  const bool writing = options.access == Access::write;
  auto checked = writing ? prepare_writing(folder) : check_readable(folder);
  if (!checked) return std::unexpected(checked.error());
  const auto path = folder / store_folder;
  Store::OpenOptions store_options{.access = options.access, .map_bytes = options.map_bytes};
  if (!writing) store_options.registered = can_register(path);
  // What the store lacks may be in the journal; where it is not, that is found out there.
  if (writing) store_options.replay_through = Position(UINT64_MAX);
  Parts::Opened opened;
  if (writing || !store_options.registered) {
    auto lock = writing ? WriteLock::take(folder) : WriteLock::share(folder);
    if (!lock) return std::unexpected(lock.error());
    opened.lock = std::move(*lock);
  }
  if (writing) {
    if (auto created = create_if_missing(folder); !created) {
      return std::unexpected(created.error());
    }
  }
  auto store = Store::open(path, store_options);
  if (!store) return std::unexpected(store.error());
  opened.store = std::move(*store);
  auto mark = DurableMark::open(path / durable_mark_file, opened.store->timeline(), options.access);
  if (!mark) return std::unexpected(mark.error());
  opened.mark = std::move(*mark);
  auto parts = std::make_unique<Parts>(folder, std::move(options), std::move(opened));
  auto started = writing ? parts->start_writing() : parts->start_reading();
  if (!started) return std::unexpected(started.error());
  return std::unique_ptr<Log>(new Log(std::move(parts)));
}

Log::Log(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Log::~Log() = default;

const Timeline& Log::timeline() const { return parts_->store->timeline(); }
Result<std::optional<LogOrigin>> Log::origin() const { return parts_->store->origin(); }
const LogTail& Log::opened_tail() const { return parts_->opened_tail; }
Result<LogTail> Log::tail() const {
  if (parts_->writer) return parts_->writer->tail();
  return parts_->reader.tail();
}

Result<Position> Log::first() const { return parts_->reader.first(); }

Result<LogTail> Log::base() const {
  auto base = parts_->store->base();
  if (!base) return std::unexpected(base.error());
  return LogTail{base->last, base->digest, base->time};
}

Result<AppendTicket> Log::append(std::span<const Event> events, const AppendOptions& options) {
  return parts_->append(own_events(events), options, options.by_caller);
}

Result<Position> Log::append(std::shared_ptr<const EventBatch> batch,
                             const AppendOptions& options) {
  if (auto able = parts_->check_options(options); !able) return std::unexpected(able.error());
  auto cost = options.cost ? *options.cost : check_batch(*batch);
  if (!cost) return std::unexpected(cost.error());
  std::vector<IndexEntry> entries;
  if (parts_->index.on()) entries = parts_->index_entries_of(batch->events);
  auto ticket = parts_->writer->append({.batch = batch,
                                        .cost = *cost,
                                        .options = options,
                                        .entries = entries,
                                        .wait = options.by_caller});
  if (!ticket) return std::unexpected(ticket.error());
  return ticket->appended.first;
}

Result<Appended> Log::append_and_wait(std::span<const Event> events, const AppendOptions& options) {
  // Who waits until they are on disk has them until then.
  const bool waits = options.durability == Durability::durable;
  auto ticket = parts_->append(waits ? borrow_events(events) : own_events(events), options, true);
  if (!ticket) return std::unexpected(ticket.error());
  if (!ticket->appended.durable) return ticket->appended;
  auto written = parts_->writer->wait(*ticket);
  if (!written) return std::unexpected(written.error());
  return ticket->appended;
}

Result<Appended> Log::append_and_wait(const Event& event, const AppendOptions& options) {
  return append_and_wait(std::span(&event, 1), options);
}

AppendAwaiter Log::append_async(std::span<const Event> events, const AppendOptions& options) {
  return {parts_->writer.get(), append(events, options)};
}

Result<void> Log::wait(const AppendTicket& ticket) {
  if (auto allowed = parts_->check_writing(); !allowed) return allowed;
  return parts_->writer->wait(ticket);
}
void Log::resume() {
  if (parts_->writer) parts_->writer->resume();
}

Result<void> Log::Parts::check_writing() const {
  if (writer) return {};
  return fail(ErrorCode::refused, "the log was opened for reading", "open it with Access::write");
}

Result<void> Log::Parts::check_options(const AppendOptions& append_options) const {
  if (auto allowed = check_writing(); !allowed) return allowed;
  if (index.on() || append_options.expected.empty()) return {};
  return fail(ErrorCode::refused, "the log was opened without its index: it knows no versions",
              "open it with LogOptions::index");
}

std::vector<IndexEntry> Log::Parts::index_entries_of(std::span<const Event> events) {
  std::lock_guard guard(encoder_mutex);
  return index_entries(events, *encoder);
}

Result<AppendTicket> Log::Parts::append(const std::shared_ptr<EventBatch>& batch,
                                        const AppendOptions& append_options, bool wait) {
  if (auto able = check_options(append_options); !able) return std::unexpected(able.error());
  set_times(batch->events, options.clock());
  auto cost = check_batch(*batch);
  if (!cost) return std::unexpected(cost.error());
  std::vector<IndexEntry> entries;
  if (index.on()) entries = index_entries_of(batch->events);
  return writer->append_now(
      batch,
      {.batch = {}, .cost = *cost, .options = append_options, .entries = entries, .wait = wait});
}

Result<void> Log::read(Position from, const Visit& visit) const {
  return parts_->reader.read(from, visit);
}
Result<void> Log::read(const ReadOptions& options, const Visit& visit) const {
  return parts_->reader.read(options, visit);
}
Result<void> Log::read_backward(Position from, const Visit& visit) const {
  return parts_->reader.read_backward(from, visit);
}
Result<void> Log::read_frames(Position from, const VisitFrame& visit) const {
  return parts_->reader.read_frames(from, visit);
}
Result<Position> Log::position_at(Time time) const { return parts_->reader.position_at(time); }

Result<void> Log::read_one(Position position,
                           const std::function<void(const Event&)>& visit) const {
  bool found = false;
  auto find = [&](const FrameReader& frame) -> Result<bool> {
    if (position < frame.header().first) return false;
    auto index = position.value - frame.header().first.value;
    auto event = frame.event(static_cast<std::uint32_t>(index));
    if (!event) return std::unexpected(event.error());
    found = true;
    visit(*event);
    return false;
  };
  auto read = position ? read_frames(position, find) : Result<void>();
  if (!read || found) return read;
  return fail(ErrorCode::not_found, "the log has no event " + std::to_string(position.value));
}

Subscription Log::subscribe(Position from) const { return {parts_->reader, *parts_->mark, from}; }

}  // namespace almanac
