// Which addresses only this machine can reach.
#include <almanac/daemon/http_listener.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

TEST(HttpListener, KnowsThisMachineByItsNumbers) {
  for (const char* own : {"127.0.0.1:7411", "127.1.2.3:0", "[::1]:7411", "localhost:7411"}) {
    EXPECT_TRUE(is_loopback(own)) << own;
  }
  for (const char* other : {"127.example.org:80", "127.0.0.1.example.org:80", "0.0.0.0:80",
                            "[::]:80", "10.0.0.1:80", "localhost.example.org:80", "127.0.0.1"}) {
    EXPECT_FALSE(is_loopback(other)) << other;
  }
}

}  // namespace
}  // namespace almanac::test
