// How long does it take to read what is known of a user, while others read and one writes? Beside
// what is done without a log: a map behind a mutex, from which a reader copies the user's entry. A
// snapshot of ours is sealed; what opening it costs is said apart.
//
//   --quick   20,000 reads, with figures that mean little
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/engine/engine.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace almanac;
using namespace almanac::bench;

constexpr int users = 1'000;
constexpr int preferences = 10;
constexpr int turns = 20;

std::string name_of(int user) { return "user-" + std::to_string(user); }

ContextChanges everything() {
  ContextChanges changes{.friendship = 0.5};
  for (int i = 0; i < preferences; ++i) {
    changes.preferences["preference-" + std::to_string(i)] = "value " + std::to_string(i);
  }
  for (int i = 0; i < turns; ++i) {
    changes.turns.push_back({TurnRole::user, "what was said " + std::to_string(i), {}});
  }
  return changes;
}

class LockedMap {
 public:
  void set(const std::string& user, const OpenContext& context) {
    const std::lock_guard lock(mutex_);
    all_[user] = context;
  }
  [[nodiscard]] OpenContext get(const std::string& user) const {
    const std::lock_guard lock(mutex_);
    return all_.at(user);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, OpenContext> all_;
};

// Nanoseconds of one read, by as many threads, while one writes.
template <class Read, class Write>
double reading(int threads, int reads, const Read& read, const Write& write) {
  std::atomic<bool> stop = false;
  std::jthread writer([&] {
    for (int i = 0; !stop; ++i) write(name_of(i % users));
  });
  std::vector<double> took(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> readers;
    for (auto& mine : took) {
      readers.emplace_back([&] {
        const Stopwatch watch;
        for (int i = 0; i < reads; ++i) read(name_of(i * 7 % users));
        mine = watch.seconds() * 1e9 / reads;
      });
    }
  }
  stop = true;
  return median(took);
}

void compare(UserContexts& contexts, LockedMap& map, int threads, int reads) {
  const ContextChanges change{.friendship = 0.75};
  const double ours = reading(
      threads, reads,
      [&](const std::string& user) {
        require(contexts.get(user)->turns_added() == turns, "a user is not as he was");
      },
      [&](const std::string& user) { require(bool(contexts.change(user, change)), "not kept"); });
  const OpenContext one = map.get(name_of(0));
  std::binary_semaphore never(0);
  const double theirs = reading(
      threads, reads,
      [&](const std::string& user) {
        require(map.get(user).turns.size() == turns, "a user is not as he was");
      },
      [&](const std::string& user) {
        map.set(user, one);
        // As often as something can be on disk.
        (void)never.try_acquire_for(std::chrono::microseconds(100));
      });
  print({.bench = "context",
         .name = "read, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
         .value = ours,
         .unit = "ns",
         .peer = "a mutex and a copied map entry",
         .peer_value = theirs});
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const int reads = quick ? 20'000 : 1'000'000;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("almanac-bench-context-" + std::to_string(::getpid()));
  {
    auto engine = Engine::open({.folder = folder});
    require(bool(engine), "the engine cannot be opened");
    UserContexts& contexts = (*engine)->contexts();
    LockedMap map;
    for (int i = 0; i < users; ++i) {
      require(bool(contexts.change(name_of(i), everything())), "a context is not kept");
      map.set(name_of(i), *contexts.get(name_of(i))->open());
    }
    for (const int threads : {1, 4}) compare(contexts, map, threads, reads);
    const Stopwatch watch;
    const int opened = reads / 200;
    for (int i = 0; i < opened; ++i) {
      require(contexts.get(name_of(i % users))->open()->preferences.size() == preferences,
              "a preference is missing");
    }
    print({.bench = "context",
           .name = "open all of 31 fields and turns",
           .value = watch.seconds() * 1e6 / opened,
           .unit = "us"});
  }
  std::filesystem::remove_all(folder);
  return 0;
}
