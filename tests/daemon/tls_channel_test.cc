// One end of an encrypted connection without a server, so that what its thread did before is known:
// OpenSSL keeps a queue of errors for each thread and not for each connection.
#include <almanac/tests/daemon/tls_client.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/daemon/tls_channel.h>

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

namespace almanac::test {
namespace {

// Both ends of a connection on one thread, neither of which waits.
class ChannelPair {
 public:
  explicit ChannelPair(const std::shared_ptr<const TlsContext>& context)
      : channel(context), context_(SSL_CTX_new(TLS_client_method())) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    server = FileDescriptor(ends[0]);
    client = FileDescriptor(ends[1]);
    ssl = SSL_new(context_);
    SSL_set_fd(ssl, client.get());
    SSL_set_connect_state(ssl);
  }
  ~ChannelPair() {
    SSL_free(ssl);
    SSL_CTX_free(context_);
  }
  ChannelPair(const ChannelPair&) = delete;
  ChannelPair& operator=(const ChannelPair&) = delete;

  // False where they do not agree.
  bool shake_hands() {
    constexpr int rounds_max = 10;
    for (int round = 0; round < rounds_max && !channel.is_open(); ++round) {
      (void)SSL_do_handshake(ssl);
      ERR_clear_error();
      (void)receive();
    }
    return channel.is_open();
  }
  ssize_t receive() {
    errno = 0;
    return channel.receive(server.get(), buffer);
  }

  TlsChannel channel;
  FileDescriptor server;
  FileDescriptor client;
  SSL* ssl = nullptr;
  std::array<char, 65'536> buffer;

 private:
  SSL_CTX* context_;
};

class TlsChannelTest : public ::testing::Test {
 protected:
  TlsChannelTest() {
    const TlsPair pair = make_tls_pair(folder.path(), "channel");
    auto loaded = TlsContext::load(pair.certificate, pair.key);
    EXPECT_TRUE(loaded);
    if (loaded) context = std::move(*loaded);
  }
  TempFolder folder;
  std::shared_ptr<const TlsContext> context;
};

TEST_F(TlsChannelTest, HeedsNoErrorThatAnotherConnectionHasLeft) {
  ChannelPair one(context);
  ASSERT_TRUE(one.shake_hands());
  ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
  EXPECT_EQ(one.receive(), -1);
  EXPECT_EQ(errno, EAGAIN) << "nothing has come";
  EXPECT_EQ(SSL_write(one.ssl, "abc", 3), 3);
  ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
  ASSERT_EQ(one.receive(), 3);
  EXPECT_EQ(std::string(one.buffer.data(), 3), "abc");
}

TEST_F(TlsChannelTest, LeavesNoErrorToAnotherConnection) {
  ERR_clear_error();
  ChannelPair broken(context);
  const std::string plain = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_EQ(::send(broken.client.get(), plain.data(), plain.size(), 0), ssize_t(plain.size()));
  (void)broken.receive();
  EXPECT_EQ(broken.receive(), -1);
  EXPECT_EQ(errno, EPROTO);
  EXPECT_EQ(ERR_peek_error(), 0U);
  EXPECT_EQ(broken.channel.send(broken.server.get(), "abc"), -1) << "it stays so";
  EXPECT_EQ(errno, EPROTO);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

// The socket tells of it once.
TEST_F(TlsChannelTest, GivesAllThatHasComeAtOnce) {
  ChannelPair one(context);
  ASSERT_TRUE(one.shake_hands());
  for (int record = 0; record < 3; ++record) EXPECT_EQ(SSL_write(one.ssl, "abc", 3), 3);
  ASSERT_EQ(one.receive(), 9);
  EXPECT_EQ(std::string(one.buffer.data(), 9), "abcabcabc");
}

TEST_F(TlsChannelTest, EndsWhereTheOtherSideSaysSo) {
  ChannelPair one(context);
  ASSERT_TRUE(one.shake_hands());
  EXPECT_EQ(SSL_write(one.ssl, "abc", 3), 3);
  EXPECT_EQ(SSL_shutdown(one.ssl), 0);
  EXPECT_EQ(one.receive(), 3) << "what came before is read";
  EXPECT_EQ(one.receive(), 0);
}

}  // namespace
}  // namespace almanac::test
