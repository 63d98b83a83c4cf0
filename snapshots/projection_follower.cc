#include <almanac/snapshots/projection_follower.h>

#include <almanac/log/this_thread.h>
#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/projection_checkpoint.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t name_bytes_max = 64;
// Who catches up publishes after so many events, so that he is seen to come nearer and can be told
// to stop.
constexpr std::size_t publish_events_max = 16'384;
constexpr std::chrono::milliseconds stop_look_interval{50};

bool is_name(const std::string& name) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && name.size() <= name_bytes_max && std::ranges::all_of(name, fits);
}

Result<void> check(const ProjectionName& name) {
  if (!is_name(name.name)) {
    return fail(ErrorCode::invalid, "'" + name.name + "' cannot name a projection",
                "use 1 to 64 letters, digits, '-' and '_'");
  }
  if (name.version == 0) {
    return fail(ErrorCode::invalid, "0 is no version of a projection", "begin with 1");
  }
  return {};
}

// The functions of the program are called here and in decode() below, and may throw.
Result<void> fold(ProjectedValue& value, const RecordedEvent& event) {
  std::string what = "something unknown";
  try {
    value.fold(event);
    return {};
  } catch (const std::exception& thrown) {
    what = thrown.what();
  } catch (...) {}
  return fail(ErrorCode::corrupt,
              "the projection's fold threw at position " + std::to_string(event.position.value) +
                  ": " + what,
              "a fold takes every event; correct it and give it another version");
}

template <class Call>
auto guarded(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::corrupt, std::string("the projection's bytes: ") + thrown.what());
  } catch (...) {
    return fail(ErrorCode::corrupt, "the projection's bytes: something unknown was thrown");
  }
}

// A value and the last event in it.
struct Reached {
  std::unique_ptr<ProjectedValue> value;
  Position position;
};

Result<void> load(const Log& log, const fs::path& folder, std::uint32_t version, Position position,
                  ProjectedValue& value) {
  auto chain = chain_at(log, position);
  if (!chain) return std::unexpected(chain.error());
  auto bytes = read_projection(folder, {log.timeline(), position, version, *chain});
  if (!bytes) return std::unexpected(bytes.error());
  return guarded([&] { return value.decode(*bytes); });
}

// From the newest checkpoint that is whole and not behind `through`, or from the beginning.
Reached nearest(const Log& log, const fs::path& folder, std::uint32_t version, Position through,
                const ProjectedValue& prototype) {
  if (!folder.empty() && prototype.has_bytes()) {
    for (Position position : positions_in(folder)) {
      auto value = prototype.initial();
      if (position > through || !load(log, folder, version, position, *value)) continue;
      return {std::move(value), position};
    }
  }
  return {prototype.initial(), Position()};
}

}  // namespace

// One version on its way along the log.
class ProjectionFollower::Run {
 public:
  Run(ProjectionFollower& owner, std::uint32_t version, std::unique_ptr<ProjectedValue> value)
      : owner_(owner), version_(version), prototype_(std::move(value)) {
    if (!owner.options_.folder.empty()) {
      folder_ = owner.options_.folder / owner.name_ / ("v" + std::to_string(version));
    }
  }
  ~Run() {
    stop();
    if (thread_.joinable()) thread_.join();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void start() {
    thread_ = std::thread([this] { follow(); });
  }
  void stop() { stopping_ = true; }
  [[nodiscard]] std::uint32_t version() const { return version_; }
  [[nodiscard]] const fs::path& folder() const { return folder_; }
  [[nodiscard]] const ProjectedValue& prototype() const { return *prototype_; }

 private:
  void follow();
  Result<bool> take(Subscription& subscription, Reached& reached) const;
  void save(const Reached& reached);

  ProjectionFollower& owner_;
  const std::uint32_t version_;
  const std::unique_ptr<ProjectedValue> prototype_;
  fs::path folder_;  // of its checkpoints; may be empty
  Position saved_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

void ProjectionFollower::Run::follow() {
  this_thread::set_name("almanac-project");
  auto reached = nearest(owner_.log_, folder_, version_, Position(UINT64_MAX), *prototype_);
  saved_ = reached.position;
  auto subscription = owner_.log_.subscribe(reached.position.next());
  if (reached.position) {
    owner_.publish(*this, {reached.value->copy(), reached.position, version_});
  }
  while (!stopping_) {
    auto moved = take(subscription, reached);
    if (!moved) return owner_.report(*this, moved.error());
    // One that follows nothing yet is as far as one that is at the beginning.
    if (*moved || !reached.position) {
      owner_.publish(*this, {reached.value->copy(), reached.position, version_});
    }
    if (reached.position.value - saved_.value >= owner_.options_.checkpoint_events) save(reached);
  }
  if (reached.position != saved_) save(reached);
}

Result<bool> ProjectionFollower::Run::take(Subscription& subscription, Reached& reached) const {
  std::size_t taken = 0;
  return subscription.next(
      [&](const RecordedEvent& event) -> Result<bool> {
        if (auto folded = fold(*reached.value, event); !folded) {
          return std::unexpected(folded.error());
        }
        reached.position = event.position;
        return ++taken < publish_events_max && !stopping_;
      },
      stop_look_interval);
}

void ProjectionFollower::Run::save(const Reached& reached) {
  saved_ = reached.position;
  if (folder_.empty() || !reached.value->has_bytes()) return;
  auto bytes = guarded([&] { return Result<std::vector<std::byte>>(reached.value->encode()); });
  auto chain = chain_at(owner_.log_, reached.position);
  if (!bytes || !chain) {
    return owner_.report_checkpoint(bytes ? chain.error() : bytes.error());
  }
  const ProjectionKey key{owner_.log_.timeline(), reached.position, version_, *chain};
  auto written = write_projection(folder_, key, *bytes);
  if (!written) return owner_.report_checkpoint(written.error());
  thin_projections(folder_, owner_.options_.checkpoints_max);
  owner_.report_checkpoint({});
}

ProjectionFollower::ProjectionFollower(const Log& log, ProjectionOptions options, std::string name)
    : log_(log), options_(std::move(options)), name_(std::move(name)) {}

Result<std::unique_ptr<ProjectionFollower>> ProjectionFollower::open(
    const Log& log, ProjectionOptions options, ProjectionName name,
    std::unique_ptr<ProjectedValue> value) {
  if (auto checked = check(name); !checked) return std::unexpected(checked.error());
  std::unique_ptr<ProjectionFollower> follower(
      new ProjectionFollower(log, std::move(options), std::move(name.name)));
  follower->seen_ = {value->copy(), Position(), name.version};
  follower->serving_ = std::make_shared<Run>(*follower, name.version, std::move(value));
  follower->serving_->start();
  return follower;
}

// The threads end before what they tell their news to.
ProjectionFollower::~ProjectionFollower() {
  std::vector<std::shared_ptr<Run>> runs;
  {
    std::lock_guard guard(mutex_);
    runs.swap(ended_);
    runs.push_back(std::exchange(serving_, nullptr));
    runs.push_back(std::exchange(next_, nullptr));
  }
  for (auto& run : runs) {
    if (run) run->stop();
  }
}

ProjectionFollower::Seen ProjectionFollower::now() const {
  std::lock_guard guard(mutex_);
  return seen_;
}

bool ProjectionFollower::wait_for(Position position, std::chrono::milliseconds wait_max) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait_max, [&] { return seen_.position >= position || fails_; });
  return seen_.position >= position;
}

