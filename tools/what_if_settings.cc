#include <almanac/tools/what_if_settings.h>

#include <almanac/engine/limits.h>
#include <almanac/tools/policy_text.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <ranges>
#include <utility>

namespace almanac {
namespace {

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

using QueueSlots = std::map<std::string, std::uint32_t>;

// "NAME=VALUE": both parts, none where one is missing.
std::optional<std::pair<std::string, std::string>> split(const std::string& text) {
  const auto middle = text.rfind('=');
  if (middle == std::string::npos || middle == 0 || middle + 1 == text.size()) return std::nullopt;
  return std::pair(text.substr(0, middle), text.substr(middle + 1));
}

Result<QueueSlots> read_queue_slots(const std::vector<std::string>& texts) {
  QueueSlots queues;
  for (const std::string& text : texts) {
    const auto parts = split(text);
    const auto slots = parts ? slots_from(parts->second, 0) : std::nullopt;
    if (!slots) {
      return fail(ErrorCode::invalid, "'" + printable(text) + "' does not say a queue's slots",
                  "write QUEUE=NUMBER, as in --queue-slots web=2; 0 = as many as the engine has");
    }
    queues[parts->first] = *slots;
  }
  return queues;
}

struct Policies {
  std::vector<std::string> tried = {};  // by every queue of which nothing else is said
  std::map<std::string, QueuePolicy> of_queues = {};
  std::string said_of_queues = {};
};

Result<Policies> read_policies(const std::string& text) {
  if (text.empty()) return Policies{.tried = {""}};
  Policies policies;
  for (const std::string& word : words(text)) {
    if (word == "all") {
      for (int i = 0; i < queue_policy_count; ++i) {
        policies.tried.emplace_back(name(static_cast<QueuePolicy>(i)));
      }
      continue;
    }
    const auto parts = split(word);
    const auto policy = parse_policy(parts ? parts->second : word);
    if (!policy) return std::unexpected(policy.error());
    if (!parts) {
      policies.tried.push_back(word);
      continue;
    }
    policies.of_queues[parts->first] = *policy;
    policies.said_of_queues += (policies.said_of_queues.empty() ? "" : ",") + word;
  }
  if (policies.tried.empty()) policies.tried.emplace_back();
  return policies;
}

// What was recorded last of each queue that has settings or a task.
std::map<std::string, ConfigureQueue> queues_of(const RecordedWork& work) {
  std::map<std::string, ConfigureQueue> queues;
  for (const RecordedSettings& one : work.settings) queues[one.queue.queue] = one.queue;
  for (const RecordedTask& task : work.tasks) {
    queues.try_emplace(task.spec.queue, ConfigureQueue{.queue = task.spec.queue});
  }
  return queues;
}

Result<void> check_queues(const Policies& policies, const RecordedWork& work) {
  const auto queues = queues_of(work);
  for (const auto& [queue, policy] : policies.of_queues) {
    if (queues.contains(queue)) continue;
    return fail(ErrorCode::invalid, "no task is in a queue '" + printable(queue) + "'",
                fmt::format("there are {}", fmt::join(std::views::keys(queues), ", ")));
  }
  return {};
}

// Only those that are not as recorded.
std::vector<ConfigureQueue> changed_queues(const std::string& tried, const Policies& policies,
                                           const QueueSlots& slots, const RecordedWork& work) {
  std::vector<ConfigureQueue> changed;
  auto queues = queues_of(work);
  for (const auto& [name, count] : slots) {
    queues.try_emplace(name, ConfigureQueue{.queue = name}).first->second.slots = count;
  }
  for (auto& [name, queue] : queues) {
    const auto own = policies.of_queues.find(name);
    const bool is_named = own != policies.of_queues.end();
    if (!is_named && tried.empty() && !slots.contains(name)) continue;
    if (is_named || !tried.empty()) {
      const QueuePolicy policy = is_named ? own->second : *parse_policy(tried);
      if (policy != queue.policy.value_or(QueuePolicy::priority)) {
        queue = {.queue = name, .slots = queue.slots, .policy = policy};
      }
    }
    changed.push_back(std::move(queue));
  }
  return changed;
}

// "4", "60/min" or "60/min:10".
std::optional<LimitSetting> limit_from(std::string_view text) {
  LimitSetting setting;
  const auto number = [&](auto& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc() && value > 0;
  };
  const auto take = [&](std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
  };
  if (!text.contains('/')) {
    return number(setting.units) && text.empty() ? std::optional(setting) : std::nullopt;
  }
  if (!number(setting.per_minute) || !take("/min")) return std::nullopt;
  setting.burst = 1;
  if (take(":") && !number(setting.burst)) return std::nullopt;
  return text.empty() ? std::optional(setting) : std::nullopt;
}

bool is_asked_for(const std::string& limit, const RecordedWork& work) {
  if (limit.ends_with('*')) return true;
  const auto kind = kind_of_limit(limit);
  const auto asks = [&](const RecordedTask& task) {
    if (!kind.empty() && task.spec.kind == kind) return true;
    return std::ranges::any_of(task.spec.demands,
                               [&](const TaskDemand& demand) { return demand.limit == limit; });
  };
  return std::ranges::any_of(work.tasks, asks);
}

Result<std::vector<ConfigureLimit>> read_limits(const std::vector<std::string>& texts,
                                                const RecordedWork& work) {
  std::vector<ConfigureLimit> limits;
  for (const std::string& text : texts) {
    const auto parts = split(text);
    const auto setting = parts ? limit_from(parts->second) : std::nullopt;
    if (!setting) {
      return fail(ErrorCode::invalid, "'" + printable(text) + "' does not say what a limit is",
                  "write --limit gpu=2 for units, --limit mail=60/min for a rate, or "
                  "mail=60/min:10 for one with a burst");
    }
    if (!is_asked_for(parts->first, work)) {
      return fail(ErrorCode::invalid,
                  "no task asks for the limit '" + printable(parts->first) + "'",
                  "name one that tasks ask for, or kind:KIND, which every task of a kind does");
    }
    limits.push_back({.name = parts->first, .setting = *setting});
  }
  return limits;
}

Result<std::vector<WhatIfModelSettings>> read_models(const WhatIfChoices& choices) {
  WhatIfModelSettings settings{.models = choices.models, .patience = choices.model_patience};
  if (choices.models.empty() && choices.gpu_memory.empty()) return std::vector{settings};
  const auto memory = parse_bytes(choices.gpu_memory);
  if (!memory) {
    return fail(ErrorCode::invalid, "nothing says how much memory the GPU has",
                "say it: --gpu-memory 24GiB");
  }
  settings.memory = *memory;
  std::vector<WhatIfModelSettings> all;
  const bool says_nothing = choices.model_orders.empty();
  for (const std::string& word :
       words(says_nothing ? "first_come,batched" : choices.model_orders)) {
    settings.order = ModelOrder::batched;
    if (word == name(ModelOrder::first_come)) settings.order = ModelOrder::first_come;
    if (word != name(settings.order)) {
      return fail(ErrorCode::invalid, "'" + printable(word) + "' is no order of models",
                  "write batched, first_come, or both with a comma between");
    }
    all.push_back(settings);
  }
  return all;
}

// What the table calls the policies of a case.
std::string label_of(const std::string& tried, const Policies& policies) {
  const bool has_both = !tried.empty() && !policies.said_of_queues.empty();
  return tried + (has_both ? "," : "") + policies.said_of_queues;
}

}  // namespace

Result<std::vector<WhatIfCase>> cases_of(const WhatIfChoices& choices, const RecordedWork& work) {
  const auto slots = read_slots(choices.slots, work);
  if (!slots) return std::unexpected(slots.error());
  const auto queue_slots = read_queue_slots(choices.queue_slots);
  if (!queue_slots) return std::unexpected(queue_slots.error());
  const auto policies = read_policies(choices.policies);
  if (!policies) return std::unexpected(policies.error());
  if (auto checked = check_queues(*policies, work); !checked) {
    return std::unexpected(checked.error());
  }
  const auto limits = read_limits(choices.limits, work);
  if (!limits) return std::unexpected(limits.error());
  const auto models = read_models(choices);
  if (!models) return std::unexpected(models.error());
  std::vector<WhatIfCase> cases;
  for (const std::string& tried : policies->tried) {
    for (std::uint32_t count : *slots) {
      WhatIfCase one{.policy = label_of(tried, *policies),
                     .settings = {.slots = count,
                                  .queues = changed_queues(tried, *policies, *queue_slots, work),
                                  .limits = *limits,
                                  .deadline = choices.deadline,
                                  .models = {}}};
      for (const WhatIfModelSettings& order : *models) {
        one.settings.models = order;
        cases.push_back(one);
      }
    }
  }
  return cases;
}

}  // namespace almanac
