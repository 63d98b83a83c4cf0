#include <almanac/tools/what_if_settings.h>

#include <almanac/engine/limits.h>
#include <almanac/tools/text.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>

namespace almanac {
namespace {

// By which a queue chooses what runs next.
constexpr std::array<std::string_view, 1> policies = {"priority"};

// The only one there is needs no setting.
void set_policy(ConfigureQueue&, std::string_view) {}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> found(1);
  for (char c : text) {
    if (c == ',') {
      found.emplace_back();
    } else {
      found.back() += c;
    }
  }
  return found;
}

std::optional<std::uint32_t> slots_from(std::string_view text, std::uint32_t least) {
  std::uint32_t slots = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), slots);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || slots < least || slots > limits::slots_max) return std::nullopt;
  return slots;
}

Result<std::vector<std::uint32_t>> read_slots(const std::string& text, const RecordedWork& work) {
  if (text.empty() && work.slots > 0) return std::vector<std::uint32_t>{work.slots};
  if (text.empty()) {
    return fail(ErrorCode::invalid, "nothing says how many slots there were",
                "say how many to try: --slots 4,8,16");
  }
  std::vector<std::uint32_t> all;
  for (const std::string& word : words(text)) {
    const auto slots = slots_from(word, 1);
    if (!slots) {
      return fail(ErrorCode::invalid, "'" + printable(word) + "' is no number of slots",
                  fmt::format("write numbers from 1 to {}, as in --slots 4,8", limits::slots_max));
    }
    all.push_back(*slots);
  }
  return all;
}

// The last setting recorded of each queue, and those that were typed in its place.
Result<std::map<std::string, ConfigureQueue>> read_queues(const WhatIfChoices& choices) {
  std::map<std::string, ConfigureQueue> queues;
  for (const std::string& text : choices.queue_slots) {
    const auto middle = std::min(text.rfind('='), text.size());
    const auto name = text.substr(0, middle);
    const auto slots = middle == text.size()
                           ? std::nullopt
                           : slots_from(std::string_view(text).substr(middle + 1), 0);
    if (name.empty() || !slots) {
      return fail(ErrorCode::invalid, "'" + printable(text) + "' does not say a queue's slots",
                  "write QUEUE=NUMBER, as in --queue-slots web=2; 0 = as many as the engine has");
    }
    queues[name] = {.queue = name, .slots = *slots};
  }
  return queues;
}

Result<std::vector<std::string>> read_policies(const std::string& text) {
  if (text.empty()) return std::vector<std::string>{""};
  auto named = words(text);
  for (const std::string& word : named) {
    if (std::ranges::find(policies, word) != policies.end()) continue;
    return fail(ErrorCode::invalid, "there is no policy '" + printable(word) + "'",
                fmt::format("take {}", fmt::join(policies, ", ")));
  }
  return named;
}

// A policy is set for every queue that has a task.
std::vector<ConfigureQueue> queues_with(std::string_view policy, const RecordedWork& work,
                                        std::map<std::string, ConfigureQueue> queues) {
  if (!policy.empty()) {
    std::map<std::string, ConfigureQueue> recorded;
    for (const RecordedSettings& one : work.settings) recorded[one.queue.queue] = one.queue;
    for (const RecordedTask& task : work.tasks) {
      recorded.try_emplace(task.spec.queue, ConfigureQueue{.queue = task.spec.queue});
    }
    queues.merge(recorded);
  }
  std::vector<ConfigureQueue> all;
  for (auto& [name, queue] : queues) {
    if (!policy.empty()) set_policy(queue, policy);
    all.push_back(std::move(queue));
  }
  return all;
}

}  // namespace

Result<std::vector<WhatIfCase>> cases_of(const WhatIfChoices& choices, const RecordedWork& work) {
  const auto slots = read_slots(choices.slots, work);
  if (!slots) return std::unexpected(slots.error());
  const auto queues = read_queues(choices);
  if (!queues) return std::unexpected(queues.error());
  const auto named = read_policies(choices.policies);
  if (!named) return std::unexpected(named.error());
  std::vector<WhatIfCase> cases;
  for (const std::string& policy : *named) {
    for (std::uint32_t count : *slots) {
      cases.push_back({.policy = policy,
                       .settings = {.slots = count,
                                    .queues = queues_with(policy, work, *queues),
                                    .deadline = choices.deadline}});
    }
  }
  return cases;
}

}  // namespace almanac
