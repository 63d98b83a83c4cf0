// A daemon whose disk is full says so to who asks whether it is ready, and for how long.
#include <almanac/log/limits.h>
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/small_disk.h>

#include <filesystem>
#include <string>

namespace almanac::test {
namespace {

class FullDiskDoor : public DaemonTest {
 protected:
  void expect_full(bool is_full) {
    EXPECT_EQ(client().ask("GET", "/readyz").status, is_full ? 507 : 200);
    EXPECT_EQ(client().ask("GET", "/health").json()["status"], is_full ? "unhealthy" : "healthy");
    const std::string figure = is_full ? "\nalmanac_log_full 1\n" : "\nalmanac_log_full 0\n";
    EXPECT_NE(client().ask("GET", "/metrics").body.find(figure), std::string::npos);
    EXPECT_EQ(client().ask("GET", "/livez").status, 200);
  }
};

TEST_F(FullDiskDoor, IsNotReadyUntilThereIsRoom) {
  std::filesystem::create_directory(folder / "disk");
  const SmallDisk disk(folder / "disk", 128 * limits::mebibyte);
  std::filesystem::create_directory(disk.path() / "log");
  std::filesystem::create_directory_symlink(disk.path() / "log", log_folder());
  open();
  expect_full(false);
  disk.fill();
  expect_full(false);  // nothing has met it yet
  const std::string task =
      R"({"kind": "none", "payload": ")" + std::string(16 << 10, 'x') + R"("})";
  int status = 201;
  while (status == 201) status = client().ask("POST", "/v1/tasks", task).status;
  EXPECT_EQ(status, 507);
  expect_full(true);
  disk.make_room();
  expect_full(false);  // though nobody has written since
  EXPECT_FALSE(daemon->engine().has_room());
}

}  // namespace
}  // namespace almanac::test
