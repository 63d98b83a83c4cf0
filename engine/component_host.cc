#include <almanac/engine/component_host.h>

#include <almanac/engine/component_abi.h>
#include <almanac/engine/component_command.h>
#include <almanac/log/file.h>

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace almanac {
namespace {

std::string_view view(almanac_bytes bytes) {
  return bytes.data == nullptr ? std::string_view() : std::string_view(bytes.data, bytes.size);
}

struct CloseLibrary {
  void operator()(void* library) const { ::dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

// Loads a copy in memory: what is built at the file's place meanwhile does not reach it.
Result<Library> load(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return fail(ErrorCode::not_found, "there is no " + file.string(), "build the component");
  }
  const std::string content((std::istreambuf_iterator<char>(stream)),
                            std::istreambuf_iterator<char>());
  const FileDescriptor copy(::memfd_create("component", MFD_CLOEXEC));
  std::string_view rest = content;
  while (copy.get() >= 0 && !rest.empty()) {
    const auto size = ::write(copy.get(), rest.data(), rest.size());
    if (size < 0 && errno != EINTR) break;
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
  if (copy.get() < 0 || !rest.empty()) return fail_errno(errno, "copy " + file.string());
  const std::string path = "/proc/self/fd/" + std::to_string(copy.get());
  Library library(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (library) return library;
  return fail(ErrorCode::invalid, file.string() + " cannot be loaded: " + ::dlerror(),
              "see `almanac heal diagnose`");
}

class PluginInstance final : public ComponentInstance {
 public:
  static Result<std::unique_ptr<ComponentInstance>> make(const std::filesystem::path& file,
                                                         std::string_view state) {
    auto library = load(file);
    if (!library) return std::unexpected(library.error());
    const auto* component =
        static_cast<const almanac_component*>(::dlsym(library->get(), "almanac_component_v1"));
    if (component == nullptr) {
      return fail(ErrorCode::invalid, file.string() + " exports no almanac_component_v1",
                  "see engine/component_abi.h");
    }
    void* self = component->create({state.data(), state.size()});
    if (self == nullptr) {
      return fail(ErrorCode::refused, file.string() + " could not begin", "look at its own log");
    }
    return std::unique_ptr<ComponentInstance>(
        new PluginInstance(*std::move(library), *component, self));
  }
  ~PluginInstance() override { component_.destroy(self_); }

  Result<std::string> call(std::string_view request) override {
    almanac_bytes answer{};
    const int failed = component_.call(self_, {request.data(), request.size()}, &answer);
    return result(failed, answer);
  }
  Result<std::string> save() override {
    almanac_bytes state{};
    const int failed = component_.save(self_, &state);
    return result(failed, state);
  }

 private:
  PluginInstance(Library library, const almanac_component& component, void* self)
      : library_(std::move(library)), component_(component), self_(self) {}
  static Result<std::string> result(int failed, almanac_bytes bytes) {
    if (failed == 0) return std::string(view(bytes));
    return fail(ErrorCode::invalid, "the plugin has failed: " + std::string(view(bytes)));
  }

  Library library_;  // outlives what is in it
  const almanac_component& component_;
  void* self_;
};

class ProgramInstance final : public ComponentInstance {
 public:
  ProgramInstance(std::filesystem::path folder, std::filesystem::path artifact, Duration timeout,
                  std::string state)
      : folder_(std::move(folder)),
        artifact_(std::move(artifact)),
        timeout_(timeout),
        state_(std::move(state)) {}

  Result<std::string> call(std::string_view request) override {
    const CommandEnd end = run({(folder_ / artifact_).string(), std::string(request)},
                               {.folder = folder_,
                                .timeout = timeout_,
                                .stop = {},
                                .environment = component_environment(folder_)});
    if (end.succeeded()) return end.output;
    return fail(ErrorCode::invalid, "the program has failed: " + describe(end));
  }
  Result<std::string> save() override { return state_; }

 private:
  std::filesystem::path folder_;
  std::filesystem::path artifact_;
  Duration timeout_;
  std::string state_;
};

}  // namespace

MakeInstance plugin(std::filesystem::path library) {
  return [library = std::move(library)](std::string_view state) {
    return PluginInstance::make(library, state);
  };
}

MakeInstance program(std::filesystem::path folder, std::filesystem::path artifact,
                     Duration timeout) {
  return [folder = std::filesystem::absolute(folder), artifact = std::move(artifact),
          timeout](std::string_view state) -> Result<std::unique_ptr<ComponentInstance>> {
    return std::make_unique<ProgramInstance>(folder, artifact, timeout, std::string(state));
  };
}

ComponentHost::ComponentHost(std::string component,
                             std::map<std::string, MakeInstance> implementations, Failed failed)
    : component_(std::move(component)),
      implementations_(std::move(implementations)),
      failed_(std::move(failed)) {}

void ComponentHost::switched(const ComponentSwitch& change) {
  if (change.component != component_) return;
  const std::lock_guard lock(wanted_mutex_);
  wanted_ = change.to;
}

std::string ComponentHost::active() const {
  const std::lock_guard lock(wanted_mutex_);
  return wanted_;
}

Result<void> ComponentHost::go_over(const std::string& to) {
  if (instance_ && to == active_) return {};
  if (instance_) {
    auto saved = instance_->save();
    if (saved) state_ = *std::move(saved);
  }
  instance_.reset();
  active_ = to;
  const auto make = implementations_.find(to);
  if (make == implementations_.end()) {
    return fail(ErrorCode::stopped, "no implementation of '" + component_ + "' can be used now",
                "see `almanac component show`");
  }
  auto made = make->second(state_);
  if (!made) return std::unexpected(made.error());
  instance_ = *std::move(made);
  return {};
}

// A failure is told outside of the lock: a switch may follow from it.
Result<std::string> ComponentHost::call(std::string_view request) {
  const std::string by = active();
  Result<std::string> answer;
  {
    const std::lock_guard lock(mutex_);
    const auto ready = go_over(by);
    answer = ready ? instance_->call(request) : std::unexpected(ready.error());
  }
  if (!answer && !by.empty()) failed_(by, describe(answer.error()));
  return answer;
}

}  // namespace almanac
