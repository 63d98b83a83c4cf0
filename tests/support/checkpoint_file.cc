#include <almanac/tests/support/checkpoint_file.h>

#include <gtest/gtest.h>

#include <utility>

namespace almanac::test {

CheckpointHeader header_of(const State& state) {
  CheckpointHeader header{.position = state.position, .state = digest(state)};
  header.timeline.fill(std::byte{3});
  header.chain.fill(std::byte{5});
  return header;
}

Checkpoint written_and_read(const std::filesystem::path& file, const State& state) {
  EXPECT_TRUE(write_checkpoint(file, header_of(state), state));
  auto read = read_checkpoint(file);
  EXPECT_TRUE(read.has_value()) << describe(read.error());
  const auto asked = read_checkpoint(file, {}, Loading::as_asked);
  EXPECT_TRUE(asked && digest(asked->state) == digest(state)) << "made as it is asked";
  return read ? *std::move(read) : Checkpoint();
}

}  // namespace almanac::test
