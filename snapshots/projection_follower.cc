#include <almanac/snapshots/projection_follower.h>

#include <almanac/log/this_thread.h>

#include <atomic>
#include <thread>
#include <utility>

namespace almanac {
namespace {

// Who catches up publishes after so many events, so that he is seen to come nearer and can be told
// to stop.
constexpr std::size_t publish_events_max = 16'384;
constexpr std::chrono::milliseconds stop_look_interval{50};

}  // namespace

// One version on its way along the log.
class ProjectionFollower::Run {
 public:
  Run(ProjectionFollower& owner, std::uint32_t version, std::unique_ptr<ProjectedValue> value)
      : owner_(owner),
        version_(version),
        prototype_(std::move(value)),
        checkpoints_(owner.log_, owner.options_, {owner.name_, version}) {}
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
  // See Projection::at. Any thread.
  [[nodiscard]] Result<Seen> at(Position position) const;

 private:
  void follow();
  Result<bool> take(Subscription& subscription, ReachedValue& reached) const;
  void save(const ReachedValue& reached);

  ProjectionFollower& owner_;
  const std::uint32_t version_;
  const std::unique_ptr<ProjectedValue> prototype_;
  const ProjectionCheckpoints checkpoints_;
  Position saved_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

void ProjectionFollower::Run::follow() {
  this_thread::set_name("almanac-project");
  auto reached = checkpoints_.newest(*prototype_, Position(UINT64_MAX));
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

Result<bool> ProjectionFollower::Run::take(Subscription& subscription,
                                           ReachedValue& reached) const {
  std::size_t taken = 0;
  return subscription.next(
      [&](const RecordedEvent& event) -> Result<bool> {
        if (auto folded = fold_into(*reached.value, event); !folded) {
          return std::unexpected(folded.error());
        }
        reached.position = event.position;
        return ++taken < publish_events_max && !stopping_;
      },
      stop_look_interval);
}

void ProjectionFollower::Run::save(const ReachedValue& reached) {
  saved_ = reached.position;
  auto kept = checkpoints_.keep(reached);
  owner_.report_checkpoint(kept ? std::nullopt : std::optional(kept.error()));
}

Result<ProjectionFollower::Seen> ProjectionFollower::Run::at(Position position) const {
  auto reached = checkpoints_.newest(*prototype_, position);
  if (auto there = checkpoints_.advance(reached, position); !there) {
    return std::unexpected(there.error());
  }
  return Seen{reached.value->copy(), position, version_};
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
  return run->at(position);
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
