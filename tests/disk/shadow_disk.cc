#include <almanac/tests/disk/shadow_disk.h>

#include <almanac/log/error.h>

#include <fcntl.h>
#include <linux/falloc.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

namespace almanac::test {
namespace {

std::pair<std::string, std::string> split(const std::string& path) {
  auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

void collect(const std::vector<Node>& nodes, NodeId folder, const std::string& prefix,
             DiskImage& image) {
  for (const auto& [name, id] : nodes[folder].live_names) {
    const Node& node = nodes[id];
    image.push_back({prefix + name, node.is_folder, node.live});
    if (node.is_folder) collect(nodes, id, prefix + name + "/", image);
  }
}

}  // namespace

ShadowDisk::ShadowDisk(SectorPool& pool, const DiskImage& before, const DiskFaults& faults)
    : pool_(pool), faults_(faults) {
  add_node(true);
  for (const ImageEntry& entry : before) {
    auto id = add_node(entry.is_folder);
    nodes_[id].live = nodes_[id].durable = entry.file;
    auto [folder, name] = split(entry.path);
    auto parent = find(folder);
    nodes_[parent].live_names[name] = nodes_[parent].durable_names[name] = id;
  }
}

NodeId ShadowDisk::add_node(bool is_folder) {
  nodes_.push_back(
      {.is_folder = is_folder, .live = {}, .durable = {}, .live_names = {}, .durable_names = {}});
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId ShadowDisk::find(const std::string& path) const {
  if (path.empty()) return root_node;
  auto [folder, name] = split(path);
  auto parent = find(folder);
  if (parent == no_node) return no_node;
  auto found = nodes_[parent].live_names.find(name);
  return found == nodes_[parent].live_names.end() ? no_node : found->second;
}

bool ShadowDisk::changes(const RecordedCall& call) const {
  if (call.kind == CallKind::open) return find(call.path) == no_node || (call.flags & O_TRUNC) != 0;
  if (call.kind != CallKind::sync) return true;
  auto node = handles_.at(call.handle);
  return std::ranges::any_of(pending_, [&](const Unit& unit) { return unit.node == node; });
}

void ShadowDisk::apply(const RecordedCall& call, std::size_t step) {
  switch (call.kind) {
    case CallKind::open: return open(call, step);
    case CallKind::write: return write(call, step);
    case CallKind::sync: return sync(call);
    case CallKind::truncate: return resize(handles_.at(call.handle), call.length, step);
    case CallKind::allocate: return allocate(call, step);
    case CallKind::rename: return rename(call, step);
    case CallKind::make_folder: {
      auto [folder, name] = split(call.path);
      return change_names(find(folder), {{name, add_node(true)}}, step);
    }
    case CallKind::unlink:
    case CallKind::remove_folder: {
      auto [folder, name] = split(call.path);
      return change_names(find(folder), {{name, no_node}}, step);
    }
    case CallKind::close:
    case CallKind::read:
    case CallKind::map: return;
  }
}

void ShadowDisk::change_names(NodeId folder, std::map<std::string, NodeId> names,
                              std::size_t step) {
  ALMANAC_CHECK(folder != no_node);
  for (const auto& [name, id] : names) {
    if (id == no_node) {
      ALMANAC_CHECK(nodes_[folder].live_names.erase(name) == 1);
    } else {
      nodes_[folder].live_names[name] = id;
    }
  }
  pending_.push_back(
      {.kind = Unit::Kind::name, .node = folder, .step = step, .names = std::move(names)});
}

void ShadowDisk::open(const RecordedCall& call, std::size_t step) {
  auto node = find(call.path);
  if (node == no_node) {
    ALMANAC_CHECK((call.flags & O_CREAT) != 0);
    node = add_node(false);
    auto [folder, name] = split(call.path);
    change_names(find(folder), {{name, node}}, step);
  } else if ((call.flags & O_TRUNC) != 0) {
    resize(node, 0, step);
  }
  handles_[call.handle] = node;
}

// A sector of the page cache goes to the disk as it is at that moment: with all that was written
// to it before. What is written again as it is matters only where the disk may have something else
// that no sync would change.
void ShadowDisk::set_sector(NodeId file, std::size_t sector, SectorId id, std::size_t step) {
  auto before = nodes_[file].live.at(sector);
  if (before == id && !given_up_.contains({file, sector})) return;
  nodes_[file].live.set(sector, id);
  pending_.push_back(
      {.kind = Unit::Kind::data, .node = file, .step = step, .sector = sector, .content = id});
  if (tearing_) torn_.push_back({file, sector, before, id});
}

void ShadowDisk::write(const RecordedCall& call, std::size_t step) {
  auto file = handles_.at(call.handle);
  torn_.clear();
  tearing_ = faults_.tears_words && faults_.concern(call.path);
  const auto end = call.offset + call.length;
  for (auto at = call.offset; at < end;) {
    auto sector = at / sector_bytes;
    auto inside = at % sector_bytes;
    auto size = std::min<std::uint64_t>(sector_bytes - inside, end - at);
    Sector content = pool_.at(nodes_[file].live.at(sector));
    if (call.bytes.empty()) {
      std::memset(content.data() + inside, 0, size);
    } else {
      std::memcpy(content.data() + inside, call.bytes.data() + (at - call.offset), size);
    }
    set_sector(file, sector, pool_.add(content), step);
    at += size;
  }
  if (end > nodes_[file].live.size) resize(file, end, step);
}

void ShadowDisk::resize(NodeId file, std::uint64_t size, std::size_t step) {
  auto before = nodes_[file].live.size;
  if (size == before) return;
  if (size < before) {
    FileImage cut = nodes_[file].live;
    cut.size = size;
    cut.trim(pool_);
    auto count = nodes_[file].live.sectors.size();
    for (auto sector = size / sector_bytes; sector < count; ++sector) {
      set_sector(file, sector, cut.at(sector), step);
    }
  }
  nodes_[file].live.size = size;
  pending_.push_back(
      {.kind = Unit::Kind::size, .node = file, .step = step, .size = size, .size_before = before});
}

void ShadowDisk::allocate(const RecordedCall& call, std::size_t step) {
  auto file = handles_.at(call.handle);
  const auto clears = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
  ALMANAC_CHECK((call.flags & ~(clears | FALLOC_FL_KEEP_SIZE)) == 0);
  auto end = call.offset + call.length;
  if ((call.flags & FALLOC_FL_KEEP_SIZE) != 0) end = std::min(end, nodes_[file].live.size);
  if ((call.flags & clears) != 0 && end > call.offset) {
    RecordedCall zeros = call;
    zeros.length = end - call.offset;
    write(zeros, step);
  }
  if (end > nodes_[file].live.size) resize(file, end, step);
}

// Within a folder a rename is one change, as every file system makes it. From one folder into
// another it is two, each certain when its own folder is synced. An exchange gives the old name
// what had the new one.
void ShadowDisk::rename(const RecordedCall& call, std::size_t step) {
  ALMANAC_CHECK(call.flags == 0 || call.flags == RENAME_EXCHANGE);
  const NodeId other = call.flags == 0 ? no_node : find(call.to);
  auto node = find(call.path);
  ALMANAC_CHECK(node != no_node);
  auto [from_folder, from] = split(call.path);
  auto [to_folder, to] = split(call.to);
  if (from_folder == to_folder) {
    return change_names(find(from_folder), {{from, other}, {to, node}}, step);
  }
  change_names(find(to_folder), {{to, node}}, step);
  change_names(find(from_folder), {{from, other}}, step);
}

void ShadowDisk::sync(const RecordedCall& call) {
  auto node = handles_.at(call.handle);
  const bool is_folder = nodes_[node].is_folder;
  const bool ignored =
      is_folder ? faults_.folder_sync_ignored : faults_.data_sync_ignored && call.whole_file;
  if (ignored && faults_.concern(call.path)) return;
  if (call.failed) return give_up(call);
  if (faults_.forgets_last_sync && faults_.concern(call.path)) forgotten_.clear();
  std::set<std::pair<NodeId, std::size_t>> certain;
  std::erase_if(pending_, [&](const Unit& unit) {
    if (unit.given_up || !concerns(call, unit)) return false;
    make_durable(unit, call);
    if (unit.kind == Unit::Kind::data) certain.insert({unit.node, unit.sector});
    return true;
  });
  // What was written over it is certain now.
  std::erase_if(pending_, [&](const Unit& unit) {
    return unit.given_up && certain.contains({unit.node, unit.sector});
  });
  for (const auto& sector : certain) given_up_.erase(sector);
  torn_.clear();
}

bool ShadowDisk::concerns(const RecordedCall& sync, const Unit& unit) const {
  if (unit.node != handles_.at(sync.handle) || unit.step >= sync.began) return false;
  if (sync.whole_file || unit.kind != Unit::Kind::data) return true;
  auto from = sync.offset / sector_bytes;
  auto to = (sync.offset + sync.length + sector_bytes - 1) / sector_bytes;
  return unit.sector >= from && unit.sector < to;
}

// The kernel says once that it could not write, and takes the pages for written.
void ShadowDisk::give_up(const RecordedCall& call) {
  for (Unit& unit : pending_) {
    if (unit.kind != Unit::Kind::data || !concerns(call, unit)) continue;
    unit.given_up = true;
    given_up_.insert({unit.node, unit.sector});
  }
}

void ShadowDisk::make_durable(const Unit& unit, const RecordedCall& sync) {
  Node& node = nodes_[unit.node];
  switch (unit.kind) {
    case Unit::Kind::data:
      if ((faults_.forgets_synced || faults_.forgets_last_sync) && faults_.concern(sync.path)) {
        forgotten_.push_back({unit.node, unit.sector, node.durable.at(unit.sector), unit.content});
      }
      return node.durable.set(unit.sector, unit.content);
    case Unit::Kind::size: node.durable.size = unit.size; return;
    case Unit::Kind::name:
      for (const auto& [name, id] : unit.names) {
        if (id == no_node) {
          node.durable_names.erase(name);
        } else {
          node.durable_names[name] = id;
        }
      }
      return;
  }
}

DiskImage ShadowDisk::live_image() const {
  DiskImage image;
  collect(nodes_, root_node, "", image);
  std::ranges::sort(image, {}, &ImageEntry::path);
  for (ImageEntry& entry : image) entry.file.trim(pool_);
  return image;
}

}  // namespace almanac::test
