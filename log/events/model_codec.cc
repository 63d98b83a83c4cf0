#include <almanac/log/events_codec.h>

namespace almanac::codec {
namespace {

ModelUnloadCause unload_cause(schema::ModelUnloadCause from) {
  return known<ModelUnloadCause>(from, model_unload_cause_count);
}

ModelRegistered read(schema::ModelRegistered::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()),
          .bytes = from.getBytes(),
          .gpu = names.at(from.getGpu()),
          .alternative = names.at(from.getAlternative()),
          .priority = from.getPriority(),
          .pinned = from.getPinned(),
          .residency = Duration(from.getResidency()),
          .timeout = Duration(from.getTimeout()),
          .commands = view(from.getCommands())};
}

ModelChanged read(schema::ModelChanged::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()),
          .pinned = from.getPinned(),
          .priority = from.getPriority()};
}

ModelRemoved read(schema::ModelRemoved::Reader from, const Names& names) {
  return {.model = names.at(from.getModel())};
}

ModelLoadStarted read(schema::ModelLoadStarted::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()),
          .gpu = names.at(from.getGpu()),
          .bytes = from.getBytes(),
          .deadline = time(from.getDeadline())};
}

ModelLoaded read(schema::ModelLoaded::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()), .took = Duration(from.getTook())};
}

ModelLoadFailed read(schema::ModelLoadFailed::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()),
          .message = view(from.getMessage()),
          .next = time(from.getNext())};
}

ModelMeasured read(schema::ModelMeasured::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()), .bytes = from.getBytes()};
}

ModelUnloadStarted read(schema::ModelUnloadStarted::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()),
          .cause = unload_cause(from.getCause()),
          .beneficiary = names.at(from.getBeneficiary())};
}

ModelUnloaded read(schema::ModelUnloaded::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()), .took = Duration(from.getTook())};
}

ModelUnloadFailed read(schema::ModelUnloadFailed::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()),
          .message = view(from.getMessage()),
          .next = time(from.getNext())};
}

ModelReleased read(schema::ModelReleased::Reader from, const Names& names) {
  return {
      .model = names.at(from.getModel()), .bytes = from.getBytes(), .is_slow = from.getIsSlow()};
}

ModelLost read(schema::ModelLost::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()), .message = view(from.getMessage())};
}

ModelChecked read(schema::ModelChecked::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()),
          .is_loaded = from.getIsLoaded(),
          .message = view(from.getMessage())};
}

ModelUsed read(schema::ModelUsed::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()), .uses = from.getUses(), .last = time(from.getLast())};
}

ModelDegraded read(schema::ModelDegraded::Reader from, const Names& names) {
  return {.model = names.at(from.getModel()),
          .alternative = names.at(from.getAlternative()),
          .times = from.getTimes(),
          .reason = view(from.getReason())};
}

}  // namespace

void write(const ModelRegistered& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelRegistered();
  to.setModel(names.index(from.model));
  to.setBytes(from.bytes);
  to.setGpu(names.index(from.gpu));
  to.setAlternative(names.index(from.alternative));
  to.setPriority(from.priority);
  to.setPinned(from.pinned);
  to.setResidency(from.residency.count());
  to.setTimeout(from.timeout.count());
  set_text(from.commands, [&](unsigned size) { return to.initCommands(size); });
}

void write(const ModelChanged& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelChanged();
  to.setModel(names.index(from.model));
  to.setPinned(from.pinned);
  to.setPriority(from.priority);
}

void write(const ModelRemoved& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelRemoved();
  to.setModel(names.index(from.model));
}

void write(const ModelLoadStarted& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelLoadStarted();
  to.setModel(names.index(from.model));
  to.setGpu(names.index(from.gpu));
  to.setBytes(from.bytes);
  to.setDeadline(micros(from.deadline));
}

void write(const ModelLoaded& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelLoaded();
  to.setModel(names.index(from.model));
  to.setTook(from.took.count());
}

void write(const ModelLoadFailed& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelLoadFailed();
  to.setModel(names.index(from.model));
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
  to.setNext(micros(from.next));
}

void write(const ModelMeasured& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelMeasured();
  to.setModel(names.index(from.model));
  to.setBytes(from.bytes);
}

void write(const ModelUnloadStarted& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelUnloadStarted();
  to.setModel(names.index(from.model));
  to.setCause(static_cast<schema::ModelUnloadCause>(from.cause));
  to.setBeneficiary(names.index(from.beneficiary));
}

void write(const ModelUnloaded& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelUnloaded();
  to.setModel(names.index(from.model));
  to.setTook(from.took.count());
}

void write(const ModelUnloadFailed& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelUnloadFailed();
  to.setModel(names.index(from.model));
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
  to.setNext(micros(from.next));
}

void write(const ModelReleased& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelReleased();
  to.setModel(names.index(from.model));
  to.setBytes(from.bytes);
  to.setIsSlow(from.is_slow);
}

void write(const ModelLost& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelLost();
  to.setModel(names.index(from.model));
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
}

void write(const ModelChecked& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelChecked();
  to.setModel(names.index(from.model));
  to.setIsLoaded(from.is_loaded);
  set_text(from.message, [&](unsigned size) { return to.initMessage(size); });
}

void write(const ModelUsed& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelUsed();
  to.setModel(names.index(from.model));
  to.setUses(from.uses);
  to.setLast(micros(from.last));
}

void write(const ModelDegraded& from, BodyBuilder body, NameTable& names) {
  auto to = body.initModelDegraded();
  to.setModel(names.index(from.model));
  to.setAlternative(names.index(from.alternative));
  to.setTimes(from.times);
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

bool read_model_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::MODEL_REGISTERED: to = read(body.getModelRegistered(), names); return true;
    case Which::MODEL_CHANGED: to = read(body.getModelChanged(), names); return true;
    case Which::MODEL_REMOVED: to = read(body.getModelRemoved(), names); return true;
    case Which::MODEL_LOAD_STARTED: to = read(body.getModelLoadStarted(), names); return true;
    case Which::MODEL_LOADED: to = read(body.getModelLoaded(), names); return true;
    case Which::MODEL_LOAD_FAILED: to = read(body.getModelLoadFailed(), names); return true;
    case Which::MODEL_MEASURED: to = read(body.getModelMeasured(), names); return true;
    case Which::MODEL_UNLOAD_STARTED: to = read(body.getModelUnloadStarted(), names); return true;
    case Which::MODEL_UNLOADED: to = read(body.getModelUnloaded(), names); return true;
    case Which::MODEL_UNLOAD_FAILED: to = read(body.getModelUnloadFailed(), names); return true;
    case Which::MODEL_RELEASED: to = read(body.getModelReleased(), names); return true;
    case Which::MODEL_LOST: to = read(body.getModelLost(), names); return true;
    case Which::MODEL_CHECKED: to = read(body.getModelChecked(), names); return true;
    case Which::MODEL_USED: to = read(body.getModelUsed(), names); return true;
    case Which::MODEL_DEGRADED: to = read(body.getModelDegraded(), names); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
