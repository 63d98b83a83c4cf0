#include <almanac/engine/memories.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/memory_sealing.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {
namespace {

static_assert(std::endian::native == std::endian::little, "embeddings are stored as they lie here");

Bytes bytes_of(const std::vector<float>& embedding) { return std::as_bytes(std::span(embedding)); }

NameListView view(const std::vector<std::string>& names, Arena& memory) {
  const auto views = memory.array<std::string_view>(names.size());
  std::ranges::copy(names, views.begin());
  return NameListView(views);
}

std::uint32_t millionths(double significance) {
  return static_cast<std::uint32_t>(std::lround(significance * significance_max));
}

Time expiry(Duration time_to_live, Time now) {
  return time_to_live == Duration(0) ? Time() : now + time_to_live;
}

Error unknown_memory(const State& state, MemoryId id) {
  const auto number = std::to_string(id.value);
  if (!id || id > state.memories.last) {
    return {ErrorCode::not_found, "there is no memory " + number,
            "`almanac memory list` shows those there are"};
  }
  return {ErrorCode::not_found, "memory " + number + " was forgotten",
          "`almanac memory get " + number + " --at MOMENT` shows it as it was then"};
}

// What one transaction makes of the state, as far as its own later parts depend on it.
class Changes {
 public:
  Changes(const State& state, const UserKeyRing& keys, const DecideContext& context)
      : state_(state),
        context_(context),
        sealer_(state, keys, context.memory),
        last_(state.memories.last) {}

  Result<MemoryId> store(const MemorySpec& spec, TaskId task) {
    if (auto checked = check_dimension(spec.kind, spec.embedding); !checked) {
      return std::unexpected(checked.error());
    }
    last_ = last_.next();
    MemoryStored event{.id = last_,
                       .kind = spec.kind,
                       .user = spec.user,
                       .said = {},
                       .tags = {},
                       .significance = millionths(spec.significance),
                       .expires_at = expiry(spec.time_to_live, context_.now),
                       .task = task};
    if (spec.user.empty()) {
      event.said = {.content = spec.content,
                    .summary = spec.summary,
                    .embedding = bytes_of(spec.embedding),
                    .metadata = context_.memory.text(to_json(spec.metadata))};
      event.tags = view(spec.tags, context_.memory);
    } else {
      const auto sealed = sealer_.seal_new(spec, last_);
      if (!sealed) return std::unexpected(sealed.error());
      event.sealed = *sealed;
    }
    add(event);
    return last_;
  }

  Result<void> update(const MemoryUpdate& update) {
    const auto found = find(update.id);
    if (!found) return std::unexpected(found.error());
    const Memory& memory = **found;
    if (auto checked = check_changed(update.id, memory, update.expected); !checked) return checked;
    if (update.embedding) {
      auto checked = check_dimension(state_.names.text(memory.kind), *update.embedding);
      if (!checked) return checked;
    }
    auto event = event_of(update, memory);
    if (!event) return std::unexpected(event.error());
    if (event->changed.size() > 0) add(*event);
    return {};
  }

  Result<void> forget(MemoryId id, std::string_view reason, Position expected) {
    const auto found = find(id);
    if (!found) return std::unexpected(found.error());
    if (auto checked = check_changed(id, **found, expected); !checked) return checked;
    if (!forgotten_.insert(id).second) return {};
    add(MemoryForgotten{id, ForgetCause::asked, reason});
    return {};
  }

  [[nodiscard]] std::vector<Event> take() { return std::move(events_); }

 private:
  // Where what is to be remembered enters an event.
  void add(EventBody body) { events_.push_back({.at = context_.now, .body = std::move(body)}); }

  [[nodiscard]] Result<const Memory*> find(MemoryId id) const {
    const MemoryVersion* version = state_.memories.all.find(id);
    if (version == nullptr || (*version)->has_expired(context_.now)) {
      return std::unexpected(unknown_memory(state_, id));
    }
    return &**version;
  }

  [[nodiscard]] static Result<void> check_changed(MemoryId id, const Memory& memory,
                                                  Position expected) {
    if (!expected || expected == memory.changed) return {};
    return fail(ErrorCode::conflict,
                "memory " + std::to_string(id.value) + " was changed at " +
                    std::to_string(memory.changed.value) + ", not at " +
                    std::to_string(expected.value),
                "read it again, and change what it says now");
  }

