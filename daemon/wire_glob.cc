// Patterns of MUTATE.
#include <almanac/daemon/wire_sets.h>

#include <utility>

namespace almanac {
namespace {

struct GlobSet {
  bool holds = false;
  std::size_t length = 0;  // of its text, with the brackets
};

// At a bracket that opens; one that nothing closes goes to the end.
GlobSet match_set(std::string_view glob, char c) {
  std::size_t at = 1;
  const bool is_negated = at < glob.size() && glob[at] == '^';
  if (is_negated) ++at;
  bool found = false;
  while (at < glob.size() && glob[at] != ']') {
    if (glob[at] == '\\' && at + 1 < glob.size()) {
      found = found || glob[++at] == c;
      ++at;
    } else if (at + 2 < glob.size() && glob[at + 1] == '-') {
      const auto [low, high] = std::minmax(glob[at], glob[at + 2]);
      found = found || (low <= c && c <= high);
      at += 3;
    } else {
      found = found || glob[at++] == c;
    }
  }
  return {found != is_negated, std::min(at + 1, glob.size())};
}

// How much of the front of the glob stands for this one character; 0 = it does not.
std::size_t match_one(std::string_view glob, char c) {
  if (glob.empty() || glob.front() == '*') return 0;
  if (glob.front() == '?') return 1;
  if (glob.front() == '[') {
    const GlobSet set = match_set(glob, c);
    return set.holds ? set.length : 0;
  }
  if (glob.front() == '\\' && glob.size() > 1) return glob[1] == c ? 2 : 0;
  return glob.front() == c ? 1 : 0;
}

}  // namespace

// Of several stars only the last one need be tried again with more of the text.
bool matches_glob(std::string_view glob, std::string_view text) {
  std::size_t in_glob = 0;
  std::size_t in_text = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (in_text < text.size()) {
    if (in_glob < glob.size() && glob[in_glob] == '*') {
      star = ++in_glob;
      star_text = in_text;
    } else if (const std::size_t length = match_one(glob.substr(in_glob), text[in_text])) {
      in_glob += length;
      ++in_text;
    } else if (star != std::string_view::npos) {
      in_glob = star;
      in_text = ++star_text;
    } else {
      return false;
    }
  }
  while (in_glob < glob.size() && glob[in_glob] == '*') ++in_glob;
  return in_glob == glob.size();
}

}  // namespace almanac
