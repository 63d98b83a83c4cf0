// Builds that went well, kept beside the component: what was built of the same sources comes back
// without a build when the artifact is damaged or gone.
#pragma once

#include <almanac/engine/component_spec.h>
#include <almanac/log/error.h>

#include <filesystem>

namespace almanac {

// Of one implementation. In the component's folder, below `.component/builds`, and no link leads
// out of it; one thread.
class ComponentBuilds {
 public:
  ComponentBuilds(const std::filesystem::path& folder,
                  const ComponentImplementation& implementation);

  // Keeps the artifact as what the sources as they are now give; the oldest ones beyond a few go.
  // Nothing without sources. Costs a read of the sources and of the artifact. Errors: refused (a
  // link is on the way), io.
  [[nodiscard]] Result<void> keep() const;
  // Puts the artifact of these sources back, whole or not at all. Errors: not_found (none is kept),
  // corrupt (the kept one is damaged, and goes), refused, io.
  [[nodiscard]] Result<void> restore() const;

 private:
  [[nodiscard]] Result<std::string> key() const;

  std::filesystem::path folder_;
  std::filesystem::path kept_;  // what is kept, below the folder
  const ComponentImplementation& implementation_;
};

}  // namespace almanac
