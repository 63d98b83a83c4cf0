#include <almanac/snapshots/key_file.h>
#include <almanac/snapshots/repository.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// Bytes to look for without having them: each of theirs is the other way round.
using Turned = std::vector<std::byte>;

Turned turned(Bytes bytes) {
  Turned turned;
  for (const std::byte byte : bytes) turned.push_back(~byte);
  return turned;
}

bool is_there(Bytes memory, const Turned& wanted) {
  const auto same = [](std::byte one, std::byte other) { return one == ~other; };
  return !std::ranges::search(memory, wanted, same).empty();
}

// Whether this process has them anywhere in the memory it can write to.
bool is_in_memory(const Turned& wanted) {
  std::ifstream maps("/proc/self/maps");
  std::ifstream memory("/proc/self/mem", std::ios::binary);
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::array<char, 5> mode{};
    const int read = std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, mode.data());
    if (read != 3 || mode[0] != 'r' || mode[1] != 'w') continue;
    std::vector<std::byte> bytes(end - begin);
    const WipedAtEnd wiped(bytes);  // or the next search finds what this one has read
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(bytes.size()));
    if (is_there(bytes, wanted)) return true;
  }
  return false;
}

class KeyFile : public ::testing::Test {
 protected:
  [[nodiscard]] static fs::perms mode(const fs::path& file) {
    return fs::status(file).permissions();
  }
  // What reading gives for a text that is in no other hands.
  [[nodiscard]] std::string_view outcome(const std::string& text) const {
    write_file(file, text);
    fs::permissions(file, fs::perms(0600));
    return code_of(read_encryption_key(file));
  }

  TempFolder folder;
  fs::path file = folder / "key";
};

// Neither the key nor its digits, once who used them is done.
TEST_F(KeyFile, LeavesNoKeyInMemory) {
  Turned key;
  Turned digits;
  {
    auto made = create_encryption_key(file);
    ASSERT_TRUE(made) << describe(made.error());
    key = turned(made->bytes);
    std::string text = to_hex(made->bytes);
    digits = turned(as_bytes(text));
    EXPECT_TRUE(is_in_memory(key) && is_in_memory(digits)) << "where it is it is found";
    wipe(std::as_writable_bytes(std::span(text)));
  }
  EXPECT_FALSE(is_in_memory(key));
  EXPECT_FALSE(is_in_memory(digits));
  {
    const auto read = read_encryption_key(file);
    EXPECT_FALSE(is_in_memory(digits));
    EXPECT_TRUE(is_in_memory(key));
  }
  {
    auto repository = Repository::open(folder / "backup", Access::write,
                                       {.encryption = *read_encryption_key(file)});
    ASSERT_TRUE(repository) << describe(repository.error());
    ASSERT_TRUE(repository->is_encrypted());
  }
  EXPECT_FALSE(is_in_memory(key));
  EXPECT_FALSE(is_in_memory(digits));
}

TEST_F(KeyFile, GivesBackTheKeyThatWasMade) {
  const auto encryption = create_encryption_key(folder / "encryption");
  ASSERT_TRUE(encryption) << describe(encryption.error());
  EXPECT_EQ(read_encryption_key(folder / "encryption")->bytes, encryption->bytes);
  EXPECT_NE(create_encryption_key(folder / "other")->bytes, encryption->bytes);
  const auto open = create_signing_key(file);
  ASSERT_TRUE(open) << describe(open.error());
  EXPECT_EQ(public_key_of(*read_signing_key(file)), *open);
  EXPECT_EQ(*read_public_key(folder / "key.pub"), *open);
}

// What an earlier version wrote.
TEST_F(KeyFile, GoesOnToBeRead) {
  const std::string digits(64, 'a');
  EXPECT_EQ(outcome("almanac encryption key, format 1\n" + digits + "\n"), "ok");
  EXPECT_EQ(to_hex(read_encryption_key(file)->bytes), digits);
  write_file(file, "almanac signing key, format 1\n" + digits + "\n");
  EXPECT_EQ(to_hex(read_signing_key(file)->bytes), digits);
  write_file(file, "almanac public key, format 1\n" + digits + "\n");
  EXPECT_EQ(to_hex(read_public_key(file)->bytes), digits);
}

