// Two comparisons that Cap'n Proto 0.9 leaves to C++20's rewritten operators. Newer clangs do not
// rewrite where an operator!= exists (P2468). Included by force in the clang build alone; fixed in
// Cap'n Proto 1.0.1 (pull request 1755).
#pragma once

#include <kj/string.h>

namespace kj {

inline bool operator==(const char* a, const StringPtr& b) { return StringPtr(a) == b; }
inline bool operator!=(const char* a, const StringPtr& b) { return StringPtr(a) != b; }

}  // namespace kj
