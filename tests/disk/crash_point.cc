#include <almanac/tests/disk/crash_point.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <tuple>

namespace almanac::test {
namespace {

constexpr std::size_t none = SIZE_MAX;
constexpr std::size_t page_sectors = 8;

std::uint64_t sector_hash(std::size_t sector, SectorId id) { return id == 0 ? 0 : mix(sector, id); }

// Every one of `count` while they are few, else `most` of them at even distances.
template <class Visit>
void spread(std::size_t count, std::size_t most, Visit visit) {
  if (count <= most) {
    for (std::size_t i = 0; i < count; ++i) visit(i);
    return;
  }
  for (std::size_t i = 0; i < most; ++i) visit(i * count / most);
}

void set_all(StateChoice& choice, const std::vector<std::size_t>& units, char kept) {
  for (auto unit : units) choice.kept[unit] = kept;
}

// Units with the same key form a group, in order of their first.
template <class Key>
std::vector<std::vector<std::size_t>> group_by(const std::vector<Unit>& units, Key key) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<decltype(key(units.front())), std::size_t> known;
  for (std::size_t i = 0; i < units.size(); ++i) {
    auto [at, fresh] = known.try_emplace(key(units[i]), groups.size());
    if (fresh) groups.emplace_back();
    groups[at->second].push_back(i);
  }
  return groups;
}

}  // namespace

CrashPoint::CrashPoint(const ShadowDisk& disk, SectorPool& pool)
    : disk_(disk), units_(disk.pending()), pool_(pool), later_(units_.size(), none) {
  std::map<std::pair<NodeId, std::size_t>, std::size_t> last;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (units_[i].kind == Unit::Kind::name) name_units_.push_back(i);
    if (units_[i].kind == Unit::Kind::size) size_units_.push_back(i);
    if (units_[i].kind != Unit::Kind::data) continue;
    auto [at, fresh] = last.try_emplace({units_[i].node, units_[i].sector}, i);
    if (!fresh) later_[std::exchange(at->second, i)] = i;
  }
  for (const Node& node : disk_.nodes()) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < node.durable.sectors.size(); ++i) {
      hash += sector_hash(i, node.durable.sectors[i]);
    }
    durable_hashes_.push_back(hash);
  }
  StateChoice nothing{std::vector<char>(units_.size())};
  collect(root_node, "", nothing, durable_names_);
}

void CrashPoint::each_state(const StateLimits& limits, std::uint64_t seed,
                            const Visit& visit) const {
  auto sectors = group_by(units_, [&](const Unit& unit) { return &unit; });
  auto pages = group_by(units_, [](const Unit& unit) {
    return std::tuple(unit.step, unit.node, unit.kind, unit.sector / page_sectors);
  });
  auto calls = group_by(units_, [](const Unit& unit) { return unit.step; });
  visit({std::vector<char>(units_.size(), 1)});
  visit({std::vector<char>(units_.size(), 0)});
  each_of(sectors, limits, mix(seed, 1), visit);
  if (pages.size() < sectors.size()) each_of(pages, limits, mix(seed, 2), visit);
  if (calls.size() < pages.size()) each_of(calls, limits, mix(seed, 3), visit);
  each_torn_tail(limits, visit);
  each_surprise(limits, visit);
}

void CrashPoint::each_of(const Groups& groups, const StateLimits& limits, std::uint64_t seed,
                         const Visit& visit) const {
  const auto count = groups.size();
  if (count <= limits.all_subsets_of_max) {
    for (std::uint32_t subset = 0; subset < (1U << count); ++subset) {
      StateChoice choice{std::vector<char>(units_.size(), 0)};
      for (std::size_t i = 0; i < count; ++i) {
        if ((subset >> i & 1U) != 0) set_all(choice, groups[i], 1);
      }
      visit(choice);
    }
    return;
  }
  spread(count, limits.family_max, [&](std::size_t end) {
    StateChoice prefix{std::vector<char>(units_.size(), 0)};
    for (std::size_t i = 0; i < end; ++i) set_all(prefix, groups[i], 1);
    visit(prefix);
  });
  for (char kept : {char{0}, char{1}}) {
    spread(count, limits.family_max, [&](std::size_t one) {
      StateChoice choice{std::vector<char>(units_.size(), kept == 0 ? char{1} : char{0})};
      set_all(choice, groups[one], kept);
      visit(choice);
    });
  }
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < limits.random_states; ++i) {
    const auto share = random() % 7 + 1;  // of eight
    StateChoice choice{std::vector<char>(units_.size(), 0)};
    for (const auto& group : groups) {
      if (random() % 8 < share) set_all(choice, group, 1);
    }
    visit(choice);
  }
}

