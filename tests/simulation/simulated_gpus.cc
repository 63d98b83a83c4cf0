#include <almanac/tests/simulation/simulated_gpus.h>

#include <algorithm>
#include <utility>

namespace almanac::test {

using namespace std::chrono_literals;

SimulatedGpus::SimulatedGpus(std::uint64_t seed, bool is_calm, Agenda& agenda, Faults& faults)
    : draw_(seed ^ 0x67707573), agenda_(agenda), faults_(faults) {
  const bool any = draw_.chance(20) && !is_calm;
  faults_.draw_those_of_gpus(draw_);
  if (!any) return;
  for (const char* identity : {"card", "other"}) {
    Card& card = cards_[identity];
    card.size = (8 + draw_.below(9)) * simulated_gib;
    card.is_estimate = draw_.chance(20);
    if (draw_.chance(50)) break;
  }
}

std::map<std::string, std::uint64_t> SimulatedGpus::sizes() const {
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& [gpu, card] : cards_) sizes.emplace(gpu, card.size);
  return sizes;
}

std::uint64_t SimulatedGpus::Card::own() const {
  std::uint64_t bytes = 0;
  for (const auto& [model, loaded] : models) bytes += loaded.outlives_engine ? 0 : loaded.bytes;
  return bytes;
}

std::uint64_t SimulatedGpus::Card::free() const {
  std::uint64_t used = others + releasing;
  for (const auto& [model, loaded] : models) used += loaded.bytes;
  for (const auto& [lease, bytes] : tasks) used += bytes;
  return used < size ? size - used : 0;
}

void SimulatedGpus::begin() {
  if (any()) change_weather();
}

void SimulatedGpus::heal() {
  for (auto& [gpu, card] : cards_) card.others = 0;
}

void SimulatedGpus::change_weather() {
  if (faults_.healed()) return;
  for (auto& [gpu, card] : cards_) {
    if (draw_.chance(30)) press(card);
    if (card.is_there() && faults_.strike(Fault::lost_gpu, 6, draw_)) lose(gpu);
  }
  agenda_.in(draw_.between(1s, 20s), [this] { change_weather(); });
}

// No more than nobody has.
void SimulatedGpus::press(Card& card) {
  const std::uint64_t most = card.others + card.free();
  card.others = std::min(most, draw_.below(card.size / 8));
  if (faults_.strike(Fault::pressing_others, 40, draw_)) card.others = draw_.below(most + 1);
}

void SimulatedGpus::lose(const std::string& gpu) {
  Card& card = cards_.at(gpu);
  if (draw_.chance(50)) {
    card.trouble = "it fell off the bus";
  } else {
    card.is_removed = true;
  }
  for (const auto& [model, loaded] : card.models) card.swept.insert(model);
  card.models.clear();
  card.tasks.clear();
  card.releasing = 0;
  card.gone_is_seen = false;
  agenda_.in(draw_.between(1s, 3min), [this, gpu] { come_back(gpu); });
}

void SimulatedGpus::come_back(const std::string& gpu) {
  Card& card = cards_.at(gpu);
  if (is_watched_ && !card.gone_is_seen) return agenda_.in(1s, [this, gpu] { come_back(gpu); });
  card.trouble.clear();
  card.is_removed = false;
}

void SimulatedGpus::engine_ends() {
  is_watched_ = false;
  for (auto& [gpu, card] : cards_) {
    card.tasks.clear();
    std::erase_if(card.models, [](const auto& one) { return !one.second.outlives_engine; });
  }
}

GpuMemory SimulatedGpus::memory_of(const Card& card) {
  GpuMemory memory{.size = card.size, .own = card.own(), .is_estimate = card.is_estimate};
  memory.budget = std::min(card.size, card.free() + memory.own);
  if (card.is_estimate) {
    memory.own = 0;
    memory.budget = estimated_budget(card.size);
  } else if (faults_.strike(Fault::lying_budget, 10, draw_)) {
    memory.budget = draw_.below(2 * card.size);
    if (draw_.chance(50)) memory.own = draw_.below(card.size);
  }
  return memory;
}

GpuReading SimulatedGpus::read() {
  GpuReading reading;
  for (auto& [gpu, card] : cards_) {
    card.gone_is_seen = card.gone_is_seen || !card.is_there();
    if (card.is_removed) continue;
    GpuDeviceReading& seen = reading.devices.emplace_back();
    seen.device = gpu;
    seen.name = "a simulated GPU";
    seen.kind = GpuKind::discrete;
    seen.trouble = card.trouble;
    if (!card.trouble.empty()) continue;
    seen.heaps.push_back({memory_of(card), true});
    constexpr std::uint64_t of_machine = 64 * simulated_gib;
    seen.heaps.push_back({{.size = of_machine,
                           .budget = estimated_budget(of_machine),
                           .is_estimate = card.is_estimate},
                          false});
  }
  if (reading.devices.empty()) reading.trouble = "no driver answers";
  return reading;
}

bool SimulatedGpus::load(const std::string& gpu, const std::string& model, std::uint64_t bytes,
                         bool outlives_engine) {
  Card& card = cards_.at(gpu);
  if (!card.is_there() || card.free() < bytes) return false;
  card.models[model] = {bytes, outlives_engine};
  card.swept.erase(model);
  return true;
}

void SimulatedGpus::unload(const std::string& gpu, const std::string& model) {
  Card& card = cards_.at(gpu);
  const auto found = card.models.find(model);
  if (found == card.models.end()) return;
  const std::uint64_t bytes = found->second.bytes;
  card.models.erase(found);
  if (!faults_.strike(Fault::slow_release, 60, draw_)) return;
  card.releasing += bytes;
  agenda_.in(draw_.between(1s, 1min), [this, gpu, bytes] {
    Card& slow = cards_.at(gpu);
    slow.releasing -= std::min(bytes, slow.releasing);
  });
}

bool SimulatedGpus::holds(const std::string& gpu, const std::string& model) const {
  const auto card = cards_.find(gpu);
  return card != cards_.end() && card->second.models.contains(model);
}

bool SimulatedGpus::was_loaded(const std::string& gpu, const std::string& model) const {
  return holds(gpu, model) || cards_.at(gpu).swept.contains(model);
}

void SimulatedGpus::take(Lease lease, const std::string& gpu, std::uint64_t bytes) {
  Card& card = cards_.at(gpu);
  if (card.is_there()) card.tasks[lease] = std::min(bytes, card.free());
}

void SimulatedGpus::give_back(Lease lease) {
  for (auto& [gpu, card] : cards_) card.tasks.erase(lease);
}

}  // namespace almanac::test
