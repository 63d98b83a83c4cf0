#include <almanac/log/crypto.h>
#include <almanac/tests/support/code_of.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::size_t chunk = 64 * 1024;

template <class Key>
Key key_of(std::string_view hex) {
  Key key;
  EXPECT_TRUE(from_hex(hex, key.bytes));
  return key;
}

EncryptionKey some_key() {
  EncryptionKey key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<std::byte>(i);
  return key;
}

std::vector<std::byte> bytes_of(std::string_view text) {
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

// Text in which no chunk is like another.
std::string text_of(std::size_t size) {
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + " ";
  text.resize(size);
  return text;
}

std::string outcome_of(std::vector<std::byte> encrypted) {
  auto decrypted = decrypt(std::move(encrypted), some_key(), "place");
  return decrypted ? std::string(as_text(*decrypted)) : std::string(code_of(decrypted));
}

TEST(Encryption, GivesBackWhatWasEncrypted) {
  for (std::size_t size :
       {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1, 3 * chunk}) {
    const std::string text = text_of(size);
    const auto encrypted = encrypt(as_bytes(text), some_key(), "place");
    const std::size_t chunks = std::max<std::size_t>(1, (size + chunk - 1) / chunk);
    EXPECT_EQ(encrypted.size(), 24 + size + 17 * chunks);
    EXPECT_TRUE(outcome_of(encrypted) == text) << size;
    EXPECT_TRUE(size < 8 || as_text(encrypted).find(text.substr(0, 8)) == text.npos) << size;
    EXPECT_NE(encrypt(as_bytes(text), some_key(), "place"), encrypted);
  }
}

// What an earlier version wrote.
TEST(Encryption, GoesOnToReadWhatWasEncryptedBefore) {
  std::vector<std::byte> encrypted(24 + 5 + 17);
  ASSERT_TRUE(
      from_hex("cd633fa18a185d6839cb3877363e5611ebbf39b873e26c1c1fdeb0935d36994dd8053c28d1689a90130"
               "eb2ed54df",
               encrypted));
  EXPECT_EQ(outcome_of(encrypted), "hello");
}

TEST(Encryption, RefusesAnotherKeyOrPlace) {
  const auto encrypted = encrypt(as_bytes("hello"), some_key(), "place");
  auto other = some_key();
  other.bytes.back() ^= std::byte{1};
  EXPECT_EQ(code_of(decrypt(encrypted, other, "place")), "corrupt");
  for (const char* place : {"", "plac", "places", "other"}) {
    EXPECT_EQ(code_of(decrypt(encrypted, some_key(), place)), "corrupt") << place;
  }
}

TEST(Encryption, RefusesWhateverBitIsFlipped) {
  auto encrypted = encrypt(as_bytes("hello"), some_key(), "place");
  for (std::size_t i = 0; i < encrypted.size() * 8; ++i) {
    encrypted[i / 8] ^= std::byte(1U << i % 8);
    ASSERT_EQ(outcome_of(encrypted), "corrupt") << i;
    encrypted[i / 8] ^= std::byte(1U << i % 8);
  }
  EXPECT_EQ(outcome_of(encrypted), "hello");
}

TEST(Encryption, RefusesWhateverIsCutOrAdded) {
  const auto encrypted = encrypt(as_bytes(text_of(2 * chunk)), some_key(), "place");
  const std::size_t stored = chunk + 17;
  for (std::size_t size : {std::size_t{0}, std::size_t{23}, std::size_t{24}, std::size_t{41},
                           24 + stored - 1, 24 + stored, 24 + stored + 1, 24 + 2 * stored - 1}) {
    EXPECT_EQ(outcome_of({encrypted.begin(), encrypted.begin() + std::ptrdiff_t(size)}), "corrupt")
        << size;
  }
  auto longer = encrypted;
  longer.push_back(std::byte{});
  EXPECT_EQ(outcome_of(longer), "corrupt");
  longer = encrypted;
  longer.insert(longer.end(), encrypted.end() - std::ptrdiff_t(stored), encrypted.end());
  EXPECT_EQ(outcome_of(longer), "corrupt");
}

TEST(Encryption, RefusesChunksInAnotherOrder) {
  auto encrypted = encrypt(as_bytes(text_of(3 * chunk)), some_key(), "place");
  const auto first = encrypted.begin() + 24;
  const auto second = first + chunk + 17;
  std::swap_ranges(first, second, second);
  EXPECT_EQ(outcome_of(encrypted), "corrupt");
}

// The values of another implementation (Python's hashlib.blake2b).
TEST(KeyedBlake2b, DependsOnTheKey) {
  EXPECT_EQ(to_hex(keyed_blake2b(as_bytes("abc"), some_key())),
            "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
  EXPECT_NE(keyed_blake2b(as_bytes("abc"), {}), keyed_blake2b(as_bytes("abc"), some_key()));
}

// The second test vector of RFC 8032.
TEST(SignatureOfBytes, IsThatOfEd25519) {
  const auto key =
      key_of<SigningKey>("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  EXPECT_EQ(to_hex(public_key_of(key).bytes),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(to_hex(sign(as_bytes("r"), key).bytes),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(SignatureOfBytes, HoldsForThemAndThatKeyAlone) {
  const SigningKey key{some_key().bytes};
  const PublicKey open = public_key_of(key);
  Signature signature = sign(bytes_of("hello"), key);
  EXPECT_TRUE(is_signed_by(open, signature, as_bytes("hello")));
  EXPECT_FALSE(is_signed_by(open, signature, as_bytes("hallo")));
  EXPECT_FALSE(is_signed_by(public_key_of({}), signature, as_bytes("hello")));
  for (std::size_t i = 0; i < signature.bytes.size() * 8; ++i) {
    signature.bytes[i / 8] ^= std::byte(1U << i % 8);
    ASSERT_FALSE(is_signed_by(open, signature, as_bytes("hello"))) << i;
    signature.bytes[i / 8] ^= std::byte(1U << i % 8);
  }
}

}  // namespace
}  // namespace almanac::test
