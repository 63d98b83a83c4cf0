#include <almanac/tools/setting_json.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/json_fields.h>
#include <almanac/tools/policy_text.h>
#include <almanac/tools/queue_retention.h>
#include <almanac/tools/units.h>

#include <almanac/engine/limits.h>
#include <almanac/projections/queues.h>

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace almanac {

using nlohmann::ordered_json;

namespace {

constexpr JsonFields::Range unsigned_32{.max = std::numeric_limits<std::uint32_t>::max()};
constexpr JsonFields::Range signed_32{.min = std::numeric_limits<std::int32_t>::min(),
                                      .max = std::numeric_limits<std::int32_t>::max()};

ordered_json retained_json(Duration kept) {
  return kept == retained_for_ever ? ordered_json("forever") : ordered_json(kept.count());
}

// A number of microseconds, or "forever".
void read_retained(JsonFields& fields, std::string_view name, std::optional<Duration>& place) {
  fields.value(name, [&](const ordered_json& value) -> Result<void> {
    if (value.is_string() && value.get<std::string>() == "forever") {
      place = retained_for_ever;
      return {};
    }
    const bool is_time = value.is_number_unsigned() &&
                         value.get<std::uint64_t>() <= std::uint64_t(duration_max.count());
    if (!is_time) {
      return fail(ErrorCode::invalid, "it is no time", "send microseconds, or \"forever\"");
    }
    place = Duration(value.get<std::int64_t>());
    return {};
  });
}

Result<void> read_weights(const ordered_json& value, std::map<std::string, std::int32_t>& weights) {
  JsonFields fields(value);
  if (value.is_object()) {
    for (const auto& [name, weight] : value.items()) {
      fields.number(name, weights[name], signed_32);
    }
  }
  return fields.done();
}

// As text, which is how it is on record, or as the object in it.
Result<ModelCommands> model_commands_of(const ordered_json& value) {
  ordered_json object = value;
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    if (text.empty()) return ModelCommands();
    auto parsed = parse_json(text);
    if (!parsed) return std::unexpected(parsed.error());
    object = std::move(*parsed);
  }
  ModelCommands commands;
  JsonFields fields(object);
  fields.texts("load", commands.load);
  fields.texts("unload", commands.unload);
  fields.texts("check", commands.check);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  return commands;
}

}  // namespace

ordered_json queue_setting_json(const ConfigureQueue& setting) {
  ordered_json json = ordered_json::object();
  if (setting.slots) json["slots"] = *setting.slots;
  if (setting.policy) json["policy"] = name(*setting.policy);
  if (setting.ageing) json["ageing_us"] = setting.ageing->count();
  if (setting.window) json["window_us"] = setting.window->count();
  if (setting.short_work) json["short_work_us"] = setting.short_work->count();
  for (const auto& [name, weight] : setting.weights) json["weights"][name] = weight;
  if (setting.retain_succeeded) {
    json["retain_succeeded_us"] = retained_json(*setting.retain_succeeded);
  }
  if (setting.retain_failed) json["retain_failed_us"] = retained_json(*setting.retain_failed);
  if (setting.retain_cancelled) {
    json["retain_cancelled_us"] = retained_json(*setting.retain_cancelled);
  }
  return json;
}

Result<ConfigureQueue> queue_setting_of(std::string queue, const ordered_json& json) {
  ConfigureQueue setting{.queue = std::move(queue)};
  JsonFields fields(json);
  fields.number("slots", setting.slots, {.max = limits::slots_max});
  fields.word("policy", setting.policy, parse_policy);
  fields.microseconds("ageing_us", setting.ageing);
  fields.microseconds("window_us", setting.window);
  fields.microseconds("short_work_us", setting.short_work);
  fields.value("weights",
               [&](const ordered_json& value) { return read_weights(value, setting.weights); });
  read_retained(fields, "retain_succeeded_us", setting.retain_succeeded);
  read_retained(fields, "retain_failed_us", setting.retain_failed);
  read_retained(fields, "retain_cancelled_us", setting.retain_cancelled);
  fields.skip("queue paused");
  for (std::size_t i = 0; i < task_state_count; ++i) fields.skip(name(static_cast<TaskState>(i)));
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  return setting;
}

ordered_json limit_setting_json(const LimitSetting& setting) {
  return {{"units", setting.units}, {"per_minute", setting.per_minute}, {"burst", setting.burst}};
}

