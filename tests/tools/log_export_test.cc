// `almanac log export` and `import`: a log goes out as lines and comes back as the same log.
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/test_log.h>

#include <almanac/log/index.h>
#include <almanac/log/store_environment.h>
#include <almanac/tools/text.h>

#include <gtest/gtest.h>
#include <lmdb.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

class LogExport : public LogCommands {
 protected:
  LogExport() { write_frames(log_folder(), sample_frames()); }

  CommandOutput import(const std::string& text) const {
    return log({"import", "-", "--dir", "new"}, text);
  }
  // The import of this text is refused, says so, and leaves nothing behind.
  void expect_refused(const std::string& text, int code,
                      const std::vector<std::string>& says) const {
    auto done = import(text);
    EXPECT_EQ(done.code, code) << done.errors;
    EXPECT_EQ(done.output, "");
    for (const auto& words : says) {
      EXPECT_NE(done.errors.find(words), std::string::npos)
          << words << " is not in " << done.errors;
    }
    EXPECT_EQ(names(), std::set<std::string>{"log"});
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      names.insert(entry.path().filename());
    }
    return names;
  }
};

TEST_F(LogExport, ComesBackAsTheSameLog) {
  auto text = output({"export"});
  auto head = json::parse(lines_of(text).at(0));
  EXPECT_EQ(head.at("events"), 10);
  auto verified = json::parse(output({"verify", "--json"}));
  EXPECT_EQ(head.at("digest"), verified.at("digest"));
  EXPECT_EQ(output({"import", "-", "--dir", "new"}, text),
            "10 events in 4 frames\nlast frame " + head.at("digest").get<std::string>() + "\n");
  EXPECT_EQ(output({"export", "--dir", "new"}), text);
  EXPECT_EQ(json::parse(output({"verify", "--json", "--dir", "new"})), verified);
}

TEST_F(LogExport, ComesBackThroughAFile) {
  EXPECT_EQ(output({"export", "-o", "log.jsonl"}), "");
  EXPECT_EQ(read_file(folder_ / "log.jsonl"), output({"export"}));
  auto imported = json::parse(output({"import", "log.jsonl", "--dir", "new", "--json"}));
  EXPECT_EQ(imported.at("events"), 10);
  EXPECT_EQ(imported.at("frames"), 4);
  EXPECT_EQ(names(), (std::set<std::string>{"log", "log.jsonl", "new"}));
}

TEST_F(LogExport, SaysWhichLinesBeginAFrame) {
  std::vector<int> begin;
  auto lines = lines_of(output({"export"}));
  for (std::size_t i = 1; i < lines.size(); ++i) {
    auto line = json::parse(lines[i]);
    EXPECT_EQ(line.at("position"), i);
    if (line.value("frame", false)) begin.push_back(line.at("position"));
  }
  EXPECT_EQ(begin, (std::vector<int>{1, 3, 6, 7}));
}

TEST_F(LogExport, ComesBackForAnEmptyLog) {
  fs::remove_all(log_folder());
  { TestLog empty(log_folder()); }
  auto text = output({"export"});
  EXPECT_EQ(lines_of(text).size(), 1U);
  EXPECT_EQ(import(text).code, 0);
  EXPECT_EQ(output({"export", "--dir", "new"}), text);
}

TEST_F(LogExport, ComesBackWithEventsOfEveryType) {
  write_frames(log_folder(), {one_of_each(sample_time(30)), one_of_each(sample_time(40))});
  auto text = output({"export"});
  EXPECT_EQ(import(text).code, 0);
  EXPECT_EQ(output({"export", "--dir", "new"}), text);
}

TEST_F(LogExport, WithAFilterIsForReadingAndSaysSo) {
  for (const Words& filter : {Words{"--type", "custom"}, Words{"--limit", "3"}, Words{"--reverse"},
                              Words{"--from", "2"}, Words{"--until", "2026-11-21T10:02:00Z"}}) {
    Words words = {"export"};
    words.insert(words.end(), filter.begin(), filter.end());
    auto text = output(words);
    EXPECT_EQ(json::parse(lines_of(text).at(0)).at("partial"), true) << text;
    expect_refused(text, 7, {"exported with a filter", "without a filter"});
  }
  EXPECT_EQ(lines_of(output({"export", "--type", "custom"})).size(), 1U + 3U);
}

// The sample with its index and without its first two frames.
class TrimmedLogExport : public LogExport {
 protected:
  TrimmedLogExport() {
    fs::remove_all(log_folder());
    // One value of the store each, so that some can go.
    for (auto& frame : sample_frames()) write_frames(log_folder(), {frame});
    TestLog log(log_folder(), {});
    EXPECT_TRUE(log->set_checkpoint(Position(9)));
    EXPECT_EQ(log->trim({.before = Position(6)})->first, Position(6));
  }
  static void expect_known(const fs::path& folder) {
    TestLog log(folder, {});
    EXPECT_EQ(log->version("orders/17"), 2U);
    EXPECT_EQ(log->version("orders/18"), 1U);
    auto repeated = sample_frames().at(1).at(0);
    ASSERT_EQ(repeated.idempotency_key, "k-3");
    auto again = log->append_and_wait(repeated);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->repeated);
    EXPECT_EQ(again->first, Position(3));
  }
};