  // That of its kind, or the first one of it.
  Result<void> check_dimension(std::string_view kind, const std::vector<float>& embedding) {
    if (embedding.empty()) return {};
    auto known = dimensions_.find(kind);
    if (known == dimensions_.end()) {
      const auto id = state_.names.find(kind);
      const EmbeddedKind* of_kind = id ? state_.memories.kinds.find(*id) : nullptr;
      const auto dimension = of_kind == nullptr ? embedding.size() : of_kind->dimension;
      known = dimensions_.emplace(kind, dimension).first;
    }
    if (known->second == embedding.size()) return {};
    return std::unexpected(Error{
        ErrorCode::invalid,
        "embedding: it has " + std::to_string(embedding.size()) + " numbers, those of kind '" +
            std::string(kind) + "' have " + std::to_string(known->second),
        "make it with the same model as the others, or store it as another kind"}
                               .with("field", "embedding"));
  }

  static void take_content(MemoryUpdated& event, const MemoryUpdate& update, Arena& arena,
                           std::vector<std::string_view>& changed) {
    if (update.content) {
      changed.emplace_back("content");
      event.said.content = *update.content;
    }
    if (update.summary) {
      changed.emplace_back("summary");
      event.said.summary = *update.summary;
    }
    if (update.embedding) {
      changed.emplace_back("embedding");
      event.said.embedding = bytes_of(*update.embedding);
    }
    if (update.metadata) {
      changed.emplace_back("metadata");
      event.said.metadata = arena.text(to_json(*update.metadata));
    }
    if (update.tags) {
      changed.emplace_back("tags");
      event.tags = view(*update.tags, arena);
    }
  }

  // Without fields where nothing is to change.
  [[nodiscard]] Result<MemoryUpdated> event_of(const MemoryUpdate& update, const Memory& memory) {
    MemoryUpdated event{.id = update.id};
    std::vector<std::string_view> changed;
    if (!memory.sealed) {
      take_content(event, update, context_.memory, changed);
    } else if (changes_content(update)) {
      const auto sealed = sealer_.seal_changed(update, memory);
      if (!sealed) return std::unexpected(sealed.error());
      changed.emplace_back("sealed");
      event.sealed = *sealed;
    }
    if (update.significance) {
      changed.emplace_back("significance");
      event.significance = millionths(*update.significance);
    }
    if (update.time_to_live) {
      changed.emplace_back("expires_at");
      event.expires_at = expiry(*update.time_to_live, context_.now);
    }
    const auto fields = context_.memory.array<std::string_view>(changed.size());
    std::ranges::copy(changed, fields.begin());
    event.changed = NameListView(fields);
    return event;
  }

  const State& state_;
  const DecideContext& context_;
  MemorySealer sealer_;
  std::vector<Event> events_;
  MemoryId last_;
  std::map<std::string, std::size_t, std::less<>> dimensions_;
  std::set<MemoryId> forgotten_;
};

}  // namespace

Result<Decision> decide_one(const State& state, const ChangeMemories& command,
                            const DecideContext& context) {
  const MemoryTransaction& asked = command.transaction;
  if (auto checked = check_transaction(asked); !checked) return std::unexpected(checked.error());
  Changes changes(state, command.keys, context);
  std::vector<MemoryId> stored;
  for (const MemorySpec& spec : asked.store) {
    const auto id = changes.store(spec, {});
    if (!id) return std::unexpected(id.error());
    stored.push_back(*id);
  }
  for (const MemoryUpdate& update : asked.update) {
    if (auto updated = changes.update(update); !updated) return std::unexpected(updated.error());
  }
  for (const MemoryId id : asked.forget) {
    const auto expected = asked.forget_expected.find(id);
    auto forgotten = changes.forget(
        id, asked.reason, expected == asked.forget_expected.end() ? Position() : expected->second);
    if (!forgotten) return std::unexpected(forgotten.error());
  }
  return Decision{changes.take(), std::move(stored)};
}

Result<std::vector<Event>> store_memories(const State& state, const FinishAttempt& command,
                                          const DecideContext& context) {
  const std::vector<MemorySpec>& memories = command.outcome.memories;
  if (auto checked = check_memories(memories); !checked) return std::unexpected(checked.error());
  Changes changes(state, command.keys, context);
  for (const MemorySpec& spec : memories) {
    auto stored = changes.store(spec, command.id);
    if (!stored) return std::unexpected(stored.error());
  }
  return changes.take();
}

std::vector<Event> decide_expired_memories(const State& state, const DecideContext& context) {
  std::vector<Event> events;
  for (const MemoryDue& due : state.memories.expiring) {
    if (due.at > context.now || events.size() == limits::expired_memories_per_turn) break;
    events.push_back(
        {.at = context.now, .body = MemoryForgotten{due.id, ForgetCause::expired, {}}});
  }
  return events;
}

}  // namespace almanac
