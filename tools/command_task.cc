#include <almanac/tools/command_task.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/command_spec.h>
#include <almanac/engine/limits.h>

#include <charconv>
#include <filesystem>
#include <limits>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t label_columns_max = 60;

// The working folder of the command, which is also that of this process.
Result<std::string> current_folder() {
  std::error_code error;
  auto path = std::filesystem::current_path(error);
  if (error) return fail_errno(error.value(), "tell the current folder");
  return path.string();
}

// "memory=4", and "gpu" for one of it.
Result<TaskDemand> parse_need(const std::string& text) {
  const auto equals = text.rfind('=');
  TaskDemand demand{.limit = text.substr(0, equals)};
  if (equals == std::string::npos) return demand;
  const char* first = text.data() + equals + 1;
  const char* end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(first, end, demand.units);
  if (error == std::errc() && behind == end && first != end) return demand;
  return fail(ErrorCode::invalid, "'" + printable(text) + "' does not say how much is needed",
              "write a limit and a whole number: --needs memory=4");
}

}  // namespace

Result<std::optional<GpuMemorySpec>> read_gpu_memory(const std::string& size,
                                                     const std::string& gpu) {
  if (size.empty() && gpu.empty()) return std::optional<GpuMemorySpec>();
  if (size.empty()) {
    return fail(ErrorCode::invalid, "a GPU is named, and not how much of its memory is needed",
                "say it: 9GiB, or leave the GPU out");
  }
  auto bytes = parse_bytes(size);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes == 0) {
    return fail(ErrorCode::invalid, "it asks for no memory of a GPU",
                "ask for more, or leave it out");
  }
  return GpuMemorySpec{*bytes, gpu};
}

void add_command_task(OptionSet& options, CommandTask& task) {
  options.words("command", task.arguments, {"WORD", "The command and its arguments, after --"});
  options.require("command");
  options.text("-q,--queue", task.queue, {"NAME", "Queue; when left out, default"});
  options.integer("-p,--priority", task.priority, {"NUMBER", "Larger runs first"});
  options.number("--attempts", task.attempts, {.min = 1, .max = limits::attempts_max},
                 {"NUMBER", "Tries in all"});
  options.text("--retry", task.retry,
               {"POLICY",
                "How the wait between attempts grows: fixed,\n"
                "exponential, fixed_jitter, exponential_jitter"});
  options.number("--crashes", task.crashes, {.min = 1, .max = limits::attempts_max},
                 {"NUMBER", "With the last of so many crashes it has failed"});
  options.text("--timeout", task.timeout, {"TIME", "Of one attempt, such as 30s or 5m"});
  options.number("--version", task.version, {.max = std::numeric_limits<std::uint32_t>::max()},
                 {"NUMBER", "Waits for a run of this version; 0 = any"});
  options.text("--owner", task.owner, {"NAME", "For whom it runs"});
  options.text("--estimate", task.estimate, {"TIME", "How long an attempt may take, such as 5m"});
  options.texts("--tag", task.tags, {"NAME", "A tag; may be repeated"});
  options.text("--model", task.model, {"NAME", "A model that is loaded while it runs"});
  options.text("--gpu-memory", task.gpu_memory,
               {"SIZE", "Memory of one GPU while it runs, such as 9GiB"});
  options.text("--gpu", task.gpu, {"IDENTITY", "Of this GPU; any when left out"});
  options.texts("--needs", task.needs, {"LIMIT=UNITS", "What it asks of a limit; may be repeated"});
}

Result<TaskSpec> make_task(const CommandTask& task) {
  auto folder = current_folder();
  if (!folder) return std::unexpected(folder.error());
  auto payload =
      encode({.arguments = task.arguments, .working_folder = *folder, .environment = {}});
  if (!payload) return std::unexpected(payload.error());
  TaskSpec spec{.kind = std::string(command_kind),
                .queue = task.queue,
                .label = cut(shell_line(task.arguments), label_columns_max),
                .payload = std::move(*payload),
                .priority = task.priority,
                .attempts_max = static_cast<std::uint16_t>(task.attempts),
                .crashes_max = static_cast<std::uint16_t>(task.crashes),
                .tags = task.tags,
                .owner = task.owner,
                .version = static_cast<std::uint32_t>(task.version)};
  if (!task.retry.empty()) {
    auto policy = retry_policy_from(task.retry);
    if (!policy) return std::unexpected(policy.error());
    spec.retry_policy = *policy;
  }
  if (!task.timeout.empty()) {
    auto timeout = parse_duration(task.timeout);
    if (!timeout) return std::unexpected(timeout.error());
    spec.timeout = *timeout;
  }
  if (!task.estimate.empty()) {
    auto estimate = parse_duration(task.estimate);
    if (!estimate) return std::unexpected(estimate.error());
    spec.estimate = *estimate;
  }
  for (const std::string& need : task.needs) {
    auto demand = parse_need(need);
    if (!demand) return std::unexpected(demand.error());
    spec.demands.push_back(std::move(*demand));
  }
  if (!task.model.empty()) spec.demands.push_back({task.model, 1});
  auto memory = read_gpu_memory(task.gpu_memory, task.gpu);
  if (!memory) return std::unexpected(memory.error());
  spec.gpu_memory = std::move(*memory);
  return spec;
}

}  // namespace almanac
