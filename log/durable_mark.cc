#include <almanac/log/durable_mark.h>

#include <almanac/log/file.h>
#include <almanac/log/futex.h>
#include <almanac/log/hash.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <tuple>

namespace almanac {

namespace {

constexpr std::uint64_t mark_magic = 0x314b52414d4d4c41;  // "ALMMARK1"
constexpr std::size_t file_bytes = 128;
// Where there is no file to wait on, it is looked for this often.
constexpr std::chrono::milliseconds missing_look_interval{100};

// What the kernel draws anew at every start, 36 characters of text; zeros where it does not say.
using BootId = std::array<std::uint32_t, 9>;
BootId read_boot_id() {
  BootId id{};
  FileDescriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (!file.valid() || ::read(file.get(), id.data(), sizeof(id)) != ssize_t{sizeof(id)}) return {};
  return id;
}
const BootId& boot_id() {
  static const BootId id = read_boot_id();
  return id;
}

}  // namespace

struct DurableMark::Content {
  std::uint64_t magic = mark_magic;
  Timeline timeline{};
  std::array<std::atomic<std::uint32_t>, std::tuple_size_v<BootId>> boot{};
  std::atomic<std::uint32_t> changes = 0;   // what waits look at
  std::atomic<std::uint64_t> position = 0;  // and 16 bits to check it

  [[nodiscard]] bool is_of_this_boot() const {
    return std::equal(boot.begin(), boot.end(), boot_id().begin());
  }
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

}  // namespace

Result<std::unique_ptr<DurableMark>> DurableMark::open(const std::filesystem::path& file,
                                                       const Timeline& timeline, Access access) {
  std::unique_ptr<DurableMark> mark(new DurableMark(file, timeline));
  if (auto mapped = mark->map(access); !mapped) return std::unexpected(mapped.error());
  return mark;
}

// Does nothing where a reader finds no file: it is a copy of a log, or one from before there was a
// mark, and all of it has been on disk.
Result<void> DurableMark::map(Access access) const {
  const bool writing = access == Access::write;
  FileDescriptor file(
      ::open(file_.c_str(), (writing ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600));
  struct stat status{};
  if (!file.valid() && errno == ENOENT && !writing) return {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    return fail_errno(errno, "open " + file_.string());
  }
  // A power loss may have left it without its content.
  const bool cut_short = status.st_size < off_t{file_bytes};
  if (cut_short && !writing) return {};
  if (cut_short) {
    const std::array<std::byte, file_bytes> zeros{};
    auto written = ::pwrite(file.get(), zeros.data(), zeros.size(), 0);
    if (written != ssize_t{zeros.size()}) {
      return fail_errno(written < 0 ? errno : ENOSPC, "write " + file_.string());
    }
  }
  void* address = ::mmap(nullptr, file_bytes, PROT_READ | (writing ? PROT_WRITE : 0), MAP_SHARED,
                         file.get(), 0);
  if (address == MAP_FAILED) return fail_errno(errno, "map " + file_.string());
  auto* content = static_cast<Content*>(address);
  if (auto checked = check(*content); !checked) {
    ::munmap(address, file_bytes);
    return checked;
  }
  if (writing) {
    content->timeline = timeline_;
    content->magic = mark_magic;
  }
  content_.store(content, std::memory_order_release);
  return {};
}

Result<void> DurableMark::check(const Content& content) const {
  auto word = content.position.load();
  if (content.magic == 0 && word == 0) return {};  // a power loss took the rest
  if (content.magic != mark_magic || word != pack(unpack(word))) {
    return unusable(file_, "is damaged");
  }
  if (content.timeline != timeline_) return unusable(file_, "belongs to another log");
  return {};
}

DurableMark::~DurableMark() {
  if (auto* content = content_.load()) ::munmap(content, file_bytes);
}

// A writer may have made the file since. What is wrong with it, the journal behind it tells.
const DurableMark::Content* DurableMark::look() const {
  if (const auto* content = content_.load(std::memory_order_acquire)) return content;
  std::lock_guard guard(mapping_);
  if (content_.load() == nullptr) (void)map(Access::read);
  return content_.load();
}

Position DurableMark::position() const {
  const auto* content = look();
  return content == nullptr ? Position()
                            : unpack(content->position.load(std::memory_order_acquire));
}

bool DurableMark::is_of_an_earlier_boot() const {
  const auto* content = look();
  if (content == nullptr || boot_id() == BootId{}) return true;
  return !content->is_of_this_boot();
}

void DurableMark::set(Position last) {
  Content& content = *content_.load();
  if (!content.is_of_this_boot()) std::ranges::copy(boot_id(), content.boot.begin());
  content.position.store(pack(last), std::memory_order_release);
}

void DurableMark::publish(Position last) {
  set(last);
  wake();
}

bool DurableMark::wait(Position seen, std::chrono::milliseconds time_max) const {
  static const std::atomic<std::uint32_t> unchanging = 0;
  const auto* content = look();
  const auto& changes = content == nullptr ? unchanging : content->changes;
  if (content == nullptr) time_max = std::min(time_max, missing_look_interval);
  auto before = changes.load(std::memory_order_acquire);
  if (position() > seen) return true;
  auto seconds = std::chrono::floor<std::chrono::seconds>(time_max);
  timespec timeout{.tv_sec = seconds.count(),
                   .tv_nsec = std::chrono::nanoseconds(time_max - seconds).count()};
  futex_wait(changes, before, FutexScope::machine, &timeout);
  return position() > seen;
}

void DurableMark::wake() {
  Content& content = *content_.load();
  content.changes.fetch_add(1, std::memory_order_acq_rel);
  futex_wake(content.changes, FutexScope::machine);
}

}  // namespace almanac
