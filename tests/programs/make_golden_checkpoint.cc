// Writes a checkpoint and prints one of its files, for new files in tests/snapshots/golden/ when
// the format gets a new version. The files of older versions are never written again.
//
//   make_golden_checkpoint FOLDER own > tests/snapshots/golden/checkpoint_vN.txt
//   make_golden_checkpoint FOLDER blocks > tests/snapshots/golden/checkpoint_blocks_vN.txt
//
// First comes the digest of the state, then its position, then the size of the file and its bytes
// (golden_rows.h).
#include <almanac/snapshots/shared_checkpoint.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/golden_rows.h>

#include <iostream>
#include <string>
#include <string_view>

int main(int count, char** arguments) {
  using namespace almanac;
  if (count != 3) return 2;
  const auto story = test::full_story(200);
  const State& state = story.state();
  CheckpointHeader header{.position = state.position, .state = digest(state)};
  header.timeline.fill(std::byte{3});
  header.chain.fill(std::byte{5});
  const std::filesystem::path folder = arguments[1];
  const auto file = folder / std::to_string(state.position.value);
  if (!write_shared_checkpoint(file, header, state, {}, 0)) return 1;
  const bool is_own = std::string_view(arguments[2]) == "own";
  const auto bytes = test::read_file(is_own ? file : blocks_file(folder, state.position));
  std::cout << to_hex(header.state) << '\n' << state.position.value << '\n' << bytes.size() << '\n';
  test::print_rows(std::cout, bytes);
}
