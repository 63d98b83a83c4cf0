// The file that describes an advisor: one table, which has its name.
//
//   [ranker]
//   command = ["node", "ranker.js"]
//   size = 2
//   fallback = true
//
// docs/guides/advisors.md describes all of it.
#pragma once

#include <almanac/engine/advisor_spec.h>
#include <almanac/log/error.h>

#include <string>

namespace almanac {

// The folder in which it runs is relative to the file's. Errors: invalid, with file and line;
// not_found, io.
[[nodiscard]] Result<AdvisorSpec> load_advisor(const std::string& path);

}  // namespace almanac
