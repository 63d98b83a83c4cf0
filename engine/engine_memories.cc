// What the engine is asked to remember.
#include <almanac/engine/engine_parts.h>
#include <almanac/engine/memory_reader.h>

#include <utility>

namespace almanac {

Result<std::vector<MemoryId>> Engine::change_memories(MemoryTransaction transaction) {
  auto answer = ask(ChangeMemories{std::move(transaction)});
  if (!answer) return std::unexpected(answer.error());
  return std::get<std::vector<MemoryId>>(std::move(*answer));
}

void Engine::change_memories(MemoryTransaction transaction,
                             std::function<void(Result<std::vector<MemoryId>>)> done) {
  tell(ChangeMemories{std::move(transaction)}, [done = std::move(done)](Result<Answer> answer) {
    if (!answer) return done(std::unexpected(answer.error()));
    done(std::get<std::vector<MemoryId>>(std::move(*answer)));
  });
}

Result<MemoryId> Engine::remember(MemorySpec memory) {
  MemoryTransaction transaction;
  transaction.store.push_back(std::move(memory));
  auto stored = change_memories(std::move(transaction));
  if (!stored) return std::unexpected(stored.error());
  return stored->front();
}

Result<void> Engine::update_memory(MemoryUpdate update) {
  MemoryTransaction transaction;
  transaction.update.push_back(std::move(update));
  return ask_without_answer(ChangeMemories{std::move(transaction)});
}

Result<void> Engine::forget_memories(std::vector<MemoryId> ids, std::string reason) {
  return ask_without_answer(
      ChangeMemories{{.forget = std::move(ids), .reason = std::move(reason)}});
}

Result<std::vector<MemoryHit>> Engine::search_memories(MemoryQuery query) {
  if (query.now == Time()) query.now = parts_->options.clock();
  parts_->memories->follow(*state());
  return parts_->memories->search(query);
}

Result<MemoryVersion> Engine::memory(MemoryId id) const {
  const auto now = state();
  const MemoryVersion* version = now->memories.all.find(id);
  if (version == nullptr || (*version)->has_expired(parts_->options.clock())) {
    return fail(ErrorCode::not_found, "there is no memory " + std::to_string(id.value));
  }
  return MemoryReader(*now, &contexts().keys()).open(id, *version);
}

Result<MemoryId> Engine::consolidate_memories(
    Consolidation consolidation,
    const std::function<Result<MemorySpec>(const std::vector<MemoryHit>&)>& sum_up) {
  if (consolidation.now == Time()) consolidation.now = parts_->options.clock();
  const auto found = find_consolidated(*state(), consolidation, &contexts().keys());
  if (!found) return std::unexpected(found.error());
  MemorySpec summary;
  if (!found->empty()) {
    auto made = sum_up(*found);
    if (!made) return std::unexpected(made.error());
    summary = std::move(*made);
  }
  auto transaction = consolidate(consolidation, *found, std::move(summary));
  if (!transaction) return std::unexpected(transaction.error());
  auto stored = change_memories(std::move(*transaction));
  if (!stored) return std::unexpected(stored.error());
  return stored->front();
}

}  // namespace almanac
