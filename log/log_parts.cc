#include <almanac/log/log_parts.h>

#include <almanac/log/file.h>
#include <almanac/log/file_journal.h>
#include <almanac/log/folder.h>
#include <almanac/log/limits.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

Log::Parts::Parts(std::filesystem::path path, LogOptions log_options, Opened opened)
    : folder(std::move(path)),
      options(std::move(log_options)),
      lock(std::move(opened.lock)),
      store(std::move(opened.store)),
      mark(std::move(opened.mark)),
      index(*store),
      reader({.store = *store,
              .mark = mark.get(),
              .recent = options.access == Access::write ? &recent : nullptr,
              .open_journal = [this] {
                return open_file_journal(folder / store_folder / journal_folder, Access::read);
              }}) {}

// A log that was closed needs its journal no more: its file alone is all of it.
Log::Parts::~Parts() {
  if (!writer) return;
  writer->close();  // its last reports may ask for it
  writer.reset();
  settler.reset();
  auto use = store->journal_use();
  if (recent.last() != nullptr || !use || *use == JournalUse::closed) return;
  (void)store->set_journal_use(JournalUse::closed);
}

Result<void> Log::Parts::start_reading() {
  auto tail = reader.tail();
  if (!tail) return std::unexpected(tail.error());
  opened_tail = *tail;
  return {};
}

// Joins the journal to the store and goes on from there.
Result<void> Log::Parts::start_writing() {
  if (auto recovered = recover_journal(); !recovered) return recovered;
  mark->publish(opened_tail.last);
  if (auto known = catch_up_index(); !known) return known;
  measure();
  start_threads();
  return {};
}

Result<void> Log::Parts::recover_journal() {
  auto end = reader.store_tail();
  auto use = store->journal_use();
  if (!end || !use) return std::unexpected(end ? use.error() : end.error());
  opened_tail = *end;
  const auto path = folder / store_folder / journal_folder;
  if (*use != JournalUse::open) {
    if (auto made = create_file_journal(path); !made) return made;
    if (auto synced = sync_folder(path.parent_path()); !synced) return synced;
  }
  auto opened = open_file_journal(path, Access::write);
  if (!opened) return std::unexpected(opened.error());
  journal = std::move(*opened);
  auto recovered = journal->recover(
      {.timeline = store->timeline(), .last = end->last, .digest = end->digest},
      [this](const FrameReader& frame, Bytes value) -> Result<void> {
        auto tail = tail_of(frame);
        if (!tail) return std::unexpected(tail.error());
        opened_tail = *tail;
        recent.add(own_frame({frame.header().first, frame.header().last(), value}));
        return {};
      });
  if (!recovered) return recovered;
  auto reached = std::max(mark->position(), store->confirmed_last());
  if (opened_tail.last < reached) return rolled_back(opened_tail.last, reached);
  return *use == JournalUse::open ? Result<void>() : store->set_journal_use(JournalUse::open);
}

// What the store's index lacks is read from the log. Where the store has no room for it, it stays
// in memory.
Result<void> Log::Parts::catch_up_index() {
  if (!options.index) return {};
  index.turn_on();
  encoder.emplace();
  auto known = store->indexed_through();
  auto end = store->last();
  if (!known || !end) return std::unexpected(known ? end.error() : known.error());
  Position through = *known;
  auto read = reader.read_frames(known->next(), [&](const FrameReader& frame) -> Result<bool> {
    std::vector<Event> events;
    for (std::uint32_t i = 0; i < frame.header().count; ++i) {
      auto event = frame.event(i);
      if (!event) return std::unexpected(event.error());
      events.push_back(*event);
    }
    auto first = frame.header().first;
    if (first <= *known) return true;
    auto entries = index_entries(events, *encoder);
    if (auto kept = index.keep_first_uses(entries); !kept) return std::unexpected(kept.error());
    if (auto added = index.add(entries, first); !added) {
      return std::unexpected(added.error());
    }
    auto last = frame.header().last();
    bool in_store = last <= *end;
    bool last_of_store = last == *end;
    if (in_store) through = last;
    if (!in_store || (!last_of_store && index.size() < limits::index_slice_events)) return true;
    if (store->append({}, index.records(through))) index.settled(through);
    return true;
  });
  return read;
}

void Log::Parts::measure() {
  if (options.quota_bytes == 0) return;
  if (auto size = store->size()) used_bytes = size->file_bytes - size->free_bytes;
}

void Log::Parts::start_threads() {
  settler = std::make_unique<Settler>(
      Settler::Parts{recent, index, *store, *journal, [this] { measure(); }});
  WriterOptions writing{.on_commit = {},
                        .resume = options.resume,
                        .after_refusal = options.after_refusal,
                        .grouped_within = options.grouped_within,
                        .pending_bytes_max = options.pending_bytes_max,
                        .check_space = {}};
  writing.on_commit = [this, before = opened_tail.last](const CommitReport& report) mutable {
    reader.know(before, report.through);
    before = report.through;
    options.on_commit(report);
  };
  if (options.quota_bytes != 0) {
    writing.check_space = [this]() -> Result<void> {
      if (used_bytes < options.quota_bytes) return {};
      return fail(
          ErrorCode::storage_full,
          "the log has reached its quota of " + std::to_string(options.quota_bytes) + " bytes",
          "trim it (`almanac log trim`), or open it with a larger quota");
    };
  }
  writer =
      std::make_unique<Writer>(Writer::Parts{*journal, recent, *mark, index, store->timeline()},
                               opened_tail, std::move(writing));
}

}  // namespace almanac
