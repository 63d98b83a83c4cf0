// The repository's own source files, and just enough reading of C++ to check their shape: comments
// and literals blanked, includes, function bodies. A heuristic, not a parser; it is right for code
// in the house format.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {

struct SourceFile {
  std::string path;  // from the root of the repository, with '/'
  std::string text;

  [[nodiscard]] std::string_view folder() const;  // "log"
  [[nodiscard]] std::string_view name() const;    // "task_codec.cc"
  [[nodiscard]] std::string_view stem() const;    // "task_codec"
  [[nodiscard]] bool is_header() const { return path.ends_with(".h"); }
  [[nodiscard]] bool is_code() const { return is_header() || path.ends_with(".cc"); }
  [[nodiscard]] bool is_script() const;  // of the page, or what looks after it
};

using SourceTree = std::vector<SourceFile>;

// Every .h, .cc, .capnp, .md and script below the folders of `root` that exist, sorted by path.
[[nodiscard]] SourceTree read_source_tree(const std::filesystem::path& root,
                                          std::span<const std::string_view> folders);

// The text with everything inside comments and literals replaced by spaces; every line and column
// stays where it was.
[[nodiscard]] std::string blanked(std::string_view text);

struct Include {
  std::string path;
  std::size_t line = 0;
  bool quoted = false;
};
[[nodiscard]] std::vector<Include> includes_of(const SourceFile& file);

struct FunctionBody {
  std::size_t line = 0;   // where its declaration begins
  std::size_t lines = 0;  // from there to the closing brace, both counted
};
// Functions at namespace and class scope; lambdas and local classes count as part of theirs.
[[nodiscard]] std::vector<FunctionBody> functions_of(const SourceFile& file);

// Whether `word` stands in the text on its own, not as a part of a longer name.
[[nodiscard]] bool has_word(std::string_view text, std::string_view word);

[[nodiscard]] std::vector<std::string_view> lines_in(std::string_view text);

}  // namespace almanac::test
