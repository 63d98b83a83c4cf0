// A state in a file: what programs have beside their tasks.
#include <almanac/projections/invariants.h>
#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/tests/support/checkpoint_file.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>

namespace almanac::test {
namespace {

TEST(CheckpointOfPrograms, HoldsWhatIsOnRecordOfHealthAndAStateWithoutIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  const auto without = encode(story.state());
  State with = story.state();
  with.health = {
      .health = Health::degraded, .changed = with.position, .since = with.time, .changes = 3};
  const auto whole = encode(with);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
  tell_health(story);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.health == story.state().health);
  EXPECT_NE(to_hex(digest(with)), to_hex(digest(full_story(21).state())));
}

TEST(CheckpointOfPrograms, HoldsGpusAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_gpus(story);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.gpu.devices == story.state().gpu.devices);
  EXPECT_TRUE(read.state.gpu.heaps == story.state().gpu.heaps);
  EXPECT_TRUE(read.state.gpu.samples == story.state().gpu.samples);
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.gpu = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(CheckpointOfPrograms, HoldsPoolsAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_pools(story);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.pools.all == story.state().pools.all);
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.pools = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(CheckpointOfPrograms, HoldsAdvisorsAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_advisors(story);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.advisors.all == story.state().advisors.all);
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.advisors = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(CheckpointOfPrograms, HoldsAuditsAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_audits(story);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.audits.principals == story.state().audits.principals);
  EXPECT_TRUE(read.state.audits.requests == story.state().audits.requests);
  EXPECT_TRUE(read.state.audits.refusals == story.state().audits.refusals);
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.audits = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(CheckpointOfPrograms, HoldsKeysOfCustomEventsAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  for (const char* key : {"one", "two", "three"}) {
    story.tell(CustomEvent{"Noted", as_bytes(std::string_view(key))}, key);
  }
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.custom_keys.uses == story.state().custom_keys.uses);
  EXPECT_TRUE(read.state.custom_keys.by_position == story.state().custom_keys.by_position);
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.custom_keys = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(CheckpointOfPrograms, HoldsMemoriesAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_memories(story);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.memories.all == story.state().memories.all);
  EXPECT_TRUE(broken_invariants(read.state).empty());
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.memories = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(CheckpointOfPrograms, HoldsWhatIsSealedOfMemories) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_memories(story);
  tell_sealed_memories(story);
  const Memories& memories = story.state().memories;
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.memories.all == memories.all);
  EXPECT_TRUE(read.state.memories.kinds == memories.kinds);
  EXPECT_TRUE(read.state.memories.user_keys == memories.user_keys);
  EXPECT_TRUE(broken_invariants(read.state).empty());
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.memories = {};
  without_any.contexts = {};
  const auto without = encode(without_any);
  int read_so = 0;
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    read_so += decode_state(Bytes(whole).first(length)) ? 1 : 0;
  }
  EXPECT_EQ(read_so, 2) << "where a part ends, which the file's checksum forbids";
}

TEST(CheckpointOfPrograms, HoldsModelsAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  const std::uint64_t ignored = story.state().ignored;
  tell_models(story);
  ASSERT_EQ(story.state().ignored, ignored);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.models.all == story.state().models.all);
  EXPECT_EQ(broken_invariants(read.state), std::vector<std::string>());
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.models = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  int read_so = 0;
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    read_so += decode_state(Bytes(whole).first(length)) ? 1 : 0;
  }
  EXPECT_EQ(read_so, 1) << "where a part ends, which the file's checksum forbids";
}

TEST(CheckpointOfPrograms, HoldsNoModelInAStateThatThereIsNot) {
  Story story;
  tell_gpus(story);
  tell_models(story);
  State state = story.state();
  Model& model = *state.models.all.edit(*state.names.find("resident"));
  ASSERT_TRUE(decode_state(encode(state)));
  model.state = static_cast<ModelState>(model_state_count);
  EXPECT_FALSE(decode_state(encode(state)));
  model.state = ModelState::absent;
  EXPECT_FALSE(decode_state(encode(state))) << "and somewhere";
}

TEST(CheckpointOfPrograms, HoldsContextsAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_contexts(story);
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  const Contexts& contexts = read.state.contexts;
  EXPECT_TRUE(*contexts.find("ann") == *story.state().contexts.find("ann"));
  EXPECT_TRUE(*contexts.find("bob") == *story.state().contexts.find("bob"));
  EXPECT_TRUE(contexts.destroyed == story.state().contexts.destroyed);
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.contexts = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(CheckpointOfPrograms, HoldsCircuitsAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_circuits(story);
  ASSERT_FALSE(story.state().circuits.probes.empty());
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.circuits.all == story.state().circuits.all);
  EXPECT_TRUE(read.state.circuits.due == story.state().circuits.due);
  EXPECT_EQ(broken_invariants(read.state), std::vector<std::string>());
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.circuits = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

TEST(CheckpointOfPrograms, HoldsComponentsAndAStateWithoutAnyIsAsItWas) {
  const TempFolder folder;
  Story story = full_story(21);
  tell_components(story);
  ASSERT_TRUE(story.state().components.running());
  const auto read = written_and_read(folder / "one", story.state());
  EXPECT_EQ(to_hex(digest(read.state)), to_hex(digest(story.state())));
  EXPECT_TRUE(read.state.components.implementations == story.state().components.implementations);
  EXPECT_EQ(broken_invariants(read.state), std::vector<std::string>());
  const auto whole = encode(story.state());
  State without_any = story.state();
  without_any.components = {};
  const auto without = encode(without_any);
  ASSERT_TRUE(std::ranges::equal(without, Bytes(whole).first(without.size())));
  for (std::size_t length = without.size() + 1; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_state(Bytes(whole).first(length))) << "length " << length;
  }
}

}  // namespace
}  // namespace almanac::test
