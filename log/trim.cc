#include <almanac/log/trim.h>

#include <almanac/log/limits.h>
#include <almanac/log/log_parts.h>

#include <algorithm>

namespace almanac {
namespace {

// The last position that may go by what the options say.
Result<Position> wanted(const Reader& reader, const TrimOptions& options) {
  Position last(UINT64_MAX);
  if (!options.before && !options.older_than && !options.keep_bytes) {
    return fail(ErrorCode::invalid, "nothing says how much of the log may go",
                "name a position, an age or a size");
  }
  if (options.before) last = Position(options.before->value - (*options.before ? 1 : 0));
  if (options.older_than) {
    auto first = reader.position_at(*options.older_than);
    if (!first) return std::unexpected(first.error());
    last = std::min(last, Position(first->value - 1));
  }
  if (options.keep_bytes) {
    std::uint64_t bytes = 0;
    Position over;  // the newest event of the frames that are too many
    auto read = reader.read_frames_backward(Position(UINT64_MAX),
                                            [&](const FrameReader& frame) -> Result<bool> {
                                              bytes += frame.size_bytes();
                                              if (bytes <= *options.keep_bytes) return true;
                                              over = frame.header().last();
                                              return false;
                                            });
    if (!read) return std::unexpected(read.error());
    last = std::min(last, over);
  }
  return last;
}

}  // namespace

Result<void> Log::set_checkpoint(Position position) {
  if (auto allowed = parts_->check_writing(); !allowed) return allowed;
  auto before = parts_->store->checkpoint();
  auto end = tail();
  if (!before || !end) return std::unexpected(before ? end.error() : before.error());
  if (position < *before || position > end->last) {
    return fail(ErrorCode::invalid,
                "a checkpoint at " + std::to_string(position.value) + " is not between the last, " +
                    std::to_string(before->value) + ", and the end of the log, " +
                    std::to_string(end->last.value));
  }
  return parts_->store->set_checkpoint(position);
}

Result<Position> Log::last_to_trim(const TrimOptions& options) const {
  return wanted(parts_->reader, options);
}

Result<Position> Log::checkpoint() const { return parts_->store->checkpoint(); }

Result<TrimReport> Log::trim(const TrimOptions& options) {
  if (auto allowed = parts_->check_writing(); !allowed) return std::unexpected(allowed.error());
  auto checkpoint = parts_->store->checkpoint();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (!*checkpoint) {
    return fail(ErrorCode::refused,
                "the log has no checkpoint: without its front, nobody knows what it says",
                "keep the state at some position elsewhere and say so with set_checkpoint");
  }
  auto last = last_to_trim(options);
  if (!last) return std::unexpected(last.error());
  TrimReport total;
  auto end = tail();
  if (!end) return std::unexpected(end.error());
  if (std::min(*last, end->last) > *checkpoint) total.held_by = *checkpoint;
  auto limit = std::min(*last, *checkpoint);
  const auto before = this->first();
  if (!before) return std::unexpected(before.error());
  while (true) {
    auto removed = parts_->store->remove(limit);
    if (!removed) return std::unexpected(removed.error());
    if (removed->values == 0) break;
    total.bytes += removed->bytes;
  }
  auto first = this->first();
  if (!first) return std::unexpected(first.error());
  if (*first > *before) {
    auto forgotten = forget_stream_events(*parts_->store, Position(first->value - 1));
    if (!forgotten) return std::unexpected(forgotten.error());
  }
  parts_->measure();
  total.first = *first;
  total.events = first->value - before->value;
  return total;
}

void Log::set_reserve(std::size_t bytes) {
  if (parts_->journal) parts_->journal->set_reserve(bytes);
}

Result<LogSize> Log::size() const {
  auto store = parts_->store->size();
  if (!store) return std::unexpected(store.error());
  LogSize size{store->file_bytes, store->free_bytes, store->map_bytes, 0};
  if (parts_->journal) size.journal_bytes = parts_->journal->size_bytes();
  return size;
}

}  // namespace almanac
