#include <almanac/tests/disk/injector.h>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace almanac::test {
namespace {

bool needs_room(const DiskCall& call) {
  switch (call.kind) {
    case CallKind::write:
    case CallKind::sync:
    case CallKind::truncate:
    case CallKind::allocate:
    case CallKind::rename:
    case CallKind::make_folder: return true;
    case CallKind::open: return (call.flags & O_CREAT) != 0;
    default: return false;
  }
}

bool changes_disk(const DiskCall& call) {
  switch (call.kind) {
    case CallKind::open:
    case CallKind::close:
    case CallKind::read:
    case CallKind::map: return false;
    default: return true;
  }
}

constexpr std::array faults = {
    InjectedFault{"EIO", EIO, false,
                  [](const DiskCall& call) {
                    return call.kind != CallKind::close && call.kind != CallKind::map;
                  }},
    InjectedFault{"EIO when it is done", EIO, true, changes_disk},
    InjectedFault{"ENOSPC", ENOSPC, false, needs_room},
    InjectedFault{"short write", 0, false,
                  [](const DiskCall& call) { return call.kind == CallKind::write; }},
    InjectedFault{"EMFILE", EMFILE, false,
                  [](const DiskCall& call) { return call.kind == CallKind::open; }},
    InjectedFault{"ENOMEM", ENOMEM, false,
                  [](const DiskCall& call) { return call.kind == CallKind::map; }},
};

// Half of the bytes reach the file, one at least.
long write_half(std::span<const iovec> parts, const RealCall& real) {
  std::size_t total = 0;
  for (const iovec& part : parts) total += part.iov_len;
  auto left = std::max<std::size_t>(1, total / 2);
  std::vector<iovec> half;
  for (const iovec& part : parts) {
    half.push_back({part.iov_base, std::min(part.iov_len, left)});
    left -= half.back().iov_len;
    if (left == 0) break;
  }
  return real(half);
}

}  // namespace

std::span<const InjectedFault> injected_faults() { return faults; }

long Injector::on_seen(const Seen& seen, const RealCall& real) {
  if (!options_.fault.hits(seen.call)) return real(seen.call.bytes);
  auto number = ++calls_;
  if (options_.sticky ? number < options_.at : number != options_.at) {
    return real(seen.call.bytes);
  }
  fired_ = true;
  if (options_.fault.done_first) real(seen.call.bytes);
  return options_.fault.error == 0 ? write_half(seen.call.bytes, real) : -options_.fault.error;
}

}  // namespace almanac::test
