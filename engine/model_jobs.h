// Loads, unloads and checks of models: each by a command or a function, on a thread of its own.
#pragma once

#include <almanac/engine/model_table.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace almanac {

// Where commands run.
struct ModelPlace {
  std::filesystem::path folder;
  std::vector<std::string> environment;  // "NAME=value"
  int guard_socket = -1;
};

// Begins it; its result is in the entry's `work` before the table's waiters are woken. With the
// table's mutex held, of an entry without work.
using BeginModelWork = std::function<void(
    const std::shared_ptr<ModelTable>& table, ModelEntry& entry, ModelWork::Kind kind,
    const ModelJob& job, const Model& model, const ModelPlace& place)>;
void begin_work(const std::shared_ptr<ModelTable>& table, ModelEntry& entry, ModelWork::Kind kind,
                const ModelJob& job, const Model& model, const ModelPlace& place);

}  // namespace almanac