TEST_F(TrimmedLogExport, SaysThatTheFrontWasRemovedAndComesBackAsTheSameLog) {
  auto exported = log({"export"});
  ASSERT_EQ(exported.code, 0) << exported.errors;
  EXPECT_EQ(exported.errors, "the log begins at position 6: the 5 events in front were removed\n");
  auto head = json::parse(lines_of(exported.output).at(0));
  EXPECT_EQ(head.at("events"), 5);
  EXPECT_EQ(head.at("removed").at("events"), 5);
  EXPECT_FALSE(head.contains("partial"));
  EXPECT_EQ(output({"import", "-", "--dir", "new"}, exported.output),
            "5 events in 2 frames\nlast frame " + head.at("digest").get<std::string>() + "\n");
  EXPECT_EQ(log({"export", "--dir", "new"}).output, exported.output);
  EXPECT_EQ(output({"verify", "--json", "--dir", "new"}), output({"verify", "--json"}));
  EXPECT_EQ(output({"cat", "--dir", "new"}), output({"cat"}));
}

TEST_F(TrimmedLogExport, ComesBackWithItsCheckpoint) {
  const auto text = log({"export"}).output;
  EXPECT_EQ(json::parse(lines_of(text).at(0)).at("checkpoint"), 9);
  ASSERT_EQ(import(text).code, 0);
  TestLog copy(folder_ / "new", {});
  EXPECT_EQ(copy->checkpoint(), Position(9));
  EXPECT_TRUE(copy->trim({.before = Position(7)}));
}

// A file of a version that did not write it.
TEST_F(TrimmedLogExport, HasItsCheckpointWhereTheRemovedEventsEndedWhenNothingIsSaid) {
  auto text = log({"export"}).output;
  const std::string said = ",\"checkpoint\":9";
  text.erase(text.find(said), said.size());
  ASSERT_EQ(import(text).code, 0);
  EXPECT_EQ(TestLog(folder_ / "new", {})->checkpoint(), Position(5));
}

TEST_F(LogExport, ComesBackWithItsCheckpoint) {
  EXPECT_EQ(output({"export"}).find("checkpoint"), std::string::npos);
  ASSERT_TRUE(TestLog(log_folder(), {})->set_checkpoint(Position(3)));
  ASSERT_EQ(import(output({"export"})).code, 0);
  EXPECT_EQ(TestLog(folder_ / "new", {})->checkpoint(), Position(3));
}

