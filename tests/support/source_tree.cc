#include <almanac/tests/support/source_tree.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>

namespace almanac::test {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Walks over a text once and blanks what is not code.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_(text), out_(text) {}

  std::string run() {
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    if (text_.substr(at_).starts_with("//")) return blank_until(end_of_line());
    if (text_.substr(at_).starts_with("/*")) return blank_until(after("*/", at_ + 2));
    if (text_[at_] == '"') return begins_raw() ? raw_literal() : literal('"');
    if (text_[at_] == '\'' && !is_digit_separator()) return literal('\'');
    ++at_;
  }

  [[nodiscard]] bool begins_raw() const { return at_ > 0 && text_[at_ - 1] == 'R'; }

  // 1'000: the word around the quote began with a digit.
  [[nodiscard]] bool is_digit_separator() const {
    std::size_t begin = at_;
    while (begin > 0 && (is_word(text_[begin - 1]) || text_[begin - 1] == '\'')) --begin;
    return begin < at_ && std::isdigit(static_cast<unsigned char>(text_[begin])) != 0;
  }

  void raw_literal() {
    const std::size_t open = std::min(text_.find('(', at_), text_.size());
    const std::string close = ")" + std::string(text_.substr(at_ + 1, open - at_ - 1)) + "\"";
    blank_until(after(close, open));
  }

  void literal(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    blank_until(std::min(end + 1, text_.size()));
  }

  [[nodiscard]] std::size_t end_of_line() const {
    return std::min(text_.find('\n', at_), text_.size());
  }

  [[nodiscard]] std::size_t after(std::string_view what, std::size_t from) const {
    const std::size_t found = text_.find(what, from);
    return found == std::string_view::npos ? text_.size() : found + what.size();
  }

  void blank_until(std::size_t end) {
    for (; at_ < end; ++at_) {
      if (text_[at_] != '\n') out_[at_] = ' ';
    }
  }

  std::string_view text_;
  std::string out_;
  std::size_t at_ = 0;
};

void blank_directives(std::string& code) {
  bool inside = false;
  std::size_t begin = 0;
  while (begin < code.size()) {
    const std::size_t end = std::min(code.find('\n', begin), code.size());
    const std::size_t first = code.find_first_not_of(' ', begin);
    inside = inside || (first < end && code[first] == '#');
    const bool continues = inside && end > begin && code[end - 1] == '\\';
    if (inside) std::fill_n(code.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, ' ');
    inside = continues;
    begin = end + 1;
  }
}

std::string_view without_template_header(std::string_view head) {
  while (head.starts_with("template")) {
    std::size_t depth = 0;
    std::size_t i = head.find('<');
    if (i == std::string_view::npos) return head;
    for (; i < head.size(); ++i) {
      if (head[i] == '<') ++depth;
      if (head[i] == '>' && --depth == 0) break;
    }
    head.remove_prefix(std::min(i + 1, head.size()));
    head.remove_prefix(std::min(head.find_first_not_of(" \n"), head.size()));
  }
  return head;
}

enum class Opening { scope, function, initializer };

// What a brace opens, by the text since the last `;`, `{` or `}`.
Opening opening(std::string_view head) {
  static constexpr std::array<std::string_view, 6> scopes = {"namespace", "class", "struct",
                                                             "union",     "enum",  "extern"};
  head = without_template_header(head);
  const std::size_t paren = head.find('(');
  const std::string_view front = head.substr(0, paren);
  if (std::ranges::any_of(scopes, [&](auto word) { return has_word(front, word); })) {
    return Opening::scope;
  }
  if (paren == std::string_view::npos) return Opening::initializer;
  if (std::ranges::count(head, '(') != std::ranges::count(head, ')')) return Opening::initializer;
  const std::size_t last = head.find_last_not_of(" \n");
  return head[last] == '=' ? Opening::initializer : Opening::function;
}

std::size_t matching_brace(std::string_view code, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    if (code[i] == '{') ++depth;
    if (code[i] == '}' && --depth == 0) return i;
  }
  return code.size();
}

std::size_t line_at(std::string_view code, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::ranges::count(code.substr(0, offset), '\n'));
}

}  // namespace

std::string_view SourceFile::folder() const {
  return std::string_view(path).substr(0, path.find('/'));
}

std::string_view SourceFile::name() const {
  return std::string_view(path).substr(path.rfind('/') + 1);
}

bool SourceFile::is_script() const {
  static constexpr std::array<std::string_view, 4> kinds = {".ts", ".tsx", ".js", ".css"};
  return std::ranges::any_of(kinds, [this](auto kind) { return path.ends_with(kind); });
}

std::string_view SourceFile::stem() const { return name().substr(0, name().rfind('.')); }

SourceTree read_source_tree(const std::filesystem::path& root,
                            std::span<const std::string_view> folders) {
  static constexpr std::array<std::string_view, 8> kinds = {".h",  ".cc",  ".capnp", ".md",
                                                            ".ts", ".tsx", ".js",    ".css"};
  SourceTree tree;
  for (std::string_view folder : folders) {
    if (!std::filesystem::is_directory(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file()) continue;
      if (std::ranges::find(kinds, entry.path().extension().string()) == kinds.end()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      tree.push_back({.path = entry.path().lexically_relative(root).generic_string(),
                      .text = {std::istreambuf_iterator<char>(file), {}}});
    }
  }
  std::ranges::sort(tree, {}, &SourceFile::path);
  return tree;
}

std::string blanked(std::string_view text) { return Blanker(text).run(); }

std::vector<Include> includes_of(const SourceFile& file) {
  const std::string code = blanked(file.text);
  const auto lines = lines_in(file.text);
  const auto code_lines = lines_in(code);
  std::vector<Include> includes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // A directive that is left once comments and literals are blanked.
    const std::size_t word = code_lines[i].find("include");
    if (word == std::string_view::npos || !code_lines[i].starts_with('#')) continue;
    const std::size_t open = lines[i].find_first_of("<\"", word);
    if (open == std::string_view::npos) continue;
    const bool quoted = lines[i][open] == '"';
    const std::size_t close = lines[i].find(quoted ? '"' : '>', open + 1);
    if (close == std::string_view::npos) continue;
    includes.push_back({.path = std::string(lines[i].substr(open + 1, close - open - 1)),
                        .line = i + 1,
                        .quoted = quoted});
  }
  return includes;
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_word(text[at - 1]);
    if (begins && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

std::vector<FunctionBody> functions_of(const SourceFile& file) {
  std::string code = blanked(file.text);
  blank_directives(code);
  std::vector<FunctionBody> functions;
  std::size_t begin = 0;  // of the head that is being read
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '{') {
      const std::size_t first = std::min(code.find_first_not_of(" \n", begin), i);
      const Opening kind = opening(std::string_view(code).substr(first, i - first));
      if (kind != Opening::scope) {
        const std::size_t end = matching_brace(code, i);
        const std::size_t line = line_at(code, first);
        if (kind == Opening::function) functions.push_back({line, line_at(code, end) - line + 1});
        i = end;
      }
    }
    if (i < code.size() && (code[i] == ';' || code[i] == '{' || code[i] == '}')) begin = i + 1;
  }
  return functions;
}

std::vector<std::string_view> lines_in(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace almanac::test
