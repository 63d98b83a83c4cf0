// A component as the program uses it: one interface, whatever implements it. When the engine
// switches, the new implementation goes on with the state of the one before.
//
//   almanac::ComponentHost parser("parser", {{"native",
//   almanac::plugin("parser/build/libparser.so")},
//                                            {"plain", make_plain}},
//                                 [&](auto& name, auto& why) { engine->component_failed(…); });
//   options.on_component = [&](const auto& change) { parser.switched(change); };
#pragma once

#include <almanac/engine/component_spec.h>
#include <almanac/log/error.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace almanac {

// One thread at a time.
class ComponentInstance {
 public:
  virtual ~ComponentInstance() = default;
  // An error says that the implementation has failed, not that the request was wrong.
  [[nodiscard]] virtual Result<std::string> call(std::string_view request) = 0;
  // What the next implementation goes on with.
  [[nodiscard]] virtual Result<std::string> save() = 0;
};

// Makes an instance that goes on with a state, or begins anew where that is empty.
using MakeInstance =
    std::function<Result<std::unique_ptr<ComponentInstance>>(std::string_view state)>;

// Of a shared library that exports what component_abi.h says. It is loaded from a copy without a
// name, so that building it anew does not change what runs. Errors: not_found, invalid (it exports
// no component), refused (it could not be created), io.
[[nodiscard]] MakeInstance plugin(std::filesystem::path library);
// Of a program: run once for each call, with the request as its argument; what it writes is the
// answer. It has no state of its own and keeps that of others.
// One that takes longer than `timeout` has failed.
[[nodiscard]] MakeInstance program(std::filesystem::path folder, std::filesystem::path artifact,
                                   Duration timeout = std::chrono::seconds(30));

// Any thread. Calls come one after the other; each runs by the implementation that is to be used
// when it begins, and goes over to that first.
class ComponentHost {
 public:
  using Failed = std::function<void(const std::string& implementation, const std::string& reason)>;
  // `failed` is told of every failure, on the thread that calls or switches.
  ComponentHost(std::string component, std::map<std::string, MakeInstance> implementations,
                Failed failed);

  // As EngineOptions::on_component tells; of other components nothing happens. Waits for no call.
  void switched(const ComponentSwitch& change);
  // Goes over to the implementation that is to be used: the one before is asked for its state, and
  // where it gives none, the last that is known is handed over. Errors: stopped (there is none),
  // and those of the implementation.
  [[nodiscard]] Result<std::string> call(std::string_view request);
  // The implementation that is to be used; empty = none.
  [[nodiscard]] std::string active() const;

 private:
  [[nodiscard]] Result<void> go_over(const std::string& to);

  const std::string component_;
  const std::map<std::string, MakeInstance> implementations_;
  const Failed failed_;
  mutable std::mutex wanted_mutex_;  // held for a moment
  std::string wanted_;               // guarded by it
  std::mutex mutex_;                 // held as long as a call takes; it guards these:
  std::unique_ptr<ComponentInstance> instance_;
  std::string active_;
  std::string state_;  // the last that was saved
};

}  // namespace almanac
