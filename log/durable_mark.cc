#include <almanac/log/durable_mark.h>

#include <almanac/log/file.h>
#include <almanac/log/hash.h>

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>

namespace almanac {

namespace {

constexpr std::uint64_t mark_magic = 0x314b52414d4d4c41;  // "ALMMARK1"
constexpr std::size_t file_bytes = 128;

using BootId = std::array<char, 36>;

// What the kernel draws anew at every start; zeros where it does not say.
BootId boot_id() {
  BootId id{};
  FileDescriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (!file.valid() || ::read(file.get(), id.data(), id.size()) != ssize_t{id.size()}) return {};
  return id;
}

}  // namespace

struct DurableMark::Content {
  std::uint64_t magic = mark_magic;
  Timeline timeline{};
  BootId boot{};
  std::atomic<std::uint32_t> changes = 0;   // what waits look at
  std::atomic<std::uint64_t> position = 0;  // and 16 bits to check it
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

namespace {

// One word, so that it is read and written as one: 48 bits are enough for 281 trillion events.
constexpr unsigned check_bits = 16;
std::uint64_t pack(Position position) {
  if (!position) return 0;
  auto check = xxh3(std::as_bytes(std::span(&position.value, 1))) & 0xffff;
  return position.value << check_bits | check;
}
Position unpack(std::uint64_t word) { return Position(word >> check_bits); }

std::unexpected<Error> unusable(const std::filesystem::path& file, const std::string& what) {
  return fail(ErrorCode::corrupt, file.string() + " " + what,
              "put back the folder as it was, or restore all of it from a backup");
}

// The processes that share the file have it mapped at places of their own: no private futex.
long futex(const std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           const timespec* timeout = nullptr) {
  return ::syscall(SYS_futex, &word, operation, value, timeout, nullptr, 0);
}

}  // namespace

Result<std::unique_ptr<DurableMark>> DurableMark::open(const std::filesystem::path& path,
                                                       const Timeline& timeline, Access access) {
  std::unique_ptr<DurableMark> mark(new DurableMark);
  bool writing = access == Access::write;
  FileDescriptor file(
      ::open(path.c_str(), (writing ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600));
  struct stat status{};
  bool missing = !file.valid() && errno == ENOENT;
  if (!writing && (missing || (file.valid() && ::fstat(file.get(), &status) == 0 &&
                               status.st_size < off_t{file_bytes}))) {
    // A copy of a log, or one from before there was a mark: all of it has been on disk.
    mark->own_ = std::make_unique<Content>();
    mark->content_ = mark->own_.get();
    mark->earlier_boot_ = true;
    return mark;
  }
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    return fail_errno(errno, "open " + path.string());
  }
  // A power loss may have left it without its content.
  const bool cut_short = status.st_size < off_t{file_bytes};
  if (cut_short && writing) {
    const std::array<std::byte, file_bytes> zeros{};
    auto written = ::pwrite(file.get(), zeros.data(), zeros.size(), 0);
    if (written != ssize_t{zeros.size()}) {
      return fail_errno(written < 0 ? errno : ENOSPC, "write " + path.string());
    }
  }
  void* address = ::mmap(nullptr, file_bytes, PROT_READ | (writing ? PROT_WRITE : 0), MAP_SHARED,
                         file.get(), 0);
  if (address == MAP_FAILED) return fail_errno(errno, "map " + path.string());
  mark->content_ = static_cast<Content*>(address);
  Content& content = *mark->content_;
  const bool empty = content.magic == 0 && content.position == 0;  // a power loss took the rest
  auto word = content.position.load();
  if (!empty && (content.magic != mark_magic || word != pack(unpack(word)))) {
    return unusable(path, "is damaged");
  }
  if (!empty && content.timeline != timeline) return unusable(path, "belongs to another log");
  mark->earlier_boot_ = empty || content.boot != boot_id() || content.boot == BootId{};
  if (writing) {
    content.timeline = timeline;
    content.magic = mark_magic;
  }
  return mark;
}

DurableMark::~DurableMark() {
  if (content_ != nullptr && !own_) ::munmap(content_, file_bytes);
}

Position DurableMark::position() const {
  return unpack(content_->position.load(std::memory_order_acquire));
}

void DurableMark::publish(Position last) {
  if (earlier_boot_) {
    content_->boot = boot_id();
    earlier_boot_ = false;
  }
  content_->position.store(pack(last), std::memory_order_release);
  wake();
}

bool DurableMark::wait(Position seen, std::chrono::milliseconds time_max) const {
  auto before = content_->changes.load(std::memory_order_acquire);
  if (position() > seen) return true;
  auto seconds = std::chrono::floor<std::chrono::seconds>(time_max);
  timespec timeout{.tv_sec = seconds.count(),
                   .tv_nsec = std::chrono::nanoseconds(time_max - seconds).count()};
  futex(content_->changes, FUTEX_WAIT, before, &timeout);
  return position() > seen;
}

void DurableMark::wake() {
  content_->changes.fetch_add(1, std::memory_order_acq_rel);
  futex(content_->changes, FUTEX_WAKE, INT_MAX);
}

}  // namespace almanac
