// Takes that wait for tokens of a limit: those of one limit in the order in which they came.
#pragma once

#include <almanac/projections/state.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

struct Submission;

// Owned by the core; used on the loop's thread alone.
class TokenWaits {
 public:
  TokenWaits();
  ~TokenWaits();
  TokenWaits(const TokenWaits&) = delete;
  TokenWaits& operator=(const TokenWaits&) = delete;

  // Its command is TakeTokens.
  void add(std::unique_ptr<Submission> take);

  struct Over {
    std::unique_ptr<Submission> take;  // none: all others wait on
    bool is_late = false;              // its time is up; else it is to be decided
  };
  // One whose wait is over, taken out. Takes that are late are told so even where tokens are left
  // over: those are for who came before them. O(those that wait).
  [[nodiscard]] Over next(const State& state, Time now);
  // When next() has another one, if nothing else happens before. O(those that wait).
  [[nodiscard]] std::optional<Time> due(const State& state) const;

  [[nodiscard]] std::vector<std::unique_ptr<Submission>> take_all();

 private:
  using Queue = std::deque<std::unique_ptr<Submission>>;
  std::map<std::string, Queue, std::less<>> waiting_;  // none is empty
};

}  // namespace almanac
