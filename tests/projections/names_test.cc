// Names have small numbers that depend on nothing but the order in which they appeared.
#include <almanac/projections/names.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace almanac::test {
namespace {

Digest digest_of(const Names& names) {
  StateHasher hasher;
  names.hash_into(hasher);
  return hasher.finish();
}

TEST(Names, AreNumberedInOrderOfFirstAppearance) {
  Names names;
  EXPECT_EQ(names.intern("b").value, 0U);
  EXPECT_EQ(names.intern("a").value, 1U);
  EXPECT_EQ(names.intern("b").value, 0U);
  EXPECT_EQ(names.intern("").value, 2U);
  EXPECT_EQ(names.size(), 3U);
}

TEST(Names, AreFoundByTextAndByNumber) {
  Names names;
  NameId mail = names.intern("mail");
  EXPECT_EQ(names.find("mail"), mail);
  EXPECT_EQ(names.text(mail), "mail");
  EXPECT_EQ(names.find("mai"), std::nullopt);
  EXPECT_EQ(names.size(), 1U);
}

TEST(Names, AreBytesOfAnyKind) {
  Names names;
  const std::string odd("a\0b\xff", 4);
  EXPECT_EQ(names.text(names.intern(odd)), odd);
  EXPECT_EQ(names.find("a"), std::nullopt);
}

TEST(Names, OfACopyNeverChange) {
  Names names;
  names.intern("a");
  Names copy = names;
  auto before = digest_of(copy);
  names.intern("b");
  EXPECT_EQ(copy.size(), 1U);
  EXPECT_EQ(copy.find("b"), std::nullopt);
  EXPECT_EQ(digest_of(copy), before);
  EXPECT_NE(digest_of(names), before);
}

TEST(Names, HashByOrder) {
  Names one;
  Names other;
  one.intern("a");
  one.intern("b");
  other.intern("b");
  other.intern("a");
  EXPECT_NE(digest_of(one), digest_of(other));
}

RC_GTEST_PROP(Names, BehaveLikeAListWithoutRepeats, (const std::vector<std::string>& texts)) {
  Names names;
  std::vector<std::string> list;
  for (const std::string& text : texts) {
    auto found = std::ranges::find(list, text);
    auto expected = static_cast<std::uint32_t>(found - list.begin());
    if (found == list.end()) list.push_back(text);
    RC_ASSERT(names.intern(text).value == expected);
  }
  RC_ASSERT(names.size() == list.size());
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    RC_ASSERT(names.text(NameId{i}) == list[i]);
    RC_ASSERT(names.find(list[i]) == NameId{i});
  }
}

}  // namespace
}  // namespace almanac::test
