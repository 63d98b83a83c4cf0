// The functions of libc that reach the disk, defined by this program: the linker prefers them to
// libc's own, in shared libraries too. Without a watcher each is the bare system call.
#include <almanac/log/error.h>
#include <almanac/tests/disk/disk_call.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdio>

namespace almanac::test {
namespace {

std::atomic<CallWatcher*> installed = nullptr;

template <class... Arguments>
long system_call(long number, Arguments... arguments) {
  long result = ::syscall(number, arguments...);
  return result == -1 ? -errno : result;
}

long answer(long result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

// `real` takes the bytes to write, which other calls leave alone.
template <class Describe, class Real>
long pass(Describe describe, Real real, std::span<const iovec> bytes = {}) {
  CallWatcher* watcher = installed.load(std::memory_order_acquire);
  return answer(watcher == nullptr ? real(bytes) : watcher->on_call(describe(), real));
}

int pass_open(const char* name, int folder, const char* path, int flags, mode_t mode) {
  return static_cast<int>(
      pass([&] { return DiskCall{CallKind::open, name, -1, folder, path, -100, {}, flags}; },
           [&](auto) { return system_call(SYS_openat, folder, path, flags, mode); }));
}

// The mode of an open, which is there only when a file may be made.
template <class List>
mode_t mode_of(int flags, List& list) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
}

ssize_t pass_write(const char* name, int file, std::span<const iovec> bytes) {
  return pass(
      [&] { return DiskCall{.kind = CallKind::write, .name = name, .file = file, .bytes = bytes}; },
      [&](std::span<const iovec> given) {
        return system_call(SYS_writev, file, given.data(), given.size());
      },
      bytes);
}

ssize_t pass_write_at(const char* name, int file, std::span<const iovec> bytes, off_t offset) {
  return pass(
      [&] {
        return DiskCall{.kind = CallKind::write,
                        .name = name,
                        .file = file,
                        .placed = true,
                        .offset = static_cast<std::uint64_t>(offset),
                        .bytes = bytes};
      },
      [&](std::span<const iovec> given) {
        return system_call(SYS_pwritev, file, given.data(), given.size(), offset, 0L);
      },
      bytes);
}

ssize_t pass_write_one(const char* name, int file, const void* data, size_t size) {
  const iovec bytes{const_cast<void*>(data), size};
  return pass_write(name, file, {&bytes, 1});
}

ssize_t pass_write_one_at(const char* name, int file, const void* data, size_t size, off_t offset) {
  const iovec bytes{const_cast<void*>(data), size};
  return pass_write_at(name, file, {&bytes, 1}, offset);
}

// A call with nothing but a descriptor.
template <class... Arguments>
int pass_plain(CallKind kind, const char* name, int file, long number, Arguments... arguments) {
  return static_cast<int>(pass([&] { return DiskCall{.kind = kind, .name = name, .file = file}; },
                               [&](auto) { return system_call(number, file, arguments...); }));
}

int pass_truncate(const char* name, int file, off_t size) {
  return static_cast<int>(pass(
      [&] {
        return DiskCall{.kind = CallKind::truncate,
                        .name = name,
                        .file = file,
                        .length = static_cast<std::uint64_t>(size)};
      },
      [&](auto) { return system_call(SYS_ftruncate, file, size); }));
}

int pass_allocate(const char* name, int file, int mode, off_t offset, off_t length) {
  return static_cast<int>(pass(
      [&] {
        return DiskCall{.kind = CallKind::allocate,
                        .name = name,
                        .file = file,
                        .flags = mode,
                        .offset = static_cast<std::uint64_t>(offset),
                        .length = static_cast<std::uint64_t>(length)};
      },
      [&](auto) { return system_call(SYS_fallocate, file, mode, offset, length); }));
}

int pass_rename(const char* name, int folder, const char* from, int to_folder, const char* to,
                unsigned flags) {
  return static_cast<int>(pass(
      [&] {
        return DiskCall{CallKind::rename,       name, -1, folder, from, to_folder, to,
                        static_cast<int>(flags)};
      },
      [&](auto) { return system_call(SYS_renameat2, folder, from, to_folder, to, flags); }));
}

int pass_named(CallKind kind, const char* name, int folder, const char* path, long number,
               unsigned last) {
  return static_cast<int>(pass([&] { return DiskCall{kind, name, -1, folder, path, -100, {}, 0}; },
                               [&](auto) { return system_call(number, folder, path, last); }));
}

int pass_unlink(const char* name, int folder, const char* path, int flags) {
  const bool is_folder = (flags & AT_REMOVEDIR) != 0;
  return pass_named(is_folder ? CallKind::remove_folder : CallKind::unlink, name, folder, path,
                    SYS_unlinkat, static_cast<unsigned>(flags));
}

void* pass_map(void* address, size_t length, int protection, int flags, int file, off_t offset) {
  auto real = [&](std::span<const iovec>) {
    return system_call(SYS_mmap, address, length, protection, flags, file, offset);
  };
  const bool writes = (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0;
  auto describe = [&] {
    return DiskCall{.kind = CallKind::map, .name = "mmap", .file = file, .flags = writes ? 1 : 0};
  };
  long result = file < 0 ? answer(real({})) : pass(describe, real);
  return std::bit_cast<void*>(result);  // -1 is MAP_FAILED
}

}  // namespace

Watching::Watching(CallWatcher& watcher) {
  ALMANAC_CHECK(installed.exchange(&watcher, std::memory_order_acq_rel) == nullptr);
}
Watching::~Watching() { installed.store(nullptr, std::memory_order_release); }

}  // namespace almanac::test

namespace disk = almanac::test;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = disk::mode_of(flags, list);
  va_end(list);
  return disk::pass_open("open", AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = disk::mode_of(flags, list);
  va_end(list);
  return disk::pass_open("open64", AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = disk::mode_of(flags, list);
  va_end(list);
  return disk::pass_open("openat", folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = disk::mode_of(flags, list);
  va_end(list);
  return disk::pass_open("openat64", folder, path, flags, mode);
}
int creat(const char* path, mode_t mode) {
  return disk::pass_open("creat", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char* path, mode_t mode) {
  return disk::pass_open("creat64", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int close(int file) { return disk::pass_plain(disk::CallKind::close, "close", file, SYS_close); }

ssize_t read(int file, void* data, size_t size) {
  return disk::pass(
      [&] { return disk::DiskCall{.kind = disk::CallKind::read, .name = "read", .file = file}; },
      [&](auto) { return disk::system_call(SYS_read, file, data, size); });
}
ssize_t pread(int file, void* data, size_t size, off_t offset) {
  return disk::pass(
      [&] { return disk::DiskCall{.kind = disk::CallKind::read, .name = "pread", .file = file}; },
      [&](auto) { return disk::system_call(SYS_pread64, file, data, size, offset); });
}
ssize_t pread64(int file, void* data, size_t size, off64_t offset) {
  return pread(file, data, size, offset);
}

ssize_t write(int file, const void* data, size_t size) {
  return disk::pass_write_one("write", file, data, size);
}
ssize_t writev(int file, const iovec* bytes, int count) {
  return disk::pass_write("writev", file, {bytes, static_cast<std::size_t>(count)});
}
ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  return disk::pass_write_one_at("pwrite", file, data, size, offset);
}
ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) {
  return disk::pass_write_one_at("pwrite64", file, data, size, offset);
}
ssize_t pwritev(int file, const iovec* bytes, int count, off_t offset) {
  return disk::pass_write_at("pwritev", file, {bytes, static_cast<std::size_t>(count)}, offset);
}
ssize_t pwritev64(int file, const iovec* bytes, int count, off64_t offset) {
  return disk::pass_write_at("pwritev64", file, {bytes, static_cast<std::size_t>(count)}, offset);
}

int fsync(int file) { return disk::pass_plain(disk::CallKind::sync, "fsync", file, SYS_fsync); }
int fdatasync(int file) {
  return disk::pass_plain(disk::CallKind::sync, "fdatasync", file, SYS_fdatasync);
}
int ftruncate(int file, off_t size) noexcept {
  return disk::pass_truncate("ftruncate", file, size);
}
int ftruncate64(int file, off64_t size) noexcept {
  return disk::pass_truncate("ftruncate64", file, size);
}
int fallocate(int file, int mode, off_t offset, off_t length) {
  return disk::pass_allocate("fallocate", file, mode, offset, length);
}
int fallocate64(int file, int mode, off64_t offset, off64_t length) {
  return disk::pass_allocate("fallocate64", file, mode, offset, length);
}
// These two answer the error itself.
int posix_fallocate(int file, off_t offset, off_t length) {
  return disk::pass_allocate("posix_fallocate", file, 0, offset, length) == 0 ? 0 : errno;
}
int posix_fallocate64(int file, off64_t offset, off64_t length) {
  return disk::pass_allocate("posix_fallocate64", file, 0, offset, length) == 0 ? 0 : errno;
}

int rename(const char* from, const char* to) noexcept {
  return disk::pass_rename("rename", AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int folder, const char* from, int to_folder, const char* to) noexcept {
  return disk::pass_rename("renameat", folder, from, to_folder, to, 0);
}
int renameat2(int folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  return disk::pass_rename("renameat2", folder, from, to_folder, to, flags);
}
int unlink(const char* path) noexcept { return disk::pass_unlink("unlink", AT_FDCWD, path, 0); }
int unlinkat(int folder, const char* path, int flags) noexcept {
  return disk::pass_unlink("unlinkat", folder, path, flags);
}
int rmdir(const char* path) noexcept {
  return disk::pass_unlink("rmdir", AT_FDCWD, path, AT_REMOVEDIR);
}
int remove(const char* path) noexcept {
  struct stat status;
  if (::lstat(path, &status) != 0) return -1;
  return S_ISDIR(status.st_mode) ? rmdir(path) : unlink(path);
}
int mkdir(const char* path, mode_t mode) noexcept {
  return disk::pass_named(disk::CallKind::make_folder, "mkdir", AT_FDCWD, path, SYS_mkdirat, mode);
}
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return disk::pass_named(disk::CallKind::make_folder, "mkdirat", folder, path, SYS_mkdirat, mode);
}

void* mmap(void* address, size_t length, int protection, int flags, int file,
           off_t offset) noexcept {
  return disk::pass_map(address, length, protection, flags, file, offset);
}
void* mmap64(void* address, size_t length, int protection, int flags, int file,
             off64_t offset) noexcept {
  return disk::pass_map(address, length, protection, flags, file, offset);
}

}  // extern "C"
