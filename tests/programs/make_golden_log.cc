// Writes a log and prints it, for a new file in tests/log/golden/ when the format gets a new
// version. The files of older versions are never written again.
//
//   make_golden_log DIR > tests/log/golden/log_vN.txt
//
// First come the events, one per line; then, behind a line "data.mdb SIZE", every 32 bytes of the
// file that are not all zero, as "OFFSET HEX".
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/golden_rows.h>
#include <almanac/tests/support/test_log.h>

#include <iostream>
#include <string>

namespace almanac::test {
namespace {

void write_log(const std::filesystem::path& folder) {
  TestLog log(folder, {.index = false});  // their keys repeat
  const Time start(Duration(1'700'000'000'000'000));
  ALMANAC_CHECK(log.append(one_of_each(start)).has_value());
  // A frame of small events and one that needs pages of its own.
  ALMANAC_CHECK(log.append({{.at = start + std::chrono::seconds(1), .body = TaskReadied{TaskId(1)}},
                            {.at = start + std::chrono::seconds(1), .body = TaskEnqueued{}},
                            {.at = start + std::chrono::seconds(2), .body = EngineStopped{}}})
                    .has_value());
  const std::string data(5'000, '\0');
  ALMANAC_CHECK(log.append({{.at = start + std::chrono::hours(2),
                             .body = CustomEvent{"large", as_bytes(data)}}})
                    .has_value());
  const auto texts = read_texts(*log);
  ALMANAC_CHECK(texts.has_value());
  for (const std::string& text : *texts) std::cout << text << '\n';
}

void print_file(const std::string& bytes) {
  std::cout << "data.mdb " << bytes.size() << '\n';
  print_rows(std::cout, bytes);
}

}  // namespace
}  // namespace almanac::test

int main(int count, char** arguments) {
  if (count != 2) return 2;
  almanac::test::write_log(arguments[1]);
  almanac::test::print_file(
      almanac::test::read_file(std::filesystem::path(arguments[1]) / "log/data.mdb"));
}
