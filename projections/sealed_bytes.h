// How what is known of a user becomes sealed bytes and back: numbers and texts one behind the
// other, encrypted with the user's key (XChaCha20-Poly1305, log/crypto.h). The place says what the
// bytes are, and where they belong; it is part of what proves them. For context_content.cc and
// memory_content.cc.
#pragma once

#include <almanac/log/crypto.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

// Bytes in the clear, which are overwritten when this goes.
class ClearBytes {
 public:
  ClearBytes() = default;
  ~ClearBytes() { wipe(bytes_); }
  ClearBytes(const ClearBytes&) = delete;
  ClearBytes& operator=(const ClearBytes&) = delete;

  // So many follow in all: where they fit none are copied, and left, on the way.
  void reserve(std::size_t size) { bytes_.reserve(size); }
  void byte(std::size_t value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void text(std::string_view text) {
    const Bytes bytes = as_bytes(text);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void number(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (unsigned shift = 0; shift < 64; shift += 8) byte(bits >> shift & 0xff);
  }
  // Its length first, of four bytes.
  void long_text(std::string_view of) {
    for (unsigned shift = 0; shift < 32; shift += 8) byte(of.size() >> shift & 0xff);
    text(of);
  }

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] std::string sealed(const EncryptionKey& key, std::string_view place) const {
    return std::string(as_text(encrypt(bytes_, key, place)));
  }

 private:
  std::vector<std::byte> bytes_;
};

// What was written so; where it was not, `failed`.
struct ClearReader {
  std::string_view rest;
  bool failed = false;

  std::string_view text(std::size_t size) {
    failed = failed || size > rest.size();
    if (failed) return {};
    const auto text = rest.substr(0, size);
    rest.remove_prefix(size);
    return text;
  }
  std::size_t byte() {
    const auto one = text(1);
    return failed ? 0 : static_cast<unsigned char>(one.front());
  }
  double number() {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{byte()} << shift;
    return std::bit_cast<double>(bits);
  }
  std::string_view long_text() {
    std::size_t size = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) size |= byte() << shift;
    return text(size);
  }
};

[[nodiscard]] inline std::unexpected<Error> makes_no_sense() {
  return fail(ErrorCode::corrupt, "what is known of the user makes no sense",
              "a newer version of Almanac may have written it: use that one");
}

// What `read` makes of the bytes, which are overwritten behind it. Errors: corrupt (sealed with
// another key or for another place, or changed), and those of `read`.
template <class Read>
auto opened(std::string_view sealed, const EncryptionKey& key, std::string_view place, Read read)
    -> decltype(read(std::declval<ClearReader&>())) {
  const Bytes bytes = as_bytes(sealed);
  auto clear = decrypt({bytes.begin(), bytes.end()}, key, place);
  if (!clear) return std::unexpected(clear.error());
  const WipedAtEnd wiped(*clear);
  ClearReader reader{as_text(*clear)};
  return read(reader);
}

}  // namespace almanac
