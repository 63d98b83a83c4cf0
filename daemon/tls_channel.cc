#include <almanac/daemon/tls_channel.h>

#include <almanac/daemon/limits.h>
#include <almanac/daemon/secret_file.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace almanac {
namespace {

// A record has at most 16 KiB, and some bytes around it. Who reads has room for two: then nothing
// that came is left behind.
constexpr std::size_t raw_bytes = 17 * limits::kibibyte;
// What is encrypted before the socket has taken it.
constexpr std::size_t unsent_high = 64 * limits::kibibyte;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::unexpected<Error> tls_failure(std::string what, std::string next) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return fail(ErrorCode::invalid, std::move(what) + ": " + text.data(), std::move(next));
}

// Nothing is asked for on a terminal: a key with a password is none here.
int no_password(char*, int, int, void*) { return 0; }

Result<void> use_key(SSL_CTX* context, const std::filesystem::path& file) {
  const auto text = read_secret_file(file, limits::tls_file_bytes_max);
  if (!text) return std::unexpected(text.error());
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return tls_failure("there is no key in " + file.string(), "write one as PEM into it");
  if (SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1) {
    return {};
  }
  return tls_failure("the key in " + file.string() + " is not that of the certificate",
                     "name the files of one pair in tls_certificate and tls_key");
}

}  // namespace

struct TlsContext::Parts {
  std::unique_ptr<SSL_CTX, FreeContext> context;
};

TlsContext::TlsContext(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const std::filesystem::path& certificate,
                                                           const std::filesystem::path& key) {
  auto parts = std::make_unique<Parts>();
  parts->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = parts->context.get();
  if (context == nullptr) return tls_failure("there is no TLS", "see whether OpenSSL is whole");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // An idle connection keeps no buffers.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  std::error_code unknown;
  if (!std::filesystem::exists(certificate, unknown) && !unknown) {
    return fail(ErrorCode::not_found, "there is no certificate " + certificate.string(),
                "name the file of one in tls_certificate");
  }
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return tls_failure("there is no certificate in " + certificate.string(),
                       "write one as PEM into it");
  }
  if (auto used = use_key(context, key); !used) return std::unexpected(used.error());
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(parts)));
}

struct TlsChannel::Parts {
  std::shared_ptr<const TlsContext> context;
  std::unique_ptr<SSL, FreeSsl> ssl;
  BIO* in = nullptr;   // what the socket has read; the SSL owns both
  BIO* out = nullptr;  // what the socket is to write
  bool has_failed = false;

  ssize_t failed() {
    ERR_clear_error();
    has_failed = true;
    errno = EPROTO;
    return -1;
  }
};

TlsChannel::TlsChannel(std::shared_ptr<const TlsContext> context)
    : parts_(std::make_unique<Parts>()) {
  parts_->context = std::move(context);
  parts_->ssl.reset(SSL_new(parts_->context->parts_->context.get()));
  parts_->in = BIO_new(BIO_s_mem());
  parts_->out = BIO_new(BIO_s_mem());
  ALMANAC_CHECK(parts_->ssl && parts_->in != nullptr && parts_->out != nullptr);
  SSL_set_bio(parts_->ssl.get(), parts_->in, parts_->out);
  SSL_set_accept_state(parts_->ssl.get());
}

TlsChannel::~TlsChannel() {
  parts_.reset();
  ERR_clear_error();
}

// What is behind a record that was read is decrypted too: no socket would tell of it again.
ssize_t TlsChannel::receive(int socket, std::span<char> buffer) {
  if (parts_->has_failed) return parts_->failed();
  static thread_local std::array<char, raw_bytes> raw;
  std::size_t taken = 0;
  while (taken < buffer.size()) {
    const auto room = buffer.subspan(taken);
    ERR_clear_error();  // of another connection: the queue is the thread's
    const int size = SSL_read(parts_->ssl.get(), room.data(), static_cast<int>(room.size()));
    if (size > 0) {
      taken += static_cast<std::size_t>(size);
      continue;
    }
    const int error = SSL_get_error(parts_->ssl.get(), size);
    if (!flush(socket)) return -1;  // with its errno
    const bool wants = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (taken > 0) {
      parts_->has_failed = !wants && error != SSL_ERROR_ZERO_RETURN;
      break;
    }
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    if (!wants) return parts_->failed();
    const ssize_t got = ::recv(socket, raw.data(), raw.size(), 0);
    if (got <= 0) return got;
    if (BIO_write(parts_->in, raw.data(), static_cast<int>(got)) != got) return parts_->failed();
  }
  return static_cast<ssize_t>(taken);
}

ssize_t TlsChannel::send(int socket, std::string_view bytes) {
  if (parts_->has_failed) return parts_->failed();
  if (!flush(socket)) return -1;
  if (unsent() >= unsent_high) {
    errno = EAGAIN;
    return -1;
  }
  const auto some = static_cast<int>(std::min(bytes.size(), unsent_high));
  ERR_clear_error();
  const int size = SSL_write(parts_->ssl.get(), bytes.data(), some);
  const int error = size > 0 ? SSL_ERROR_NONE : SSL_get_error(parts_->ssl.get(), size);
  if (!flush(socket)) return -1;
  if (size > 0) return size;
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return parts_->failed();
  errno = EAGAIN;
  return -1;
}

bool TlsChannel::flush(int socket) {
  while (unsent() > 0) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(parts_->out, &bytes);
    const ssize_t sent = ::send(socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN;
    static thread_local std::array<char, raw_bytes> taken;
    for (std::size_t left = static_cast<std::size_t>(sent); left > 0;) {
      const int read =
          BIO_read(parts_->out, taken.data(), static_cast<int>(std::min(left, taken.size())));
      if (read <= 0) return false;
      left -= static_cast<std::size_t>(read);
    }
  }
  return true;
}

std::size_t TlsChannel::unsent() const { return BIO_ctrl_pending(parts_->out); }

void TlsChannel::end(int socket) {
  if (!parts_->has_failed && is_open()) (void)SSL_shutdown(parts_->ssl.get());
  ERR_clear_error();
  (void)flush(socket);
}

bool TlsChannel::is_open() const { return SSL_is_init_finished(parts_->ssl.get()) == 1; }

}  // namespace almanac
