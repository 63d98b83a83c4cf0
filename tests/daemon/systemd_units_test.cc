// The units for systemd, held against systemd's own check where there is one.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace almanac::test {
namespace {

class SystemdUnits : public testing::Test {
 protected:
  // What the check complains of. The program is there, and not where it will be installed.
  std::string complaints(std::string service) {
    const std::string installed = "/usr/local/bin/almanac";
    const auto at = service.find(installed);
    EXPECT_NE(at, service.npos);
    service.replace(at, installed.size(), almanac_path());
    write_file(folder_ / "almanac.service", service);
    write_file(folder_ / "almanac.socket",
               read_file(source_path("examples/systemd/almanac.socket")));
    const std::string path = folder_.path().string();
    const std::string line = "cd '" + path +
                             "' && systemd-analyze --man=no verify ./almanac.service "
                             "./almanac.socket > said 2>&1";
    EXPECT_EQ(std::system(line.c_str()), 0) << line;
    return read_file(folder_ / "said");
  }
  static bool has_systemd() {
    const bool has = std::system("command -v systemd-analyze > /dev/null") == 0;
    if (!has) std::puts("not checked: there is no systemd-analyze here");
    return has;
  }
  TempFolder folder_;
};

TEST_F(SystemdUnits, AreUnderstoodWithoutAWord) {
  if (!has_systemd()) return;
  EXPECT_EQ(complaints(read_file(source_path("examples/systemd/almanac.service"))), "");
}

TEST_F(SystemdUnits, AWordThatIsNotKnownIsSeen) {
  if (!has_systemd()) return;
  std::string service = read_file(source_path("examples/systemd/almanac.service"));
  const auto at = service.find("Type=notify");
  ASSERT_NE(at, service.npos);
  service.insert(at, "Tipe=notify\n");
  EXPECT_NE(complaints(service).find("Tipe"), std::string::npos);
}

}  // namespace
}  // namespace almanac::test
