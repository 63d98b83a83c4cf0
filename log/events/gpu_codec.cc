#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

GpuLevel level(schema::GpuLevel from) { return known<GpuLevel>(from, gpu_level_count); }

GpuDeviceAppeared read(schema::GpuDeviceAppeared::Reader from, const Names& names) {
  return {.device = names.at(from.getDevice()),
          .name = names.at(from.getName()),
          .kind = known<GpuKind>(from.getKind(), gpu_kind_count),
          .sizes = in_place<std::uint64_t>(from.getSizes()),
          .local = from.getLocal(),
          .is_estimate = from.getIsEstimate()};
}

GpuDeviceVanished read(schema::GpuDeviceVanished::Reader from, const Names& names) {
  return {names.at(from.getDevice()), known<GpuAbsence>(from.getAbsence(), gpu_absence_count),
          view(from.getMessage())};
}

GpuSampled read(schema::GpuSampled::Reader from, const Names& names) {
  return {names.at(from.getDevice()), in_place<std::uint64_t>(from.getOwn()),
          in_place<std::uint64_t>(from.getBudget())};
}

GpuAlertRaised read(schema::GpuAlertRaised::Reader from, const Names& names) {
  return {names.at(from.getDevice()), from.getHeap(), level(from.getLevel()),
          level(from.getBefore())};
}

GpuAlertCleared read(schema::GpuAlertCleared::Reader from, const Names& names) {
  return {names.at(from.getDevice()), from.getHeap()};
}

template <class Init>
void set_numbers(std::span<const std::uint64_t> numbers, Init init) {
  if (numbers.empty()) return;
  auto list = init(static_cast<unsigned>(numbers.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, numbers[i]);
}

}  // namespace

void write(const GpuDeviceAppeared& from, BodyBuilder body, NameTable& names) {
  auto to = body.initGpuDeviceAppeared();
  to.setDevice(names.index(from.device));
  to.setName(names.index(from.name));
  to.setKind(static_cast<schema::GpuKind>(from.kind));
  set_numbers(from.sizes, [&](unsigned size) { return to.initSizes(size); });
  to.setLocal(from.local);
  to.setIsEstimate(from.is_estimate);
}

void write(const GpuDeviceVanished& from, BodyBuilder body, NameTable& names) {
  auto to = body.initGpuDeviceVanished();
  to.setDevice(names.index(from.device));
  to.setAbsence(static_cast<schema::GpuAbsence>(from.absence));
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
}

void write(const GpuSampled& from, BodyBuilder body, NameTable& names) {
  auto to = body.initGpuSampled();
  to.setDevice(names.index(from.device));
  set_numbers(from.own, [&](unsigned size) { return to.initOwn(size); });
  set_numbers(from.budget, [&](unsigned size) { return to.initBudget(size); });
}

void write(const GpuAlertRaised& from, BodyBuilder body, NameTable& names) {
  auto to = body.initGpuAlertRaised();
  to.setDevice(names.index(from.device));
  to.setHeap(from.heap);
  to.setLevel(static_cast<schema::GpuLevel>(from.level));
  to.setBefore(static_cast<schema::GpuLevel>(from.before));
}

void write(const GpuAlertCleared& from, BodyBuilder body, NameTable& names) {
  auto to = body.initGpuAlertCleared();
  to.setDevice(names.index(from.device));
  to.setHeap(from.heap);
}

bool read_gpu_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::GPU_DEVICE_APPEARED: to = read(body.getGpuDeviceAppeared(), names); return true;
    case Which::GPU_DEVICE_VANISHED: to = read(body.getGpuDeviceVanished(), names); return true;
    case Which::GPU_SAMPLED: to = read(body.getGpuSampled(), names); return true;
    case Which::GPU_ALERT_RAISED: to = read(body.getGpuAlertRaised(), names); return true;
    case Which::GPU_ALERT_CLEARED: to = read(body.getGpuAlertCleared(), names); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
