// TLS as tests speak it: a certificate of their own, and a client that says what it speaks.
#pragma once

#include <almanac/log/file.h>

#include <gtest/gtest.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace almanac::test {

inline FileDescriptor tls_socket_to(const std::string& where) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const auto colon = where.find(':');
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(where.substr(colon + 1))));
  ::inet_pton(AF_INET, where.substr(0, colon).c_str(), &address.sin_addr);
  const timeval minute{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof(minute));
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            0);
  return socket;
}

struct TlsPair {
  std::filesystem::path certificate;
  std::filesystem::path key;
};
// Makes both files; the key is for its owner alone.
inline TlsPair make_tls_pair(const std::filesystem::path& folder, const std::string& name) {
  const TlsPair pair{.certificate = folder / (name + ".crt"), .key = folder / (name + ".key")};
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3'600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  EXPECT_NE(X509_sign(certificate, key, EVP_sha256()), 0);
  std::FILE* file = std::fopen(pair.certificate.c_str(), "w");
  EXPECT_EQ(PEM_write_X509(file, certificate), 1);
  std::fclose(file);
  file = std::fopen(pair.key.c_str(), "w");
  EXPECT_EQ(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
  std::fclose(file);
  ::chmod(pair.key.c_str(), 0600);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return pair;
}

// Waits a minute at most for anything.
class TlsClient {
 public:
  enum class Speaks : std::uint8_t { anything, tls_1_1_at_most, tls_1_2_at_most };
  // "127.0.0.1:7411".
  explicit TlsClient(const std::string& where, Speaks speaks = Speaks::anything)
      : socket_(tls_socket_to(where)), context_(SSL_CTX_new(TLS_client_method())) {
    if (speaks == Speaks::tls_1_2_at_most) SSL_CTX_set_max_proto_version(context_, TLS1_2_VERSION);
    if (speaks == Speaks::tls_1_1_at_most) {
      SSL_CTX_set_security_level(context_, 0);
      SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
      SSL_CTX_set_max_proto_version(context_, TLS1_1_VERSION);
    }
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_.get());
    is_open_ = SSL_connect(ssl_) == 1;
    ERR_clear_error();
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Whether both sides have agreed.
  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] std::string version() const { return SSL_get_version(ssl_); }  // "TLSv1.3"
  // Of the server's certificate.
  [[nodiscard]] std::string common_name() const {
    X509* certificate = SSL_get1_peer_certificate(ssl_);
    if (certificate == nullptr) return {};
    std::array<char, 100> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    X509_free(certificate);
    return name.data();
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // What comes next; empty = it has ended.
  std::string read_some() {
    if (!unread_.empty()) return std::exchange(unread_, {});
    std::array<char, 65'536> buffer;
    const int size = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    ERR_clear_error();
    return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
  }
  // Reads until what came ends so, or it has ended.
  std::string read_until(std::string_view end) {
    std::string text;
    while (true) {
      const auto found = text.find(end);
      if (found != std::string::npos) {
        unread_ = text.substr(found + end.size()) + unread_;
        text.resize(found + end.size());
        return text;
      }
      const std::string more = read_some();
      if (more.empty()) return text;
      text += more;
    }
  }

 private:
  FileDescriptor socket_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool is_open_ = false;
  std::string unread_;
};

}  // namespace almanac::test
