// Which addresses only this machine can reach.
#include <almanac/daemon/http_listener.h>

#include <gtest/gtest.h>
#include <sys/socket.h>

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

// Whoever waits for a daemon by connecting to it finds it when it serves.
TEST(HttpListener, HasAnAddressBeforeAnybodyCanConnect) {
  const auto bound = bind_tcp("127.0.0.1:0");
  ASSERT_TRUE(bound);
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(bound->socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const auto connects = [&] {
    const FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
  };
  EXPECT_FALSE(connects());
  ASSERT_TRUE(begin_listening(*bound));
  EXPECT_TRUE(connects());
  EXPECT_EQ(bind_tcp(bound->name).error().code, ErrorCode::conflict);
}

}  // namespace
}  // namespace almanac::test
