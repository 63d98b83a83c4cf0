// Writes a checkpoint and prints it, for a new file in tests/snapshots/golden/ when the format gets
// a new version. The files of older versions are never written again.
//
//   make_golden_checkpoint FILE > tests/snapshots/golden/checkpoint_vN.txt
//
// First comes the digest of the state, then its position, then the size of the file and its bytes
// (golden_rows.h).
#include <almanac/snapshots/checkpoint.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/golden_rows.h>

#include <iostream>

int main(int count, char** arguments) {
  using namespace almanac;
  if (count != 2) return 2;
  const auto story = test::full_story(60);
  const State& state = story.state();
  CheckpointHeader header{.position = state.position, .state = digest(state)};
  header.timeline.fill(std::byte{3});
  header.chain.fill(std::byte{5});
  if (!write_checkpoint(arguments[1], header, state)) return 1;
  const auto bytes = test::read_file(arguments[1]);
  std::cout << to_hex(header.state) << '\n' << state.position.value << '\n' << bytes.size() << '\n';
  test::print_rows(std::cout, bytes);
}
