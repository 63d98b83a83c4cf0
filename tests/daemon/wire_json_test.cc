// JSON of the wire as slices of its text.
#include <almanac/daemon/wire_json.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

using namespace std::string_literals;

TEST(WireJson, GivesPartsAsTheyStoodThere) {
  const std::string json = R"( {"a" : [1e400, 12345678901234567890 ,{"b":null}], "n":-0.10,)"
                           R"("s":"\u00e9\n", "t":true, "o":{ "x" : [] }} )";
  const auto members = parse_wire_object(json);
  ASSERT_TRUE(members) << members.error().message;
  ASSERT_EQ(members->size(), 5U);
  EXPECT_EQ(find_member(*members, "a")->text, R"([1e400, 12345678901234567890 ,{"b":null}])");
  EXPECT_EQ(find_member(*members, "n")->text, "-0.10");
  EXPECT_EQ(find_member(*members, "s")->string, "é\n");
  EXPECT_EQ(find_member(*members, "t")->text, "true");
  EXPECT_EQ(find_member(*members, "o")->text, R"({ "x" : [] })");
  EXPECT_EQ(find_member(*members, "A"), nullptr);
}

TEST(WireJson, TakesTheLastOfANameAndNullForNothing) {
  const auto members = parse_wire_object(R"({"a":1,"a":2,"b":3,"b":null})");
  ASSERT_TRUE(members);
  EXPECT_EQ(find_member(*members, "a")->text, "2");
  EXPECT_EQ(find_member(*members, "b"), nullptr);
}

TEST(WireJson, RefusesWhatIsNotOneValueOfItsKind) {
  for (const std::string& json :
       {""s, "{"s, "[]"s, "7"s, "{} x"s, "{}\0"s, "{}\0x"s, "{\"a\":\"\xff\"}"s, "{\"a\":01}"s,
        "{\"a\":\"\xed\xa0\x80\"}"s, "{'a':1}"s, "{\"a\":1,}"s, "{\"a\":\"\n\"}"s, "nul"s}) {
    EXPECT_FALSE(parse_wire_object(json)) << json;
  }
  EXPECT_FALSE(parse_wire_list("{}"));
  const std::string deep(wire_json_depth_max + 1, '[');
  EXPECT_EQ(parse_wire_list(deep + std::string(deep.size(), ']')).error().message,
            "it is nested too deep, at byte 1000");
  EXPECT_TRUE(parse_wire_list(deep.substr(1) + std::string(deep.size() - 1, ']')));
}

TEST(WireJson, TakesNumbersThatNoDoubleHolds) {
  const std::string long_number(1'000, '9');
  const std::string json = "[" + long_number + ",-0,0.5e-99999,1E+400]";
  const auto list = parse_wire_list(json);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->front().text, long_number);
  for (const char* wrong :
       {"[-]", "[1.]", "[.5]", "[1e]", "[+1]", "[0x1]", "[1e+]", "[--1]", "[00]"}) {
    EXPECT_FALSE(parse_wire_list(wrong)) << wrong;
  }
}

TEST(WireJson, DecodesTexts) {
  const auto text = [](const std::string& json) {
    const auto list = parse_wire_list("[" + json + "]");
    return list ? list->front().string : "(refused)";
  };
  EXPECT_EQ(text(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(text(R"("\u0041\u00e9\u20ac\ud83d\ude00")"), "Aé€😀");
  for (const char* wrong : {R"("\x")", R"("\u12")", R"("\u12g4")", R"("\ud83d")", R"("\ude00")",
                            R"("\ud83d\u0041")", R"("\")", R"("a)", "\"a\tb\""}) {
    EXPECT_EQ(text(wrong), "(refused)") << wrong;
  }
}

TEST(WireJson, KnowsWholeNumbers) {
  const auto number = [](std::string_view text) {
    return wire_whole_number({WireKind::number, text, {}});
  };
  EXPECT_EQ(number("-7"), -7);
  EXPECT_EQ(number("25.0"), std::nullopt);
  EXPECT_EQ(number("1e3"), std::nullopt);
  EXPECT_EQ(number("9223372036854775808"), std::nullopt);
  EXPECT_EQ(wire_whole_number({WireKind::string, "7", "7"}), std::nullopt);
}

TEST(WireJson, QuotesWhateverTheTextIs) {
  EXPECT_EQ(wire_quoted("a\"\\\n\x01 é"), R"("a\"\\\n\u0001 é")");
  EXPECT_EQ(wire_quoted("\xff\xc3"), R"("\ufffd\ufffd")");
}

TEST(WireJson, LeavesOutSpaceBetweenPartsAlone) {
  EXPECT_EQ(wire_compact("{ \"a b\" : [ 1,\t\"x \\\" <y>\" ] }"),
            R"({"a b":[1,"x \" \u003cy\u003e"]})");
}

}  // namespace
}  // namespace almanac::test
