// The control: of LMDB by itself it is known what survives a power loss and what does not. The
// model and the search find just that, also where the log has means against it.
#include <almanac/log/types.h>
#include <almanac/tests/disk/explorer.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <lmdb.h>

#include <algorithm>
#include <cstring>

namespace almanac::test {
namespace {

constexpr std::size_t map_bytes = 16 << 20;
constexpr std::uint64_t records_before = 2;
constexpr std::uint64_t records_recorded = 4;

// An environment with numbered records in it. Every call answers LMDB's code.
class Environment {
 public:
  Environment() { mdb_env_create(&env_); }
  ~Environment() { mdb_env_close(env_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  int open(const std::filesystem::path& folder, unsigned flags) {
    mdb_env_set_mapsize(env_, map_bytes);
    return mdb_env_open(env_, folder.c_str(), flags, 0600);
  }
  int put(std::uint64_t number) {
    const std::string bytes(200, static_cast<char>('a' + number % 26));
    MDB_val key{sizeof(number), &number};
    MDB_val value{bytes.size(), const_cast<char*>(bytes.data())};
    MDB_txn* txn = nullptr;
    MDB_dbi records = 0;
    int code = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (code != 0) return code;
    code = mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY, &records);
    if (code == 0) code = mdb_put(txn, records, &key, &value, 0);
    if (code == 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
  }
  // Counts the records, and chains their numbers.
  int read(FoundLog& found) {
    MDB_txn* txn = nullptr;
    MDB_dbi records = 0;
    MDB_cursor* cursor = nullptr;
    int code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    if (code != 0) return code;
    code = mdb_dbi_open(txn, nullptr, 0, &records);
    if (code == 0) code = mdb_cursor_open(txn, records, &cursor);
    MDB_val key{};
    MDB_val value{};
    while (code == 0 && (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
      std::uint64_t number = 0;
      std::memcpy(&number, key.mv_data, std::min(key.mv_size, sizeof(number)));
      found = {.events = found.events + 1, .content = mix(found.content, number)};
    }
    if (cursor != nullptr) mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return code == MDB_NOTFOUND ? 0 : code;
  }

 private:
  MDB_env* env_ = nullptr;
};

FoundLog check_environment(const std::filesystem::path& folder, Recorder*) {
  FoundLog found;
  Environment environment;
  if (environment.open(folder, 0) != 0) return {.problem = Problem::unopenable};
  if (environment.read(found) != 0) return {.problem = Problem::damaged};
  if (environment.put(found.events + 1) != 0) return {.problem = Problem::stuck};
  return found;
}

struct Trial {
  unsigned flags = 0;  // of LMDB
  bool first_create = false;
  DiskFaults faults = {};
};

// Each record is acknowledged when its commit has returned.
Tally explore_environment(const Trial& trial) {
  SectorPool pool;
  TempFolder folder;
  Recorder recorder(folder.path());
  std::filesystem::create_directory(folder / "log");
  std::uint64_t number = 0;
  std::uint64_t content = 0;
  auto put = [&](Environment& environment) {
    content = mix(content, ++number);
    recorder.mark({Mark::Kind::appended, number, content});
    EXPECT_EQ(environment.put(number), 0);
    recorder.mark({Mark::Kind::acknowledged, number, content});
  };
  if (!trial.first_create) {
    Environment before;
    EXPECT_EQ(before.open(folder / "log", 0), 0);
    for (std::uint64_t i = 0; i < records_before; ++i) put(before);
  }
  RecordedScenario recorded{read_image(folder.path(), pool), {}};
  {
    Watching watching(recorder);
    Environment environment;
    EXPECT_EQ(environment.open(folder / "log", trial.flags), 0);
    for (std::uint64_t i = 0; i < records_recorded; ++i) put(environment);
  }
  recorded.recording = recorder.take();
  EXPECT_TRUE(is_complete(recorded, folder.path(), pool));
  return explore({"plain LMDB", Start::closed, {}}, recorded, pool,
                 {.faults = trial.faults,
                  .check = check_environment,
                  .second_level_every = 0,
                  .kill_every = 0,
                  .keeps_findings = false})
      .tally;
}

TEST(PlainLmdb, KeepsWhatItCommitted) {
  auto tally = explore_environment({});
  EXPECT_EQ(tally.findings(), 0U) << describe(tally);
  EXPECT_GT(tally.opened, 100U) << describe(tally);
}

TEST(PlainLmdb, DoesNotSurviveAPowerLossInItsFirstCommit) {
  auto tally = explore_environment({.first_create = true});
  EXPECT_GT(tally.unopenable, 0U) << describe(tally);
}

TEST(PlainLmdb, LosesCommitsWhoseMetaPageIsNotSynced) {
  auto tally = explore_environment({.flags = MDB_NOMETASYNC});
  EXPECT_GT(tally.lost, 0U) << describe(tally);
}

TEST(PlainLmdb, IsBrokenByAMetaPageThatIsTornInside) {
  auto tally = explore_environment({.faults = {.tears_words = true}});
  EXPECT_GT(tally.findings(), 0U) << describe(tally);
}

TEST(PlainLmdb, IsBrokenByASyncThatDoesNothing) {
  auto tally = explore_environment({.faults = {.data_sync_ignored = true}});
  EXPECT_GT(tally.findings(), 0U) << describe(tally);
}

}  // namespace
}  // namespace almanac::test
