// A disk that does what was recorded, and knows what of it would outlive a power loss: what was
// synced for certain, and of the rest any part. See README.md for the model.
#pragma once

#include <almanac/tests/disk/disk_image.h>
#include <almanac/tests/disk/recording.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac::test {

// How the disk breaks its promises. For planting faults.
struct DiskFaults {
  bool data_sync_ignored = false;    // fdatasync comes back and has done nothing
  bool folder_sync_ignored = false;  // the same of a folder's fsync
  bool tears_words = false;          // a sector is written in units of 8 bytes
  bool forgets_synced = false;       // a synced sector may be the old one again
  bool forgets_last_sync = false;    // the same, of what the last sync wrote
  // Only of files and folders whose path contains this.
  std::string_view only_in = {};

  [[nodiscard]] bool concern(std::string_view path) const {
    return path.find(only_in) != std::string_view::npos;
  }
};

using NodeId = std::uint32_t;  // a file or a folder, whatever it is called
inline constexpr NodeId root_node = 0;
inline constexpr NodeId no_node = UINT32_MAX;

// The smallest thing that a power loss may take or leave by itself.
struct Unit {
  enum class Kind : std::uint8_t { data, size, name };
  Kind kind;
  NodeId node;             // the file; of a name: the folder
  std::size_t step;        // of the recording
  std::size_t sector = 0;  // data: which, and what is in it from now on
  SectorId content = 0;
  bool given_up = false;   // data: a sync failed, and no later one brings it to the disk
  std::uint64_t size = 0;  // size: the new one, and the one before
  std::uint64_t size_before = 0;
  std::map<std::string, NodeId> names = {};  // name: what becomes of them; no_node = gone
};

// A sector that may hold something else than any of its units says: torn, or old again.
struct Surprise {
  NodeId node;
  std::size_t sector;
  SectorId before;
  SectorId after;
};

struct Node {
  bool is_folder = false;
  FileImage live;     // what the program sees
  FileImage durable;  // what is certain to be there
  std::map<std::string, NodeId> live_names;
  std::map<std::string, NodeId> durable_names;
};

class ShadowDisk {
 public:
  // `pool` outlives it. All of `before` is on the disk for certain.
  ShadowDisk(SectorPool& pool, const DiskImage& before, const DiskFaults& faults = {});

  // Whether the call makes another set of states possible.
  [[nodiscard]] bool changes(const RecordedCall& call) const;
  // Stops the test program when the recording cannot have happened like that.
  void apply(const RecordedCall& call, std::size_t step);
  // From now on.
  void set_faults(const DiskFaults& faults) { faults_ = faults; }

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  // In the order in which they came about.
  [[nodiscard]] const std::vector<Unit>& pending() const { return pending_; }
  [[nodiscard]] const std::vector<Surprise>& torn() const { return torn_; }
  [[nodiscard]] const std::vector<Surprise>& forgotten() const { return forgotten_; }
  // What the program sees: the folder as it would be after a clean shutdown.
  [[nodiscard]] DiskImage live_image() const;

 private:
  [[nodiscard]] NodeId find(const std::string& path) const;
  NodeId add_node(bool is_folder);
  void change_names(NodeId folder, std::map<std::string, NodeId> names, std::size_t step);
  void open(const RecordedCall& call, std::size_t step);
  void write(const RecordedCall& call, std::size_t step);
  void resize(NodeId file, std::uint64_t size, std::size_t step);
  void allocate(const RecordedCall& call, std::size_t step);
  void rename(const RecordedCall& call, std::size_t step);
  void sync(const RecordedCall& call);
  void give_up(const RecordedCall& call);
  [[nodiscard]] bool concerns(const RecordedCall& sync, const Unit& unit) const;
  void set_sector(NodeId file, std::size_t sector, SectorId id, std::size_t step);
  void make_durable(const Unit& unit, const RecordedCall& sync);

  SectorPool& pool_;
  DiskFaults faults_;
  bool tearing_ = false;  // the call that runs
  std::vector<Node> nodes_;
  std::map<std::uint32_t, NodeId> handles_;
  std::vector<Unit> pending_;
  std::set<std::pair<NodeId, std::size_t>> given_up_;  // sectors of which pending_ has such a unit
  std::vector<Surprise> torn_;
  std::vector<Surprise> forgotten_;
};

}  // namespace almanac::test
