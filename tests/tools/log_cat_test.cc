// `almanac log cat` and `almanac log grep`: which events they print.
#include <almanac/tests/support/log_commands.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using Positions = std::vector<int>;

class LogCat : public LogCommands {
 protected:
  LogCat() { write_frames(log_folder(), sample_frames()); }
};

TEST_F(LogCat, PrintsEveryEventOnALineOfItsOwn) {
  auto lines = lines_of(output({"cat"}));
  ASSERT_EQ(lines.size(), 10U);
  EXPECT_EQ(lines.at(2),
            "       3  2026-11-21T10:02:00.000000Z  custom               custom_type=invoice.paid"
            "  data={\"cents\":1700}  key=k-3  stream=orders/17");
  EXPECT_EQ(lines.at(4),
            "       5  2026-11-21T10:04:00.000000Z  custom               custom_type=scan"
            "  data=hex:00ff01  stream=orders/18");
  EXPECT_EQ(positions({"cat"}), (Positions{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

TEST_F(LogCat, ChoosesByPosition) {
  EXPECT_EQ(positions({"cat", "--from", "4", "--to", "6"}), (Positions{4, 5, 6}));
  EXPECT_EQ(positions({"cat", "--from", "9"}), (Positions{9, 10}));
  EXPECT_EQ(positions({"cat", "--from", "11"}), Positions());
}

TEST_F(LogCat, ChoosesByTime) {
  EXPECT_EQ(positions({"cat", "--since", "2026-11-21T10:07:00Z"}), (Positions{8, 9, 10}));
  EXPECT_EQ(positions({"cat", "--until", "2026-11-21T12:01:00+02:00"}), (Positions{1, 2}));
  EXPECT_EQ(
      positions({"cat", "--since", "2026-11-21T10:02:30Z", "--until", "2026-11-21T10:04:00Z"}),
      (Positions{4, 5}));
  EXPECT_EQ(positions({"cat", "--since", "2226-11-21T10:02:30Z"}), Positions());
}

TEST_F(LogCat, ChoosesByStreamTypeAndStory) {
  EXPECT_EQ(positions({"cat", "--stream", "orders/17"}), (Positions{3, 4}));
  EXPECT_EQ(positions({"cat", "--type", "TaskFailed"}), (Positions{7}));
  EXPECT_EQ(positions({"cat", "--type", "custom"}), (Positions{3, 4, 5}));
  EXPECT_EQ(positions({"cat", "--type", "invoice.sent", "--type", "TaskFailed"}),
            (Positions{4, 7}));
  EXPECT_EQ(positions({"cat", "--correlation", "3"}), (Positions{3, 4, 9}));
  EXPECT_EQ(positions({"cat", "--correlation", "3", "--stream", "orders/17", "--from", "4"}),
            (Positions{4}));
}

TEST_F(LogCat, TakesSoManyFromEitherEnd) {
  EXPECT_EQ(positions({"cat", "--limit", "2"}), (Positions{1, 2}));
  EXPECT_EQ(positions({"cat", "--limit", "2", "--reverse"}), (Positions{10, 9}));
  EXPECT_EQ(positions({"cat", "--reverse", "--stream", "orders/17"}), (Positions{4, 3}));
}

TEST_F(LogCat, HelpsWhenATypeWasMistyped) {
  auto done = log({"cat", "--type", "TaskFaild"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.output, "");
  EXPECT_EQ(done.errors, "almanac: no event is of type 'TaskFaild'; did you mean 'TaskFailed'?\n");
}

using LogGrep = LogCat;

TEST_F(LogGrep, FindsAFixedTextWhereverAnEventHoldsOne) {
  EXPECT_EQ(positions({"grep", "disk full"}), (Positions{6}));
  EXPECT_EQ(positions({"grep", "disk full", "-i"}), (Positions{6, 7}));
  EXPECT_EQ(positions({"grep", "curl"}), (Positions{1})) << "in a payload";
  EXPECT_EQ(positions({"grep", "no space"}), (Positions{6})) << "in an output";
  EXPECT_EQ(positions({"grep", "fetch"}), (Positions{1})) << "in a label";
  EXPECT_EQ(positions({"grep", "orders/1"}), (Positions{3, 4, 5})) << "in a stream";
  EXPECT_EQ(positions({"grep", "k-3"}), (Positions{3})) << "in a key";
  EXPECT_EQ(positions({"grep", "invoice."}), (Positions{3, 4})) << "in a custom type";
  EXPECT_EQ(positions({"grep", "slow"}), (Positions{9})) << "in a name";
  EXPECT_EQ(positions({"grep", "EngineStopped"}), (Positions{10})) << "in the type";
  EXPECT_EQ(log({"grep", "d.sk"}).code, 1);
}

TEST_F(LogGrep, FindsARegularExpressionLineByLine) {
  EXPECT_EQ(positions({"grep", "-E", "d(i|e)sk +full"}), (Positions{6}));
  EXPECT_EQ(positions({"grep", "-E", "-i", "^d.sk full"}), (Positions{6, 7}));
  EXPECT_EQ(positions({"grep", "-E", "^failed: .*space$"}), (Positions{6}));
  EXPECT_EQ(positions({"grep", "-E", "^orders/[0-9]+$"}), (Positions{3, 4, 5}));
  EXPECT_EQ(log({"grep", "-E", "writing.failed"}).code, 1) << "over the end of a line";
}

TEST_F(LogGrep, CountsAndTellsByItsExitCodeWhetherThereIsAny) {
  EXPECT_EQ(output({"grep", "-c", "invoice"}), "2\n");
  EXPECT_EQ(output({"grep", "-c", "invoice", "--json"}), "{\"count\":2}\n");
  EXPECT_EQ(output({"grep", "-c", "invoice", "--type", "invoice.sent"}), "1\n");
  EXPECT_EQ(positions({"grep", "e", "--limit", "1", "--reverse"}), (Positions{10}));
  for (const Words& words : {Words{"grep", "elephant"}, Words{"grep", "invoice", "--to", "1"}}) {
    auto done = log(words);
    EXPECT_EQ(done.code, 1);
    EXPECT_EQ(done.output + done.errors, "");
  }
  EXPECT_EQ(log({"grep", "-c", "elephant"}).output, "0\n");
}

// What std::regex does with this ends the process.
TEST_F(LogGrep, OutlivesALongTextWithoutALineEnd) {
  std::string megabytes(4'000'000, 'a');
  write_frames(log_folder(),
               {{{.at = sample_time(10), .body = CustomEvent{"long", as_bytes(megabytes)}}}});
  EXPECT_EQ(log({"grep", "-E", "(a|b)*c$", "--type", "long"}).code, 1);
  EXPECT_EQ(output({"grep", "-E", "(a|b)+$", "-c", "--type", "long"}), "1\n");
}

}  // namespace
}  // namespace almanac::test
