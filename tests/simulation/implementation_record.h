// The oracle's own record of what runs kinds: which versions, and several implementations, their
// order and which were left.
#pragma once

#include <almanac/log/events/implementation.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {

class ImplementationRecord {
 public:
  void see(const ImplementationsSet& event) {
    versions_[std::string(event.kind)] = event.versions;
    auto& all = all_[std::string(event.kind)];
    all.clear();
    for (std::size_t i = 0; i < event.implementations.size(); ++i) {
      const auto [name, attempts] = event.implementations[i];
      all.emplace_back(std::string(name), attempts);
    }
    std::erase_if(left_, [&](const auto& one) {
      return one.first == event.kind && find(one.first, one.second) == all.end();
    });
  }
  void engine_starts() { versions_.clear(); }
  void see(const ImplementationLeft& event) {
    left_.emplace(std::string(event.kind), std::string(event.implementation));
  }
  void see(const ImplementationReturned& event) {
    left_.erase({std::string(event.kind), std::string(event.implementation)});
  }

  // The first that can be used of those behind another one; empty where there is none.
  [[nodiscard]] std::string usable(const std::string& kind, const std::string& after) const {
    if (!all_.contains(kind)) return {};
    const auto& all = all_.at(kind);
    const auto place = find(kind, after);
    const auto begin = place == all.end() ? all.begin() : std::next(place);
    const auto is_usable = [&](const auto& one) { return !left_.contains({kind, one.first}); };
    const auto first = std::find_if(begin, all.end(), is_usable);
    return first == all.end() ? std::string() : first->first;
  }
  [[nodiscard]] bool takes(const std::string& kind, std::uint32_t version) const {
    const auto found = versions_.find(kind);
    if (found == versions_.end() || version == 0) return true;
    const auto [min, max] = found->second;
    return version >= min && (max == 0 || version <= max);
  }
  // Failed attempts of a task after which the one behind it is used.
  [[nodiscard]] std::uint32_t attempts(const std::string& kind, const std::string& name) const {
    if (!all_.contains(kind)) return 0;
    const auto found = find(kind, name);
    return found == all_.at(kind).end() ? 0 : found->second;
  }

 private:
  using List = std::vector<std::pair<std::string, std::uint32_t>>;
  // The kind must be known.
  [[nodiscard]] List::const_iterator find(const std::string& kind, const std::string& name) const {
    return std::ranges::find(all_.at(kind), name, &List::value_type::first);
  }

  std::map<std::string, List> all_;  // names and attempts
  std::map<std::string, VersionRange> versions_;
  std::set<std::pair<std::string, std::string>> left_;  // kinds and names
};

}  // namespace almanac::test
