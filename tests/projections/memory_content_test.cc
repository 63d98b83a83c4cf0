// What entries of users say: sealed, opened, and for which place.
#include <almanac/projections/memory_content.h>
#include <almanac/tests/support/user_key.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

const PersonalMemory said{"She likes the sea", "the sea", "12345678", "{\"turn\":3}", {"a", "b"}};
constexpr MemoryPlace place{"ann", MemoryId(7)};

SealedContent sealed_with(const EncryptionKey& key) {
  return {.key = {}, .dimension = said.dimension(), .bytes = SharedText(seal(said, place, key))};
}

TEST(MemoryContent, IsWhatWasSealed) {
  const UserKey key = key_named("ann");
  EXPECT_EQ(open_memory(sealed_with(*key.key), place, *key.key).value(), said);
  PersonalMemory little{.content = "x", .summary = {}, .embedding = {}, .metadata = {}, .tags = {}};
  SealedContent sealed;
  sealed.bytes = SharedText(seal(little, place, *key.key));
  EXPECT_EQ(open_memory(sealed, place, *key.key).value(), little);
  EXPECT_NE(seal(said, place, *key.key), seal(said, place, *key.key)) << "other bytes each time";
}

TEST(MemoryContent, OpensForItsEntryOfItsUserAlone) {
  const UserKey key = key_named("ann");
  const SealedContent sealed = sealed_with(*key.key);
  const auto code = [&](const SealedContent& content, const MemoryPlace& of,
                        const EncryptionKey& with) {
    const auto open = open_memory(content, of, with);
    return open ? "ok" : std::string(name(open.error().code));
  };
  EXPECT_EQ(code(sealed, place, *key.key), "ok");
  EXPECT_EQ(code(sealed, {"ann", MemoryId(8)}, *key.key), "corrupt") << "of another entry";
  EXPECT_EQ(code(sealed, {"bob", MemoryId(7)}, *key.key), "corrupt") << "of another user";
  EXPECT_EQ(code(sealed, place, *key_named("bob").key), "corrupt") << "with another key";
  SealedContent longer = sealed;
  longer.dimension = 3;
  EXPECT_EQ(code(longer, place, *key.key), "corrupt") << "what stands in the clear is proved too";
}

TEST(MemoryContent, EveryByteIsProved) {
  const UserKey key = key_named("ann");
  const std::string whole = seal(said, place, *key.key);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const SealedContent content{{}, said.dimension(), SharedText(changed)};
    EXPECT_FALSE(open_memory(content, place, *key.key)) << "byte " << i;
    const SealedContent cut{{}, said.dimension(), SharedText(whole.substr(0, i))};
    EXPECT_FALSE(open_memory(cut, place, *key.key)) << "cut at " << i;
  }
}

TEST(MemoryContent, OpensAnEntryWithItsTexts) {
  const UserKey key = key_named("ann");
  Memory memory;
  memory.sealed = sealed_with(*key.key);
  EXPECT_FALSE(memory.is_readable());
  EXPECT_EQ(dimension_of(memory), 2U);
  const auto open = open_memory(memory, place, *key.key);
  ASSERT_TRUE(open) << describe(open.error());
  EXPECT_TRUE((*open)->is_readable());
  EXPECT_EQ(content_of(**open).summary, "the sea");
  EXPECT_EQ(embedding_of(**open).size(), 2U);
  EXPECT_EQ(tags_of(Names(), **open), (std::vector<std::string_view>{"a", "b"}));
}

}  // namespace
}  // namespace almanac::test
