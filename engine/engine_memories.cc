// What the engine is asked to remember.
#include <almanac/engine/engine.h>

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

}  // namespace almanac
