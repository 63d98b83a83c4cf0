// kill -9, again and again, at moments that chance and the log's own writes choose, and an oracle
// that judges from outside what was kept, what ran twice and who survived.
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/kill_oracle.h>
#include <almanac/tests/support/kill_workload.h>
#include <almanac/tests/support/killable_run.h>
#include <almanac/tests/support/orphans.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/log/log.h>
#include <almanac/snapshots/rebuild.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace almanac::test {
namespace {

using std::chrono::microseconds;

constexpr auto survival_limit = std::chrono::seconds(2);
constexpr std::size_t violations_shown_max = 12;

struct Plan {
  int rounds = 0;
  std::size_t tasks = 0;  // of a folder's workload; three in four have an eighth of them
  std::uint64_t seed = 0;
};

// How far the killed run had come, by what it left in the log.
enum class Stage : std::uint8_t {
  creating,    // no log, or an empty one
  recovering,  // nothing new in the log
  submitting,  // tasks were missing
  starting,    // no attempt had ended
  working,
  closing  // all had ended
};
constexpr std::array stage_names = {"creating", "recovering", "submitting",
                                    "starting", "working",    "closing"};

// One folder from its first run to the end of its workload.
struct Folder {
  TempFolder place;
  KillWorkload workload;
  std::set<std::string> labels;
  KillOracle oracle;
  std::map<std::uint64_t, std::string> digests;  // by position, as `state digest` printed them

  explicit Folder(const KillWorkload& wanted)
      : workload{.file = place / "work.jsonl",
                 .record = place / "record",
                 .tasks = wanted.tasks,
                 .seed = wanted.seed},
        labels(write_kill_workload(workload)),
        oracle(labels) {
    write_file(workload.record, "");
    if (wanted.seed % 4 != 0) std::filesystem::create_directory(path());
  }
  [[nodiscard]] std::string path() const { return place / "log"; }
  [[nodiscard]] bool exists() const { return std::filesystem::exists(place / "log/log"); }
  [[nodiscard]] bool ended() const { return oracle.figures().ended == labels.size(); }
};

class Campaign {
 public:
  explicit Campaign(const Plan& plan) : plan_(plan), random_(plan.seed) {}

  // Stops at the first broken promise.
  void run() {
    begin_folder();
    while (kills_ < plan_.rounds && violations_.empty()) {
      bool killed = round(draw_moment());
      if (!killed || folder_->ended()) {
        finish_folder();
        begin_folder();
      }
    }
    finish_folder();
  }

  [[nodiscard]] std::string violations() const { return violations_; }
  [[nodiscard]] int kills() const { return kills_; }
  [[nodiscard]] int kills_before_acknowledgement() const { return kills_before_acknowledgement_; }
  [[nodiscard]] std::string summary() const;

 private:
  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  microseconds draw(microseconds below) {
    return microseconds(draw(static_cast<std::uint64_t>(below.count())));
  }

  void begin_folder() {
    auto tasks = folders_ % 4 == 0 ? plan_.tasks : plan_.tasks / 8;
    folder_ = std::make_unique<Folder>(KillWorkload{.tasks = tasks, .seed = random_()});
    violations_taken_ = 0;
    ++folders_;
  }

  KillMoment draw_moment();
  bool round(std::optional<KillMoment> moment);
  void check(const std::string& during);
  void finish_folder();
  void check_rerun();
  void check_digests();
  void add_figures();
  void take_violations(const std::string& during);
  void violated(const std::string& during, const std::string& what);
  CommandResult ask(std::vector<std::string> words) {
    words.insert(words.begin(), program_path("almanac"));
    words.insert(words.end(), {"--dir", folder_->path()});
    return run_command(words);
  }

