// What is wrong with an implementation of a component: found by looking at its file, by asking the
// loader and by running its probe, each in this order and only as far as needed. Nothing of it runs
// in this process, but for builtins.
#pragma once

#include <almanac/engine/component_command.h>
#include <almanac/engine/component_spec.h>

#include <string>
#include <string_view>

namespace almanac {

struct Diagnosis {
  ComponentIssue issue = ComponentIssue::none;
  std::string evidence;  // what was seen that says so
  std::string version;   // that the probe gave
  Duration took{0};      // by the probe
};

// Blocks as long as the probe takes, up to `run.timeout`. `run.folder` is the component's.
[[nodiscard]] Diagnosis diagnose(const ComponentImplementation& implementation,
                                 const CommandRun& run);

// What a command that has failed says is wrong: by its signal, and by what it wrote. `otherwise`
// is what it is when nothing of that is known.
[[nodiscard]] Diagnosis diagnose(const CommandEnd& end, ComponentIssue otherwise);

// Whether a version is the one that is wanted: "1.4" takes 1.4 and 1.4.2, not 1.40.
[[nodiscard]] bool is_version(std::string_view version, std::string_view wanted);

// What a file is, by its content alone; a sentence when it is no whole program or library of this
// machine, or of these is none that is asked for.
[[nodiscard]] std::optional<std::string> find_damage(const std::filesystem::path& file,
                                                     ComponentKind kind);

}  // namespace almanac
