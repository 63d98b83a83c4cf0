#include <almanac/tests/disk/recording.h>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace almanac::test {
namespace {

std::string joined(std::span<const iovec> parts, std::size_t length) {
  std::string bytes;
  bytes.reserve(length);
  for (const iovec& part : parts) {
    auto size = std::min(part.iov_len, length - bytes.size());
    bytes.append(static_cast<const char*>(part.iov_base), size);
  }
  return bytes;
}

bool all_zero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes.front() == '\0' && bytes.substr(1) == bytes.substr(0, bytes.size() - 1));
}

}  // namespace

std::size_t Recording::calls() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      steps, [](const Step& step) { return std::holds_alternative<RecordedCall>(step); }));
}

std::string describe(const RecordedCall& call) {
  std::string text = call.name;
  if (call.kind == CallKind::write || call.kind == CallKind::allocate || !call.whole_file) {
    text += " " + std::to_string(call.offset) + "+" + std::to_string(call.length);
  }
  if (call.kind == CallKind::truncate) text += " to " + std::to_string(call.length);
  text += " " + (call.path.empty() ? "." : call.path);
  if (call.failed) text += ", which fails";
  return call.to.empty() ? text : text + " -> " + call.to;
}

void Recorder::mark(Mark mark) {
  std::lock_guard guard(mutex_);
  recording_.steps.emplace_back(mark);
}

Recording Recorder::take() {
  std::lock_guard guard(mutex_);
  return std::exchange(recording_, {});
}

RecordedCall Recorder::record_of(const Seen& seen) {
  RecordedCall record{.kind = seen.call.kind,
                      .name = seen.call.name,
                      .handle = seen.handle,
                      .path = seen.path,
                      .to = seen.to,
                      .flags = seen.call.flags,
                      .offset = seen.call.offset,
                      .length = seen.call.length};
  auto self = std::this_thread::get_id();
  auto found = std::ranges::find(threads_, self);
  record.thread = static_cast<std::size_t>(found - threads_.begin());
  if (found == threads_.end()) threads_.push_back(self);
  return record;
}

long Recorder::on_seen(const Seen& seen, const RealCall& real) {
  switch (seen.call.kind) {
    case CallKind::close:
    case CallKind::read: return real({});
    case CallKind::sync: return on_sync(seen, real);
    case CallKind::write: return on_write(seen, real);
    default: break;
  }
  std::lock_guard guard(mutex_);
  long result = real({});
  if (result < 0) return result;
  if (seen.call.kind == CallKind::map) {
    if (seen.call.flags != 0) recording_.mapped_for_writing.insert(seen.path);
  } else {
    recording_.steps.emplace_back(record_of(seen));
  }
  return result;
}

// It holds for what was written before it began, not for what another thread wrote meanwhile.
long Recorder::on_sync(const Seen& seen, const RealCall& real) {
  std::size_t began = 0;
  {
    std::lock_guard guard(mutex_);
    began = recording_.steps.size();
  }
  const bool failed = fails();
  long result = failed ? -EIO : real({});
  if (result < 0 && !failed) return result;
  std::lock_guard guard(mutex_);
  auto record = record_of(seen);
  record.began = began;
  record.failed = failed;
  recording_.steps.emplace_back(std::move(record));
  return result;
}

long Recorder::on_write(const Seen& seen, const RealCall& real) {
  std::lock_guard guard(mutex_);
  auto record = record_of(seen);
  if (!seen.call.placed) {
    auto whence = (seen.flags & O_APPEND) != 0 ? SEEK_END : SEEK_CUR;
    record.offset = static_cast<std::uint64_t>(::syscall(SYS_lseek, seen.call.file, 0L, whence));
  }
  long result = real(seen.call.bytes);
  if (result <= 0) return result;
  record.length = static_cast<std::uint64_t>(result);
  if (keep_ == Keep::bytes) {
    record.bytes = joined(seen.call.bytes, record.length);
    if (all_zero(record.bytes)) record.bytes = {};
  }
  recording_.steps.emplace_back(record);
  if ((seen.flags & O_DSYNC) != 0) {
    RecordedCall sync = std::move(record);
    sync.kind = CallKind::sync;
    sync.name = "(O_DSYNC)";
    sync.whole_file = false;
    sync.bytes = {};
    sync.began = recording_.steps.size();
    sync.failed = fails();
    if (sync.failed) result = -EIO;
    recording_.steps.emplace_back(std::move(sync));
  }
  return result;
}

}  // namespace almanac::test
