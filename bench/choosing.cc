// What does it take to choose the next of a million ready tasks, by each policy, and what to fold
// its start, which takes it out of the order? One slot, so that each choice is made by itself; 4
// kinds in one queue. Microseconds, the median of rounds.
//
//   --quick   20,000 tasks, with figures that mean little
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/engine/dispatch.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace almanac;
using namespace almanac::bench;

constexpr double choosing_us_max = 2;
constexpr int rounds = 9;
constexpr int choices = 1'000;  // in a round

constexpr std::array<std::string_view, 4> kinds = {"build", "mail", "report", "scan"};
constexpr std::array<std::string_view, 8> owners = {"ann", "bob", "eve", "ida",
                                                    "jon", "kim", "leo", "mia"};
constexpr std::array<QueueWeight, 6> urgency = {
    QueueWeight{"low", 10},      QueueWeight{"medium", 20},  QueueWeight{"high", 30},
    QueueWeight{"deadline", 40}, QueueWeight{"overdue", 50}, QueueWeight{"short", 10}};
constexpr std::array<QueueWeight, 2> shares = {QueueWeight{"ann", 300}, QueueWeight{"bob", 50}};

// One of a row that never ends and is the same in every run (Knuth's MMIX).
class Draw {
 public:
  std::uint64_t below(std::uint64_t end) {
    number_ = number_ * 6364136223846793005U + 1442695040888963407U;
    return (number_ >> 33) % end;
  }

 private:
  std::uint64_t number_ = 1;
};

QueueConfigured settings_of(QueuePolicy policy) {
  QueueConfigured event{.queue = "work", .policy = policy};
  if (policy == QueuePolicy::urgency) {
    event.ageing = std::chrono::hours(1);
    event.window = std::chrono::hours(24);
    event.short_work = std::chrono::minutes(5);
    event.weights = QueueWeightListView(urgency);
  }
  if (policy == QueuePolicy::fair) event.weights = QueueWeightListView(shares);
  return event;
}

class Bench {
 public:
  explicit Bench(QueuePolicy policy) : policy_(policy) {
    tell(EngineStarted{.version = "bench", .slots = 1});
    tell(settings_of(policy));
  }

  void fill(std::uint64_t tasks) {
    for (std::uint64_t id = 1; id <= tasks; ++id) {
      now_ += Duration(10);
      tell(TaskEnqueued{.id = TaskId(id),
                        .kind = kinds[draw_.below(kinds.size())],
                        .queue = "work",
                        .priority = static_cast<std::int32_t>(draw_.below(7)) - 3,
                        .owner = owners[draw_.below(owners.size())],
                        .deadline = now_ + std::chrono::seconds(draw_.below(200'000)),
                        .estimate = std::chrono::seconds(1 + draw_.below(900))});
    }
    tell(TasksReranked{.through = now_});
    require(state_.tasks.ready.size() == tasks, "not all tasks are ready");
  }

  void run() {
    std::vector<double> choosing;
    std::vector<double> folding;
    for (int round = 0; round < rounds; ++round) {
      double choose = 0;
      double fold = 0;
      for (int i = 0; i < choices; ++i) {
        Arena memory;
        const Stopwatch watch;
        const auto started = decide_starts(state_, {now_, memory}, takes_all_).events;
        choose += watch.seconds();
        require(started.size() == 1, "one slot takes one task");
        const TaskId id = std::get<TaskStarted>(started.front().body).id;
        check(id);
        const Stopwatch begun;
        tell(started.front().body);
        fold += begun.seconds();
        tell(TaskSucceeded{.id = id, .lease = state_.tasks.all.find(id)->lease});
      }
      choosing.push_back(choose * 1e6 / choices);
      folding.push_back(fold * 1e6 / choices);
    }
    report(median(choosing), median(folding));
  }

 private:
  void tell(const EventBody& body) {
    fold_into(state_, {state_.position.next(), {.at = now_, .body = body}});
    require(state_.ignored == 0, "an event was ignored");
  }
  // No other kind's first task stands before it.
  void check(TaskId id) {
    const Task& task = *state_.tasks.all.find(id);
    const LanePlace place = ready_key(state_.tasks, id, task).place;
    for (const auto& [lane, places] : state_.tasks.ready.lanes()) {
      require(!(*places.first() < place), "a task stands before the one that was chosen");
    }
  }
  void report(double choosing, double folding) const {
    const std::string of =
        std::string(name(policy_)) + ", " + std::to_string(state_.tasks.all.size()) + " tasks";
    std::fprintf(stderr, "%-10s choosing %6.2f us, bar <= %.0f %s; folding the start %6.2f us\n",
                 std::string(name(policy_)).c_str(), choosing, choosing_us_max,
                 choosing <= choosing_us_max ? "yes" : "NO", folding);
    print({.bench = "choosing", .name = "choosing by " + of, .value = choosing, .unit = "us"});
    print(
        {.bench = "choosing", .name = "folding a start by " + of, .value = folding, .unit = "us"});
  }

  QueuePolicy policy_;
  State state_;
  Draw draw_;
  Time now_{std::chrono::seconds(1'000'000)};
  std::function<bool(std::string_view)> takes_all_ = [](std::string_view) { return true; };
};

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc == 2 && std::string_view(argv[1]) == "--quick";
  require(argc == 1 || quick, "options: --quick");
  for (int policy = 0; policy < queue_policy_count; ++policy) {
    Bench bench(static_cast<QueuePolicy>(policy));
    bench.fill(quick ? 20'000 : 1'000'000);
    bench.run();
  }
}
