// Events of the program's own.
#include <almanac/engine/engine_parts.h>

#include <utility>

namespace almanac {

Result<std::vector<AppendedEvent>> Engine::append_all(std::vector<EventSpec> events) {
  auto answer = ask(AppendEvents{std::move(events)});
  if (!answer) return std::unexpected(answer.error());
  return std::get<std::vector<AppendedEvent>>(std::move(*answer));
}

Result<AppendedEvent> Engine::append(EventSpec event) {
  std::vector<EventSpec> events;
  events.push_back(std::move(event));
  auto appended = append_all(std::move(events));
  if (!appended) return std::unexpected(appended.error());
  return appended->front();
}

void Engine::append(std::vector<EventSpec> events,
                    std::function<void(Result<std::vector<AppendedEvent>>)> done) {
  tell(AppendEvents{std::move(events)}, [done = std::move(done)](Result<Answer> answer) {
    if (!answer) return done(std::unexpected(answer.error()));
    done(std::get<std::vector<AppendedEvent>>(std::move(*answer)));
  });
}

}  // namespace almanac
