#include <almanac/tools/model_file.h>

#include <almanac/tools/units.h>
#include <almanac/tools/workload_field.h>
#include <almanac/tools/workload_file.h>

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

namespace almanac {
namespace {

using namespace workload;

constexpr std::array<std::string_view, 11> model_keys = {
    "bytes",   "gpu",  "alternative", "priority", "pinned",   "residency",
    "timeout", "load", "unload",      "check",    "load_time"};

Checked<void> read_model_command(const Field& field, std::vector<std::string>& command) {
  auto words = read_words(field);
  if (!words) return std::unexpected(std::move(words.error()));
  for (Word& word : *words) command.push_back(std::move(word.text));
  return {};
}

Checked<void> read_member(ModelSpec& model, const Member& member) {
  const Field field{member.key, member.value};
  constexpr Range priorities{std::numeric_limits<std::int32_t>::min(),
                             std::numeric_limits<std::int32_t>::max()};
  if (member.key == "bytes") return put_choice(field, parse_bytes, model.bytes);
  if (member.key == "gpu") return put(read_text(field), model.gpu);
  if (member.key == "alternative") return put(read_text(field), model.alternative);
  if (member.key == "priority") return put(read_integer(field, priorities), model.priority);
  if (member.key == "pinned") return put(read_truth(field), model.is_pinned);
  if (member.key == "residency") return put(read_duration(field), model.residency);
  if (member.key == "timeout") return put(read_duration(field), model.timeout);
  if (member.key == "load_time") return put(read_duration(field), model.load_time);
  if (member.key == "load") return read_model_command(field, model.commands.load);
  if (member.key == "unload") return read_model_command(field, model.commands.unload);
  if (member.key == "check") return read_model_command(field, model.commands.check);
  return unknown_key(member, model_keys);
}

Checked<std::vector<ModelSpec>> read_models(const Value::Table& head) {
  std::vector<ModelSpec> models;
  for (const Member& member : head) {
    auto table = read_table({member.key, member.value});
    if (!table) return std::unexpected(std::move(table.error()));
    ModelSpec& model = models.emplace_back();
    model.name = member.key;
    for (const Member& field : **table) {
      if (auto read = read_member(model, field); !read) {
        return std::unexpected(std::move(read.error()));
      }
    }
    if (auto checked = check(model); !checked) {
      return fault(member.line, std::move(checked.error().message),
                   std::move(checked.error().next_step));
    }
  }
  return models;
}

}  // namespace

Result<std::vector<ModelSpec>> load_models(const std::string& path) {
  auto file = read_workload_file(path, "file of models");
  if (!file) return std::unexpected(file.error());
  std::vector<ModelSpec> models;
  const Sink sink{.head = [&](const Value::Table& head) -> Checked<void> {
                    auto read = read_models(head);
                    if (!read) return std::unexpected(std::move(read.error()));
                    models = std::move(*read);
                    return {};
                  },
                  .task = [](const Value& task) -> Checked<void> {
                    return fault(task.line, "a file of models has no tasks",
                                 "put them into a workload");
                  }};
  if (auto read = read_toml(file->text, sink); !read) {
    return fail(ErrorCode::invalid, located(file->shown, read.error().line, read.error().message),
                read.error().next_step);
  }
  return models;
}

}  // namespace almanac