// Puts something else into the index under this name, past everything that would notice.
void spoil_record(const fs::path& store, const IndexKey& name) {
  auto key = stored_key(IndexTable::streams, name);
  std::string other = "something else";
  MDB_val key_bytes{key.size(), key.data()};
  MDB_val value{other.size(), other.data()};
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi index = 0;
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_set_maxdbs(env, 8), 0);
  ASSERT_EQ(mdb_env_open(env, store.c_str(), 0, 0600), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, "index", 0, &index), 0);
  ASSERT_EQ(mdb_put(txn, index, &key_bytes, &value, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
}

TEST_F(TrimmedLogExport, OfADamagedIndexSaysSoAndComesBackWithItsEvents) {
  { TestLog closed(log_folder(), {}); }
  spoil_record(log_folder() / "log", index_key("orders/17"));
  {
    TestLog spoiled(log_folder(), {});
    auto version = spoiled->version("orders/17");
    ASSERT_FALSE(version);
    EXPECT_NE(version.error().next_step.find("import it into a new folder"), std::string::npos);
  }
  auto exported = log({"export"});
  ASSERT_EQ(exported.code, 0) << exported.errors;
  EXPECT_NE(exported.errors.find("lacks versions and keys of the removed events"),
            std::string::npos)
      << exported.errors;
  ASSERT_EQ(import(exported.output).code, 0);
  EXPECT_EQ(output({"cat", "--dir", "new"}), output({"cat"}));
  TestLog copy(folder_ / "new", {});
  EXPECT_EQ(copy->version("orders/17"), 0U);
}

TEST_F(TrimmedLogExport, ComesBackWithTheVersionsAndKeysOfWhatWasRemoved) {
  EXPECT_EQ(import(log({"export"}).output).code, 0);
  expect_known(log_folder());
  expect_known(folder_ / "new");
}

TEST_F(TrimmedLogExport, CountsOnFromTheVersionsOfWhatWasRemoved) {
  for (int round = 0; round < 2; ++round) {
    Event event{.at = sample_time(20 + round), .stream = "orders/17", .body = EngineStopped{}};
    TestLog log(log_folder(), {});
    ASSERT_TRUE(log.append({event}));
  }
  EXPECT_EQ(import(log({"export"}).output).code, 0);
  TestLog copy(folder_ / "new", {});
  EXPECT_EQ(copy->version("orders/17"), 4U);
}

TEST_F(TrimmedLogExport, IsRefusedWhereWhatItSaysOfTheRemovedEventsIsWrong) {
  const auto text = log({"export"}).output;
  auto changed = [&](const std::string& from, const std::string& to) {
    auto copy = text;
    auto at = copy.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? copy : copy.replace(at, from.size(), to);
  };
  expect_refused(changed("\"removed\":{\"events\":5", "\"removed\":{\"events\":4"), 2,
                 {"event 6 stands where 5 should"});
  expect_refused(changed("\"removed\":{\"events\":5", "\"removed\":{\"events\":\"5\""), 2,
                 {"what it says of removed events"});
  expect_refused(changed("\"removed\":\"stream\",\"name\"", "\"removed\":\"stream\",\"nam\""), 2,
                 {"standard input:2:", "a removed stream or key"});
  for (const char* checkpoint : {"4", "11", "-1", "\"10\""}) {
    expect_refused(changed("\"checkpoint\":9", std::string("\"checkpoint\":") + checkpoint), 2,
                   {"its checkpoint is not one of its positions"});
  }
  const auto lines = lines_of(text);
  expect_refused(lines.at(0) + "\n", 2, {"ends with event 5 of 10", "cut short"});
}

TEST_F(LogExport, NamesTheLineAndTheColumnOfWhatIsWrongAndLeavesNothing) {
  const auto lines = lines_of(output({"export"}));
  auto changed = [&](std::size_t line, const std::string& from, const std::string& to) {
    auto copy = lines;
    auto at = copy.at(line - 1).find(from);
    EXPECT_NE(at, std::string::npos) << copy.at(line - 1);
    copy.at(line - 1).replace(at, from.size(), to);
    return joined(copy);
  };
  expect_refused(changed(5, "}", ""), 2, {"standard input:5:", "not valid JSON"});
  expect_refused(changed(7, "\"code\":1", "\"code\":\"1\""), 2,
                 {"standard input:7:", "'code' is not a whole number"});
  expect_refused(changed(8, "\"message\"", "\"mesage\""), 2,
                 {"standard input:8:", "'mesage'", "did you mean 'message'?"});
  expect_refused(changed(4, "\"position\":3", "\"position\":4"), 2,
                 {"standard input:4:2: event 4 stands where 3 should"});
  expect_refused(changed(2, "\"frame\":true,", ""), 2,
                 {"standard input:2:2: the first event begins no frame"});
  expect_refused(changed(5, "T10:03", "T10:01"), 2,
                 {"standard input:5:", "older than the one before it"});
  expect_refused(changed(5, "T10:03", "T12:03"), 2, {"standard input:5:", "over 71 minutes"});
}

TEST_F(LogExport, RefusesAFirstLineThatIsNone) {
  auto text = output({"export"});
  auto rest = text.substr(text.find('\n'));
  for (const auto* head :
       {"", "{}", "[]", "{\"almanac\":\"log\"}", "{\"almanac\":\"log\",\"format\":1}",
        "{\"almanac\":\"log\",\"format\":1,\"timeline\":\"xyz\",\"events\":10}"}) {
    expect_refused(head + rest, 2, {"standard input:1: the first line"});
  }
  auto newer = text;
  newer.replace(newer.find("\"format\":1"), 10, "\"format\":2");
  expect_refused(newer, 2, {"format 2", "later one"});
}

TEST_F(LogExport, RefusesAFileThatWasCutShort) {
  auto lines = lines_of(output({"export"}));
  while (lines.size() > 1) {
    lines.pop_back();
    expect_refused(joined(lines), 2,
                   {"ends with event " + std::to_string(lines.size() - 1) + " of 10", "cut short"});
  }
}

TEST_F(LogExport, RefusesAFileThatWasChangedUnlessItSaysNothingOfADigest) {
  auto text = output({"export"});
  auto at = text.find("disk full");
  text.replace(at, 9, "disk fine");
  expect_refused(text, 2, {"was changed after it was exported", "\"digest\""});
  auto digest = text.find(",\"digest\"");
  text.erase(digest, text.find('}') - digest);
  EXPECT_EQ(import(text).code, 0);
  EXPECT_EQ(log({"grep", "disk fine", "-c", "--dir", "new"}).output, "1\n");
}

TEST_F(LogExport, EndsWhereTheLogEndedWhenItBegan) {
  auto text = output({"export"});
  write_frames(log_folder(), {{{.at = sample_time(20), .body = EngineStopped{}}}});
  EXPECT_EQ(import(text).code, 0);
  EXPECT_EQ(lines_of(output({"export"})).size(), 1U + 11U);
}

TEST_F(LogExport, LeavesALinkToADeviceALink) {
  fs::create_symlink("/dev/null", folder_ / "link");
  EXPECT_EQ(output({"export", "-o", "link"}), "");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
}

}  // namespace
}  // namespace almanac::test