// A file that grew may end anywhere between its old and its new end.
void CrashPoint::each_torn_tail(const StateLimits& limits, const Visit& visit) const {
  std::vector<std::size_t> growths;
  std::ranges::copy_if(size_units_, std::back_inserter(growths), [&](std::size_t unit) {
    return units_[unit].size > units_[unit].size_before;
  });
  spread(growths.size(), std::max<std::size_t>(1, limits.family_max / 8), [&](std::size_t at) {
    const Unit& unit = units_[growths[at]];
    StateChoice choice{std::vector<char>(units_.size(), 0)};
    std::fill_n(choice.kept.begin(), growths[at] + 1, 1);
    auto step = std::max<std::uint64_t>(1, (unit.size - unit.size_before) / 5);
    for (auto size : {unit.size_before + 1, unit.size_before + step, unit.size - 2 * step,
                      unit.size - step, unit.size - 1}) {
      if (size <= unit.size_before || size >= unit.size) continue;
      for (auto whole : {size, size / sector_bytes * sector_bytes}) {
        choice.size = {unit.node, whole};
        visit(choice);
      }
    }
  });
}

void CrashPoint::each_surprise(const StateLimits& limits, const Visit& visit) const {
  for (const Surprise& torn : disk_.torn()) {
    const Sector before = pool_.at(torn.before);
    const Sector after = pool_.at(torn.after);
    constexpr std::size_t word = 8;
    for (std::size_t at = 0; at < sector_bytes; at += word) {
      if (std::memcmp(&before[at], &after[at], word) == 0) continue;
      Sector prefix = after;
      std::memcpy(&prefix[at], &before[at], sector_bytes - at);
      Sector without = after;
      std::memcpy(&without[at], &before[at], word);
      for (const Sector& sector : {prefix, without}) {
        StateChoice choice{std::vector<char>(units_.size(), 1)};
        choice.surprise = {torn.node, torn.sector, torn.after, pool_.add(sector)};
        visit(choice);
      }
    }
  }
  const auto& forgotten = disk_.forgotten();
  spread(forgotten.size(), limits.family_max, [&](std::size_t at) {
    const Surprise& lie = forgotten[at];
    if (disk_.nodes()[lie.node].durable.at(lie.sector) != lie.after) return;
    StateChoice choice{std::vector<char>(units_.size(), 0)};
    choice.surprise = {lie.node, lie.sector, lie.after, lie.before};
    visit(choice);
  });
}

// Whether a unit is kept and nothing kept was written over it.
bool CrashPoint::stays(std::size_t unit, const StateChoice& choice) const {
  if (choice.kept[unit] == 0) return false;
  for (auto later = later_[unit]; later != none; later = later_[later]) {
    if (choice.kept[later] != 0) return false;
  }
  return true;
}

std::uint64_t CrashPoint::size_of(NodeId node, const StateChoice& choice) const {
  if (choice.size && choice.size->first == node) return choice.size->second;
  auto size = disk_.nodes()[node].durable.size;
  for (auto i : size_units_) {
    if (units_[i].node == node && choice.kept[i] != 0) size = units_[i].size;
  }
  return size;
}

void CrashPoint::collect(NodeId folder, const std::string& prefix, const StateChoice& choice,
                         std::vector<Named>& names) const {
  auto inside = disk_.nodes()[folder].durable_names;
  for (auto i : name_units_) {
    const Unit& unit = units_[i];
    if (unit.node != folder || choice.kept[i] == 0) continue;
    for (const auto& [name, node] : unit.names) inside[name] = node;
  }
  for (const auto& [name, node] : inside) {
    if (node == no_node) continue;
    auto path = prefix + name;
    names.push_back({path, node, std::hash<std::string>{}(path)});
    if (disk_.nodes()[node].is_folder) collect(node, path + "/", choice, names);
  }
}

