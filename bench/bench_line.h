// One result as one line of JSON on standard output: what scripts compare.
#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace almanac {

struct BenchLine {
  std::string bench;
  std::string name;  // of the case, in the words of the issue it answers
  double value = 0;
  std::string unit;
  std::string peer;       // empty = nothing was measured beside
  double peer_value = 0;  // in the same unit
};

inline void print(const BenchLine& line) {
  nlohmann::ordered_json json{
      {"bench", line.bench}, {"case", line.name}, {"value", line.value}, {"unit", line.unit}};
  if (!line.peer.empty()) {
    json["peer"] = line.peer;
    json["peer_value"] = line.peer_value;
    json["ratio"] = line.peer_value > 0 ? line.value / line.peer_value : 0.0;
  }
  std::puts(json.dump().c_str());
  std::fflush(stdout);
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace almanac
