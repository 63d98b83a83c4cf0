#include <almanac/log/digest_lanes.h>

#include <almanac/log/hash.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <random>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using Message = std::vector<std::byte>;

Message random_message(std::size_t bytes, std::mt19937& random) {
  Message message(bytes);
  std::ranges::generate(message, [&] { return static_cast<std::byte>(random()); });
  return message;
}

// Messages of its own, each behind the digest of the one before.
class Chain final : public DigestLane {
 public:
  explicit Chain(std::vector<Message> messages) : messages_(std::move(messages)) {}

  std::optional<Bytes> next() override {
    if (digests_.size() == messages_.size()) return std::nullopt;
    Message& message = messages_[digests_.size()];
    if (!digests_.empty()) message.insert(message.end(), last().begin(), last().end());
    return message;
  }
  void tell(const Digest& digest) override { digests_.push_back(digest); }

  [[nodiscard]] const std::vector<Digest>& digests() const { return digests_; }
  // What they are one by one, now that they are linked.
  [[nodiscard]] std::vector<Digest> expected() const {
    std::vector<Digest> digests;
    for (const Message& message : messages_) digests.push_back(blake2b(Bytes(message)));
    return digests;
  }

 private:
  [[nodiscard]] const Digest& last() const { return digests_.back(); }

  std::vector<Message> messages_;
  std::vector<Digest> digests_;
};

void digest_all(std::deque<Chain>& chains) {
  std::vector<DigestLane*> lanes;
  for (Chain& chain : chains) lanes.push_back(&chain);
  blake2b(lanes);
}

TEST(DigestLanes, GiveTheDigestsOfMessagesOfEveryLength) {
  std::mt19937 random(1);
  std::deque<Chain> chains;
  for (std::size_t bytes = 0; bytes < 600; ++bytes) {
    chains.emplace_back(std::vector<Message>{random_message(bytes, random)});
  }
  digest_all(chains);
  for (const Chain& chain : chains) ASSERT_EQ(chain.digests(), chain.expected());
}

TEST(DigestLanes, FollowChainsOfEveryNumberAndLength) {
  std::mt19937 random(2);
  for (std::size_t count = 0; count <= 3 * digest_lanes; ++count) {
    std::deque<Chain> chains;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<Message> messages(random() % 12);
      for (Message& message : messages) message = random_message(random() % 2'000, random);
      chains.emplace_back(std::move(messages));
    }
    digest_all(chains);
    for (const Chain& chain : chains) ASSERT_EQ(chain.digests(), chain.expected()) << count;
  }
}

// Lanes that draw from one place, as who checks many frames does.
TEST(DigestLanes, MayShareTheirMessages) {
  class Drawing final : public DigestLane {
   public:
    explicit Drawing(std::vector<Message>& rest) : rest_(rest) {}
    std::optional<Bytes> next() override {
      if (rest_.empty()) return std::nullopt;
      message_ = std::move(rest_.back());
      rest_.pop_back();
      return message_;
    }
    void tell(const Digest& digest) override {
      EXPECT_EQ(digest, blake2b(Bytes(message_)));
      ++told;
    }
    int told = 0;

   private:
    std::vector<Message>& rest_;
    Message message_;
  };
  std::mt19937 random(3);
  std::vector<Message> messages;
  for (int i = 0; i < 100; ++i) messages.push_back(random_message(random() % 5'000, random));
  std::deque<Drawing> drawing;
  std::vector<DigestLane*> lanes;
  for (std::size_t i = 0; i < digest_lanes; ++i) lanes.push_back(&drawing.emplace_back(messages));
  blake2b(lanes);
  int told = 0;
  for (const Drawing& lane : drawing) told += lane.told;
  EXPECT_EQ(told, 100);
}

}  // namespace
}  // namespace almanac::test