Result<ProjectionFollower::Seen> ProjectionFollower::at(Position position) const {
  std::shared_ptr<Run> run;
  {
    std::lock_guard guard(mutex_);
    run = serving_;
  }
  auto reached = nearest(log_, run->folder(), run->version(), position, run->prototype());
  auto first = log_.first();
  if (!first) return std::unexpected(first.error());
  if (reached.position != position && reached.position.next() < *first) {
    return fail(ErrorCode::not_found, "the log begins at position " + std::to_string(first->value) +
                                          ": what leads to position " +
                                          std::to_string(position.value) + " was removed");
  }
  auto read = log_.read({.from = reached.position.next(), .through = position},
                        [&](const RecordedEvent& event) -> Result<bool> {
                          auto folded = fold(*reached.value, event);
                          if (!folded) return std::unexpected(folded.error());
                          reached.position = event.position;
                          return true;
                        });
  if (!read) return std::unexpected(read.error());
  if (reached.position == position) return Seen{reached.value->copy(), position, run->version()};
  return fail(ErrorCode::not_found, "the log ends at position " +
                                        std::to_string(reached.position.value) + ", before " +
                                        std::to_string(position.value));
}

Result<void> ProjectionFollower::replace(const ProjectionName& name,
                                         std::unique_ptr<ProjectedValue> value) {
  if (auto checked = check(name); !checked) return checked;
  if (name.name != name_) {
    return fail(ErrorCode::invalid, "'" + name.name + "' cannot replace '" + name_ + "'",
                "open it beside");
  }
  auto run = std::make_shared<Run>(*this, name.version, std::move(value));
  std::vector<std::shared_ptr<Run>> ended;  // whose threads end without the lock
  {
    std::lock_guard guard(mutex_);
    if (name.version == serving_->version()) {
      return fail(ErrorCode::invalid,
                  "'" + name_ + "' has version " + std::to_string(name.version) + " already",
                  "give what has changed another version");
    }
    ended.swap(ended_);
    ended.push_back(std::exchange(next_, nullptr));
    if (!fails_) failure_.reset();
  }
  ended.clear();
  std::lock_guard guard(mutex_);
  next_ = std::move(run);
  next_->start();
  return {};
}

// Who is on his way to take over does so as soon as nobody would see an earlier position.
void ProjectionFollower::publish(const Run& run, Seen seen) {
  std::lock_guard guard(mutex_);
  if (next_.get() == &run && seen.position >= seen_.position) {
    serving_->stop();
    ended_.push_back(std::exchange(serving_, std::exchange(next_, nullptr)));
    failure_.reset();
    fails_ = false;
  }
  if (serving_.get() != &run) return;
  seen_ = std::move(seen);
  changed_.notify_all();
}

void ProjectionFollower::report(const Run& run, const Error& error) {
  std::lock_guard guard(mutex_);
  if (serving_.get() != &run && next_.get() != &run) return;
  failure_ = error;
  fails_ = fails_ || serving_.get() == &run;
  changed_.notify_all();
}

void ProjectionFollower::report_checkpoint(std::optional<Error> error) {
  std::lock_guard guard(mutex_);
  checkpoint_failure_ = std::move(error);
}

std::optional<Error> ProjectionFollower::failure() const {
  std::lock_guard guard(mutex_);
  return failure_;
}

std::optional<Error> ProjectionFollower::checkpoint_failure() const {
  std::lock_guard guard(mutex_);
  return checkpoint_failure_;
}

}  // namespace almanac
