#include <almanac/log/crypto.h>

#include <sodium.h>

#include <algorithm>
#include <span>
#include <utility>

namespace almanac {
namespace {

using Stream = crypto_secretstream_xchacha20poly1305_state;

constexpr std::size_t header_bytes = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::size_t more_bytes = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr unsigned char tag_of_last = crypto_secretstream_xchacha20poly1305_TAG_FINAL;
constexpr unsigned char tag_of_other = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;

static_assert(sizeof(EncryptionKey) == crypto_secretstream_xchacha20poly1305_KEYBYTES);
static_assert(sizeof(SigningKey) == crypto_sign_SEEDBYTES);
static_assert(sizeof(PublicKey) == crypto_sign_PUBLICKEYBYTES);
static_assert(sizeof(Signature) == crypto_sign_BYTES);

const unsigned char* raw_of(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw_to(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// What sodium_init() would do for the random source: its first use is not for several threads.
void prepare_random() { [[maybe_unused]] static const bool prepared = (randombytes_stir(), true); }

// Ed25519 as libsodium wants it: the seed and the public key.
struct KeyPair {
  PublicKey open;
  std::array<std::byte, crypto_sign_SECRETKEYBYTES> secret;

  ~KeyPair() { wipe(secret); }
};

KeyPair pair_of(const SigningKey& key) {
  KeyPair pair;
  crypto_sign_seed_keypair(raw_to(pair.open.bytes), raw_to(pair.secret), raw_of(key.bytes));
  return pair;
}

// The state of a stream holds a key made of the one it was begun with.
WipedAtEnd wiped_at_end(Stream& stream) {
  return WipedAtEnd(std::as_writable_bytes(std::span(&stream, 1)));
}

}  // namespace

void wipe(std::span<std::byte> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

std::vector<std::byte> encrypt(Bytes bytes, const EncryptionKey& key, std::string_view context) {
  prepare_random();
  const std::size_t chunks =
      std::max<std::size_t>(1, (bytes.size() + chunk_bytes - 1) / chunk_bytes);
  std::vector<std::byte> encrypted(header_bytes + bytes.size() + chunks * more_bytes);
  auto to = std::span(encrypted);
  Stream stream;
  const WipedAtEnd wiped = wiped_at_end(stream);
  crypto_secretstream_xchacha20poly1305_init_push(&stream, raw_to(to), raw_of(key.bytes));
  to = to.subspan(header_bytes);
  while (!to.empty()) {
    const auto chunk = bytes.first(std::min(bytes.size(), chunk_bytes));
    bytes = bytes.subspan(chunk.size());
    const bool is_last = to.size() == chunk.size() + more_bytes;
    crypto_secretstream_xchacha20poly1305_push(
        &stream, raw_to(to), nullptr, raw_of(chunk), chunk.size(), raw_of(as_bytes(context)),
        context.size(), is_last ? tag_of_last : tag_of_other);
    to = to.subspan(chunk.size() + more_bytes);
  }
  return encrypted;
}

Result<std::vector<std::byte>> decrypt(std::vector<std::byte> bytes, const EncryptionKey& key,
                                       std::string_view context) {
  const auto refused = [] {
    return fail(ErrorCode::corrupt,
                "it was not encrypted with this key and in this place, or was changed since");
  };
  if (bytes.size() < header_bytes + more_bytes) return refused();
  Stream stream;
  const WipedAtEnd wiped = wiped_at_end(stream);
  // Of any key and header there is a stream; only its chunks tell.
  crypto_secretstream_xchacha20poly1305_init_pull(&stream, raw_of(bytes), raw_of(key.bytes));
  std::vector<std::byte> decrypted(std::min(chunk_bytes, bytes.size()));
  std::size_t written = 0;
  auto rest = Bytes(bytes).subspan(header_bytes);
  unsigned char tag = tag_of_other;
  while (tag != tag_of_last) {
    const auto chunk = rest.first(std::min(rest.size(), chunk_bytes + more_bytes));
    if (crypto_secretstream_xchacha20poly1305_pull(
            &stream, raw_to(decrypted), nullptr, &tag, raw_of(chunk), chunk.size(),
            raw_of(as_bytes(context)), context.size()) != 0) {
      return refused();
    }
    // To where chunks have been read already.
    std::copy_n(decrypted.begin(), chunk.size() - more_bytes, bytes.begin() + written);
    written += chunk.size() - more_bytes;
    rest = rest.subspan(chunk.size());
  }
  if (!rest.empty()) return refused();
  bytes.resize(written);
  return bytes;
}

Digest keyed_blake2b(Bytes bytes, const EncryptionKey& key) {
  Digest digest;
  crypto_generichash_blake2b(raw_to(digest), digest.size(), raw_of(bytes), bytes.size(),
                             raw_of(key.bytes), key.bytes.size());
  return digest;
}

PublicKey public_key_of(const SigningKey& key) { return pair_of(key).open; }

Signature sign(Bytes bytes, const SigningKey& key) {
  Signature signature;
  crypto_sign_detached(raw_to(signature.bytes), nullptr, raw_of(bytes), bytes.size(),
                       raw_of(pair_of(key).secret));
  return signature;
}

bool is_signed_by(const PublicKey& key, const Signature& signature, Bytes bytes) {
  return crypto_sign_verify_detached(raw_of(signature.bytes), raw_of(bytes), bytes.size(),
                                     raw_of(key.bytes)) == 0;
}

}  // namespace almanac