  Plan plan_;
  std::mt19937_64 random_;
  Orphans orphans_;
  std::unique_ptr<Folder> folder_;
  microseconds opening_{30'000};  // how long a run takes to its first line
  std::string violations_;
  std::size_t violation_count_ = 0;
  std::size_t violations_taken_ = 0;  // of the folder's oracle

  int kills_ = 0;
  int kills_before_acknowledgement_ = 0;
  int folders_ = 0;
  std::array<int, stage_names.size()> stages_{};
  std::uint64_t unacknowledged_ = 0;
  std::size_t orphan_count_ = 0;
  microseconds longest_survival_{0};
  KillOracle::Figures sums_;
};

// Chance over the first half second, the start alone, and the moments around a line, a write to the
// log's file and a commit, of which nobody has been told yet.
KillMoment Campaign::draw_moment() {
  using After = KillMoment::After;
  auto choice = draw(100);
  bool fresh = folder_->oracle.figures().submitted < folder_->labels.size();
  if (choice < (fresh ? 25 : 15)) {
    return {.after = After::start, .delay = draw(opening_ * 3 / 2)};
  }
  if (choice < 30) return {.after = After::start, .delay = draw(microseconds(500'000))};
  if (choice < 45) {
    return {.after = After::line, .count = 1 + draw(40), .delay = draw(microseconds(300))};
  }
  if (choice < 60) {
    return {.after = After::log_write,
            .count = 1 + draw(fresh ? 10 : 40),
            .delay = draw(microseconds(100))};
  }
  return {.after = After::commit,
          .count = 1 + draw(fresh || choice < 70 ? 3 : 30),
          .delay = draw(microseconds(choice % 2 == 0 ? 1 : 50))};
}

// One run of the workload, to the moment or to its end; whether it was killed.
bool Campaign::round(std::optional<KillMoment> moment) {
  auto during = moment ? describe(*moment) : "run to the end";
  Folder& folder = *folder_;
  auto on_line = [&](const std::string& line) {
    folder.oracle.acknowledge(line, std::filesystem::file_size(folder.workload.record));
  };
  KillableRun run({program_path("almanac"), "run", folder.workload.file, "--dir", folder.path(),
                   "--json", "--slots", "8"},
                  folder.path(), on_line);
  auto end = run.kill_at(moment);
  auto left = orphans_.wait(run.process(), survival_limit);
  run.read_rest();
  bool killed = WIFSIGNALED(left.status);
  kills_ += killed ? 1 : 0;
  opening_ = run.first_line_after().value_or(opening_);
  orphan_count_ += left.count;
  longest_survival_ = std::max(longest_survival_, left.outlived);
  for (const auto& survivor : left.survivors) violated(during, "survived: " + survivor);
  if (end == KillableRun::End::stalled) violated(during, "the run did not go on");
  if (killed && WTERMSIG(left.status) != SIGKILL) violated(during, "the run crashed");
  if (!killed && WEXITSTATUS(left.status) > 1) violated(during, "the run gave up");
  auto before = folder.oracle.figures();
  check(during);
  if (!killed) return false;
  const auto& after = folder.oracle.figures();
  auto stage = after.engines == 0                       ? Stage::creating
               : after.engines == before.engines        ? Stage::recovering
               : after.submitted < folder.labels.size() ? Stage::submitting
               : after.ends == before.ends              ? Stage::starting
               : !folder.ended()                        ? Stage::working
                                                        : Stage::closing;
  ++stages_[static_cast<std::size_t>(stage)];
  unacknowledged_ += after.unacknowledged;
  kills_before_acknowledgement_ += after.unacknowledged > 0 ? 1 : 0;
  return true;
}

// What is left, held against the oracle's record.
void Campaign::check(const std::string& during) {
  Folder& folder = *folder_;
  CommandResult log;
  if (folder.exists()) {
    log = ask({"log", "cat", "--json"});
    if (log.code != 0) violated(during, "the log cannot be read");
    if (ask({"log", "verify"}).code != 0) violated(during, "the log is not whole");
    auto digest = ask({"state", "digest", "--json"});
    auto json = nlohmann::json::parse(digest.output, nullptr, false);
    if (digest.code != 0 || !json.is_object()) {
      violated(during, "there is no digest");
    } else {
      folder.digests[json.at("position").get<std::uint64_t>()] = json.at("digest");
    }
  }
  auto record = read_file(folder.workload.record);
  folder.oracle.check({.log = log.output, .record = record});
  take_violations(during);
}

void Campaign::finish_folder() {
  if (violations_.empty() && !folder_->ended() && round(std::nullopt)) {
    violated("run to the end", "it was killed, not by us");
  }
  if (violations_.empty()) {
    folder_->oracle.expect_all_ended();
    take_violations("at the end");
  }
  if (violations_.empty()) check_rerun();
  if (violations_.empty()) check_digests();
  add_figures();
}

void Campaign::take_violations(const std::string& during) {
  const auto& found = folder_->oracle.violations();
  for (; violations_taken_ < found.size(); ++violations_taken_) {
    violated(during, found[violations_taken_]);
  }
}

void Campaign::violated(const std::string& during, const std::string& what) {
  if (++violation_count_ > violations_shown_max) return;
  violations_ += "folder " + std::to_string(folders_) + ", kill " + std::to_string(kills_) + ", " +
                 during + ": " + what + "\n";
}

// Once everything has ended, another run finds nothing to do.
void Campaign::check_rerun() {
  auto starts = folder_->oracle.figures().starts;
  auto ends = folder_->oracle.figures().ends;
  (void)round(std::nullopt);
  const auto& after = folder_->oracle.figures();
  if (after.starts != starts || after.ends != ends) {
    violated("run once more", "something ran again after all had ended");
  }
}

// Folding the finished log passes through every state that was seen on the way.
void Campaign::check_digests() {
  auto log = Log::open(folder_->path(), {.access = Access::read});
  if (!log) return violated("at the end", describe(log.error()));
  auto rebuilt = rebuild(**log, {.visit = [&](const State& state) {
    auto seen = folder_->digests.find(state.position.value);
    if (seen == folder_->digests.end() || seen->second == to_hex(digest(state))) return;
    violated("at the end", "position " + std::to_string(seen->first) + " has another digest");
  }});
  if (!rebuilt) return violated("at the end", describe(rebuilt.error()));
  if (rebuilt->ignored != 0) violated("at the end", "the state had to ignore events");
}

void Campaign::add_figures() {
  const auto& figures = folder_->oracle.figures();
  sums_.acknowledged += figures.acknowledged;
  sums_.ends += figures.ends;
  sums_.starts += figures.starts;
  sums_.children += figures.children;
  sums_.ended += figures.ended;
}

std::string Campaign::summary() const {
  auto number = [](auto value) { return std::to_string(value); };
  std::string stages;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    stages += (i > 0 ? ", " : "") + number(stages_[i]) + " " + stage_names[i];
  }
  return number(kills_) + " kills (" + stages + ") in " + number(folders_) + " folders, seed " +
         number(plan_.seed) + ": " + number(sums_.ended) + " tasks ended, " + number(sums_.ends) +
         " ends in the logs, " + number(sums_.acknowledged) + " acknowledged; " +
         number(kills_before_acknowledgement_) +
         " kills fell between commit and acknowledgement (" + number(unacknowledged_) + " ends); " +
         number(sums_.starts) + " attempts and " + number(sums_.children) +
         " children of theirs began; " + number(orphan_count_) +
         " orphans outlived their engine by at most " + number(longest_survival_.count()) + " µs";
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

Plan plan_from_environment() {
  bool campaign = number_from_environment("ALMANAC_CAMPAIGN", 0) != 0;
  auto rounds = number_from_environment("ALMANAC_KILL_ROUNDS", campaign ? 300 : 40);
  auto tasks = number_from_environment("ALMANAC_KILL_TASKS", rounds >= 100 ? 1'200 : 300);
  return {.rounds = static_cast<int>(rounds),
          .tasks = tasks,
          .seed = number_from_environment("ALMANAC_KILL_SEED", std::random_device{}())};
}

TEST(KilledRun, KeepsWhatItAcknowledgedRepeatsNothingAndLeavesNoOneBehind) {
  Campaign campaign(plan_from_environment());
  campaign.run();
  std::printf("%s\n", campaign.summary().c_str());
  EXPECT_EQ(campaign.violations(), "") << campaign.summary();
  // Few kills may all fall elsewhere; of many a fifth must fall where it hurts most.
  if (campaign.kills() >= 100) {
    EXPECT_GE(campaign.kills_before_acknowledgement() * 5, campaign.kills());
  }
}

}  // namespace
}  // namespace almanac::test