TEST_F(KeyFile, IsForItsOwnerAlone) {
  const auto open_mask = ::umask(0);
  ASSERT_TRUE(create_signing_key(file));
  ASSERT_TRUE(create_encryption_key(folder / "encryption"));
  ::umask(open_mask);
  EXPECT_EQ(mode(file), fs::perms(0600));
  EXPECT_EQ(mode(folder / "encryption"), fs::perms(0600));
  EXPECT_EQ(mode(folder / "key.pub"), fs::perms(0644));
  for (unsigned others : {0640U, 0604U, 0620U, 0601U}) {
    fs::permissions(file, fs::perms(others));
    const auto refused = read_signing_key(file);
    ASSERT_EQ(code_of(refused), "refused") << others;
    EXPECT_EQ(refused.error().next_step, "chmod 600 " + file.string());
  }
  fs::permissions(file, fs::perms(0400));
  EXPECT_TRUE(read_signing_key(file));
}

TEST_F(KeyFile, IsNeverReplaced) {
  for (const char* name : {"key", "key.pub"}) {
    write_file(folder / name, "a letter");
    EXPECT_EQ(code_of(create_signing_key(file)), "conflict") << name;
    EXPECT_EQ(read_file(folder / name), "a letter");
    fs::remove(folder / name);
    EXPECT_TRUE(fs::is_empty(folder.path())) << "nothing is left behind";
  }
  fs::create_symlink(folder / "elsewhere", file);
  EXPECT_EQ(code_of(create_encryption_key(file)), "conflict");
  EXPECT_FALSE(fs::exists(folder / "elsewhere"));
  EXPECT_FALSE(create_encryption_key(folder / "no/key"));
}

TEST_F(KeyFile, SaysWhichKindItIs) {
  ASSERT_TRUE(create_signing_key(folder / "signing"));
  ASSERT_TRUE(create_encryption_key(folder / "encryption"));
  EXPECT_EQ(code_of(read_encryption_key(folder / "signing")), "invalid");
  EXPECT_EQ(code_of(read_encryption_key(folder / "signing.pub")), "invalid");
  EXPECT_EQ(code_of(read_signing_key(folder / "encryption")), "invalid");
  const auto secret = read_public_key(folder / "signing");
  ASSERT_EQ(code_of(secret), "invalid");
  EXPECT_EQ(secret.error().message,
            (folder / "signing").string() + ": it is no public key, it says \"signing key\"");
  EXPECT_EQ(code_of(read_signing_key(folder / "none")), "not_found");
}

TEST_F(KeyFile, IsReadByTheNameOfALink) {
  ASSERT_TRUE(create_encryption_key(folder / "encryption"));
  fs::create_symlink(folder / "encryption", file);
  EXPECT_TRUE(read_encryption_key(file));
}

TEST_F(KeyFile, IsRefusedWhereAnythingOfItIsWrong) {
  const std::string head = "almanac encryption key, format 1\n";
  const std::string whole = head + std::string(64, 'a') + "\n";
  ASSERT_EQ(outcome(whole), "ok");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(outcome(whole.substr(0, size)), "corrupt") << size;
  }
  for (std::size_t i = 0; i < whole.size() * 8; ++i) {
    std::string changed = whole;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ 1 << i % 8);
    const auto code = outcome(changed);
    const bool is_other_key = i / 8 >= head.size() && i / 8 + 1 < whole.size() && code == "ok";
    EXPECT_TRUE(is_other_key || code == "corrupt" || code == "newer_format") << i << ": " << code;
  }
  EXPECT_EQ(outcome(whole + "\n"), "corrupt");
  EXPECT_EQ(outcome(head + std::string(64, 'A') + "\n"), "corrupt");
  EXPECT_EQ(outcome(head + std::string(64, 'g') + "\n"), "corrupt");
  EXPECT_EQ(outcome("almanac encryption key, format 2\nsomething else"), "newer_format");
  EXPECT_EQ(outcome(std::string(10'000, 'a')), "corrupt");
}

}  // namespace
}  // namespace almanac::test
