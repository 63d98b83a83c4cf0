// TLS, from version 1.2 on, between a socket that does not block and who reads and writes it. The
// one door to OpenSSL. Bytes go through memory: whoever has the socket reads and writes it when its
// loop says so.
#pragma once

#include <almanac/log/error.h>

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace almanac {

// A certificate with its key. Any thread; outlives the channels made of it.
class TlsContext {
 public:
  // Both as PEM; the certificate may have those it was signed by behind it. Errors: not_found,
  // refused (others may read the key), invalid (no certificate or key, or they do not match), io.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> load(
      const std::filesystem::path& certificate, const std::filesystem::path& key);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsChannel;
  struct Parts;
  explicit TlsContext(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// The server's end of one connection. One thread.
class TlsChannel {
 public:
  explicit TlsChannel(std::shared_ptr<const TlsContext> context);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  // As recv() and send() of a socket that does not block, with a buffer of 64 KiB: bytes, 0 = it
  // has ended, -1 with errno, which is EPROTO where the other side speaks no TLS, or breaks it.
  [[nodiscard]] ssize_t receive(int socket, std::span<char> buffer);
  [[nodiscard]] ssize_t send(int socket, std::string_view bytes);
  // Writes what was sent and the socket has not taken yet. False = the connection is gone.
  [[nodiscard]] bool flush(int socket);
  [[nodiscard]] std::size_t unsent() const;
  // Says that nothing more is sent.
  void end(int socket);
  // Both sides have agreed on everything: bytes can go.
  [[nodiscard]] bool is_open() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