std::vector<CrashPoint::Named> CrashPoint::names_of(const StateChoice& choice) const {
  if (name_units_.empty()) return durable_names_;
  std::vector<Named> names;
  collect(root_node, "", choice, names);
  return names;
}

std::uint64_t CrashPoint::hash(const StateChoice& choice) const {
  auto contents = durable_hashes_;
  std::vector<std::uint64_t> sizes;
  for (NodeId node = 0; node < contents.size(); ++node) sizes.push_back(size_of(node, choice));
  auto replace = [&](NodeId node, std::size_t sector, SectorId before, SectorId after) {
    if (sector * sector_bytes >= sizes[node]) after = 0;
    contents[node] += sector_hash(sector, after) - sector_hash(sector, before);
  };
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const Unit& unit = units_[i];
    if (unit.kind != Unit::Kind::data || !stays(i, choice)) continue;
    replace(unit.node, unit.sector, disk_.nodes()[unit.node].durable.at(unit.sector), unit.content);
  }
  if (const auto& surprise = choice.surprise) {
    replace(surprise->node, surprise->sector, surprise->before, surprise->after);
  }
  std::uint64_t sum = 0;
  auto add = [&](const Named& named) {
    sum += mix(mix(named.hash, contents[named.node]), sizes[named.node]);
  };
  if (name_units_.empty()) {
    for (const Named& named : durable_names_) add(named);
  } else {
    for (const Named& named : names_of(choice)) add(named);
  }
  return sum;
}

DiskImage CrashPoint::image(const StateChoice& choice) const {
  DiskImage image;
  for (const Named& named : names_of(choice)) {
    const Node& node = disk_.nodes()[named.node];
    ImageEntry entry{named.path, node.is_folder, node.durable};
    for (std::size_t i = 0; i < units_.size(); ++i) {
      const Unit& unit = units_[i];
      if (unit.kind != Unit::Kind::data || unit.node != named.node || choice.kept[i] == 0) continue;
      entry.file.set(unit.sector, unit.content);
    }
    if (choice.surprise && choice.surprise->node == named.node) {
      entry.file.set(choice.surprise->sector, choice.surprise->after);
    }
    entry.file.size = size_of(named.node, choice);
    entry.file.trim(pool_);
    image.push_back(std::move(entry));
  }
  return image;
}

std::string CrashPoint::describe(const StateChoice& choice) const {
  constexpr std::size_t listed_max = 6;
  std::map<NodeId, std::string> paths;
  StateChoice all{std::vector<char>(units_.size(), 1)};
  for (const Named& named : names_of(all)) paths[named.node] = named.path;
  auto kept = static_cast<std::size_t>(std::ranges::count(choice.kept, 1));
  const bool list_kept = kept < units_.size() - kept;
  std::string text = std::to_string(kept) + " of " + std::to_string(units_.size()) +
                     " unsynced units kept" + (list_kept ? ", with" : ", without");
  std::size_t listed = 0;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if ((choice.kept[i] != 0) != list_kept) continue;
    if (listed++ == listed_max) {
      text += " …";
      break;
    }
    const Unit& unit = units_[i];
    text += " [";
    if (unit.kind == Unit::Kind::data) text += "sector " + std::to_string(unit.sector) + " of ";
    if (unit.kind == Unit::Kind::size) text += "size " + std::to_string(unit.size) + " of ";
    for (const auto& [name, node] : unit.names)
      text += (node == no_node ? "-" : "+") + name + " in ";
    text += paths[unit.node] + ", step " + std::to_string(unit.step) + "]";
  }
  if (choice.size) {
    text += "; " + paths[choice.size->first] + " ends at " + std::to_string(choice.size->second);
  }
  if (choice.surprise) {
    text += "; sector " + std::to_string(choice.surprise->sector) + " of " +
            paths[choice.surprise->node] + " torn or old";
  }
  return text;
}

}  // namespace almanac::test
