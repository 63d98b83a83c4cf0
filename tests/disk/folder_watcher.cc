#include <almanac/tests/disk/folder_watcher.h>

#include <fcntl.h>

#include <utility>

namespace almanac::test {

long FolderWatcher::on_call(const DiskCall& call, const RealCall& real) {
  switch (call.kind) {
    case CallKind::open: return on_open(call, real);
    case CallKind::rename:
    case CallKind::unlink:
    case CallKind::make_folder:
    case CallKind::remove_folder: return on_named(call, real);
    default: return on_file(call, real);
  }
}

// What a path is called below our folder; nothing when it is elsewhere.
std::optional<std::string> FolderWatcher::below(int folder, const std::string& path) const {
  std::string whole = path;
  if (!path.starts_with('/')) {
    std::lock_guard guard(mutex_);
    auto found = open_.find(folder);
    if (found == open_.end()) return std::nullopt;
    whole = root_ + found->second.path + "/" + path;
  }
  if (whole + "/" == root_) return "";
  if (!whole.starts_with(root_)) return std::nullopt;
  auto name = std::filesystem::path(whole.substr(root_.size())).lexically_normal().string();
  if (name.ends_with('/')) name.pop_back();
  return name == "." ? "" : name;
}

long FolderWatcher::on_open(const DiskCall& call, const RealCall& real) {
  Seen seen{call};
  auto path = below(call.folder, call.path);
  if (path) {
    seen.path = std::move(*path);
    seen.flags = call.flags;
    std::lock_guard guard(mutex_);
    seen.handle = ++last_handle_;
  }
  long result = seen.handle != 0 ? on_seen(seen, real) : real({});
  if (result < 0) return result;
  std::lock_guard guard(mutex_);
  open_.erase(static_cast<int>(result));  // one that was closed out of our sight
  if (seen.handle != 0) {
    open_[static_cast<int>(result)] = {seen.handle, seen.path, call.flags};
  }
  return result;
}

long FolderWatcher::on_file(const DiskCall& call, const RealCall& real) {
  OpenFile file;
  {
    std::lock_guard guard(mutex_);
    auto found = open_.find(call.file);
    if (found != open_.end()) file = found->second;
    // Before it is: another thread may be given this number at once.
    if (found != open_.end() && call.kind == CallKind::close) open_.erase(found);
  }
  if (file.handle == 0) return real(call.bytes);
  return on_seen({call, file.path, {}, file.handle, file.flags}, real);
}

long FolderWatcher::on_named(const DiskCall& call, const RealCall& real) {
  auto path = below(call.folder, call.path);
  if (!path) return real({});
  Seen seen{call, std::move(*path)};
  if (call.kind == CallKind::rename) {
    auto to = below(call.to_folder, call.to);
    if (!to) return real({});
    seen.to = std::move(*to);
  }
  return on_seen(seen, real);
}

}  // namespace almanac::test
