#include <almanac/log/digester.h>

#include <almanac/log/hash.h>
#include <almanac/log/limits.h>
#include <almanac/log/this_thread.h>

namespace almanac {

Digester::Digester() : thread_([this] { run(); }) {}

Digester::~Digester() {
  {
    std::lock_guard guard(mutex_);
    stage_ = Stage::closing;
  }
  changed_.notify_all();
  thread_.join();
}

void Digester::start(Bytes bytes) {
  bytes_ = bytes;
  if (bytes.size() < limits::digest_aside_bytes_min) return;
  {
    std::lock_guard guard(mutex_);
    stage_ = Stage::asked;
  }
  changed_.notify_all();
}

Digest Digester::finish() {
  if (bytes_.size() < limits::digest_aside_bytes_min) return blake2b(bytes_);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stage_ == Stage::done; });
  stage_ = Stage::idle;
  return digest_;
}

// Who asks is about to write and to wait for the disk, and that is the time for the digest.
void Digester::run() {
  this_thread::set_name("almanac-digest");
  this_thread::give_way();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stage_ == Stage::asked || stage_ == Stage::closing; });
    if (stage_ == Stage::closing) return;
    auto bytes = bytes_;
    lock.unlock();
    auto digest = blake2b(bytes);
    lock.lock();
    digest_ = digest;
    if (stage_ == Stage::asked) stage_ = Stage::done;
    changed_.notify_all();
  }
}

}  // namespace almanac