Result<LimitSetting> limit_setting_of(const ordered_json& json) {
  LimitSetting setting;
  JsonFields fields(json);
  fields.number("units", setting.units);
  fields.number("per_minute", setting.per_minute, unsigned_32);
  setting.burst = std::min(setting.per_minute, 1U);
  fields.number("burst", setting.burst, unsigned_32);
  fields.skip("limit used tokens waiting");
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  if (setting.is_set()) return setting;
  return fail(ErrorCode::invalid, "it is not said what the limit is set to",
              "send units, per_minute or both; DELETE lifts a limit");
}

Result<CircuitSetting> circuit_setting_of(const ordered_json& json) {
  CircuitSetting setting;
  JsonFields fields(json);
  fields.number("requests_min", setting.requests_min, unsigned_32);
  fields.number("failure_permille", setting.failure_permille, {.min = 1, .max = 1'000});
  fields.number("consecutive_failures", setting.consecutive_failures, unsigned_32);
  fields.microseconds("window_us", setting.window);
  fields.microseconds("cooldown_us", setting.cooldown);
  setting.cooldown_max = std::max(setting.cooldown_max, setting.cooldown);
  fields.microseconds("cooldown_max_us", setting.cooldown_max);
  fields.number("probes", setting.probes,
                {.min = 1, .max = std::numeric_limits<std::uint16_t>::max()});
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  return setting;
}

ordered_json model_setting_json(const ModelSpec& model) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? ordered_json() : ordered_json(text);
  };
  return {{"bytes", model.bytes},
          {"only_gpu", text_or_null(model.gpu)},
          {"alternative", text_or_null(model.alternative)},
          {"priority", model.priority},
          {"pinned", model.is_pinned},
          {"residency_us", model.residency.count()},
          {"timeout_us", model.timeout.count()},
          {"commands", commands_json(model.commands)}};
}

Result<ModelSpec> model_setting_of(std::string model, const ordered_json& json) {
  ModelSpec spec{.name = std::move(model)};
  JsonFields fields(json);
  fields.number("bytes", spec.bytes);
  fields.text("only_gpu", spec.gpu);
  fields.text("alternative", spec.alternative);
  fields.number("priority", spec.priority, signed_32);
  fields.truth("pinned", spec.is_pinned);
  fields.microseconds("residency_us", spec.residency);
  fields.microseconds("timeout_us", spec.timeout);
  fields.value("commands", [&](const ordered_json& value) -> Result<void> {
    auto commands = model_commands_of(value);
    if (!commands) return std::unexpected(commands.error());
    spec.commands = std::move(*commands);
    return {};
  });
  fields.skip("model state gpu learned reserved load_time_us uses used_at loads loaded_at");
  fields.skip("failures failures_in_row retry_at evictions slow_releases degraded changed");
  fields.skip("changed_at in_use waiting reason");
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  if (auto checked = check(spec); !checked) return std::unexpected(checked.error());
  return spec;
}

ordered_json schedule_setting_json(const ScheduleSpec& schedule) {
  ordered_json json{{"recurrence", schedule.recurrence.text()},
                    {"missed", name(schedule.missed)},
                    {"overlap", name(schedule.overlap)}};
  if (schedule.window > Duration(0)) json["window"] = format_duration(schedule.window);
  return json;
}

Result<ScheduleSpec> schedule_setting_of(std::string schedule, const ordered_json& json) {
  std::optional<Recurrence> recurrence;
  MissedPolicy missed = MissedPolicy::once;
  OverlapPolicy overlap = OverlapPolicy::skip;
  Duration window{0};
  JsonFields fields(json);
  fields.word("recurrence", recurrence, Recurrence::parse);
  fields.word("missed", missed, missed_policy_from);
  fields.word("overlap", overlap, overlap_policy_from);
  fields.duration("window", window);
  fields.require("recurrence");
  fields.require("enqueues");
  fields.skip(
      "enqueues schedule defined paused next queued task fired firings skipped label queue");
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  if (!recurrence) return fail(ErrorCode::invalid, "the recurrence is null", "send a text");
  if ((window > Duration(0)) != (missed == MissedPolicy::all)) {
    return fail(ErrorCode::invalid, "missed \"all\" and window belong together",
                "send both, or none of them");
  }
  return ScheduleSpec{.name = std::move(schedule),
                      .recurrence = std::move(*recurrence),
                      .task = {},
                      .missed = missed,
                      .window = window,
                      .overlap = overlap};
}

}  // namespace almanac
