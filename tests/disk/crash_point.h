// One moment at which the power may fail, and the disks that may be found afterwards.
#pragma once

#include <almanac/tests/disk/disk_image.h>
#include <almanac/tests/disk/shadow_disk.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {

// How many of each family of states are taken, spread evenly over those there are.
struct StateLimits {
  std::size_t family_max = 64;
  std::size_t random_states = 32;
  std::size_t all_subsets_of_max = 8;  // units; of more, some at random
};

// What outlived the power loss.
struct StateChoice {
  std::vector<char> kept;                                     // by pending unit
  std::optional<std::pair<NodeId, std::uint64_t>> size = {};  // a file that ends elsewhere
  std::optional<Surprise> surprise = {};                      // `after` is what the sector holds
};

// Borrows the disk, which must stay as it is meanwhile.
class CrashPoint {
 public:
  CrashPoint(const ShadowDisk& disk, SectorPool& pool);
  [[nodiscard]] const ShadowDisk& disk() const { return disk_; }

  // Gives states to `visit`, some more than once, always the same for the same disk and seed.
  using Visit = std::function<void(const StateChoice&)>;
  void each_state(const StateLimits& limits, std::uint64_t seed, const Visit& visit) const;

  // Tells states apart; cheap.
  [[nodiscard]] std::uint64_t hash(const StateChoice& choice) const;
  [[nodiscard]] DiskImage image(const StateChoice& choice) const;
  // "12 of 15 unsynced units kept, without data 4096+512 of log/data.mdb, …".
  [[nodiscard]] std::string describe(const StateChoice& choice) const;

 private:
  struct Named {
    std::string path;
    NodeId node;
    std::uint64_t hash;
  };
  // Units that are kept or lost together.
  using Groups = std::vector<std::vector<std::size_t>>;

  [[nodiscard]] std::vector<Named> names_of(const StateChoice& choice) const;
  void collect(NodeId folder, const std::string& prefix, const StateChoice& choice,
               std::vector<Named>& names) const;
  [[nodiscard]] std::uint64_t size_of(NodeId node, const StateChoice& choice) const;
  [[nodiscard]] bool stays(std::size_t unit, const StateChoice& choice) const;
  void each_of(const Groups& groups, const StateLimits& limits, std::uint64_t seed,
               const Visit& visit) const;
  void each_torn_tail(const StateLimits& limits, const Visit& visit) const;
  void each_surprise(const StateLimits& limits, const Visit& visit) const;

  const ShadowDisk& disk_;
  const std::vector<Unit>& units_;
  SectorPool& pool_;
  std::vector<std::size_t> size_units_;
  std::vector<std::size_t> name_units_;
  std::vector<std::size_t> later_;             // by unit: the next one of the same sector
  std::vector<std::uint64_t> durable_hashes_;  // by node
  std::vector<Named> durable_names_;
};

}  // namespace almanac::test
