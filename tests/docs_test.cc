// Prose that goes stale is worse than none: code shown in a page is a region of a compiled file,
// and links lead somewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

fs::path source_folder() { return std::getenv("ALMANAC_SOURCE_DIR"); }

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The lines between two "// [NAME]" marks, without the indentation they share.
std::vector<std::string> region(std::string_view source, std::string_view name) {
  const auto mark = "// [" + std::string(name) + "]";
  std::vector<std::string> found;
  bool inside = false;
  std::size_t shared = std::string::npos;
  for (const std::string& line : lines_of(source)) {
    if (line.find(mark) != std::string::npos) {
      inside = !inside;
    } else if (inside) {
      found.push_back(line);
      shared = std::min(shared, line.find_first_not_of(' '));
    }
  }
  for (std::string& line : found) line.erase(0, std::min(shared, line.size()));
  return found;
}

struct Snippet {
  std::string file;
  std::string region;
  std::vector<std::string> lines;
};

// The fenced code behind each "<!-- snippet: FILE -->", or "… FILE#REGION -->" where the file has
// regions of other names than "readme".
std::vector<Snippet> snippets(std::string_view page) {
  constexpr std::string_view mark = "<!-- snippet: ";
  std::vector<Snippet> found;
  bool open = false;
  bool fenced = false;
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with(mark)) {
      auto name = line.substr(mark.size(), line.find(" -->") - mark.size());
      auto hash = std::min(name.find('#'), name.size());
      auto part = hash == name.size() ? "readme" : name.substr(hash + 1);
      found.push_back({name.substr(0, hash), part, {}});
      open = true;
    } else if (open && line.starts_with("```")) {
      open = !fenced;
      fenced = !fenced;
    } else if (fenced) {
      found.back().lines.push_back(line);
    }
  }
  return found;
}

// The first snippet that is not what its file says.
std::optional<std::string> stale_snippet(std::string_view page, const fs::path& root) {
  for (const Snippet& snippet : snippets(page)) {
    auto lines = region(read(root / snippet.file), snippet.region);
    if (snippet.lines.empty() || snippet.lines != lines) {
      return snippet.file + "#" + snippet.region;
    }
  }
  return std::nullopt;
}

// The first relative link that leads nowhere.
std::optional<std::string> broken_link(std::string_view page, const fs::path& folder) {
  for (auto at = page.find("]("); at != std::string_view::npos; at = page.find("](", at + 2)) {
    auto end = page.find(')', at);
    std::string target(page.substr(at + 2, end - at - 2));
    target = target.substr(0, target.find('#'));
    bool is_code = target.find(' ') != std::string::npos;  // [](const State& state)
    if (target.empty() || is_code || target.find("://") != std::string::npos) continue;
    if (!fs::exists(folder / target)) return target;
  }
  return std::nullopt;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  fs::recursive_directory_iterator entry(source_folder());
  for (; entry != fs::recursive_directory_iterator(); ++entry) {
    auto name = entry->path().filename().string();
    bool skipped = name == "build" || name.starts_with('.');
    if (entry->is_directory() && skipped) entry.disable_recursion_pending();
    if (entry->path().extension() == ".md") found.push_back(entry->path());
  }
  return found;
}

TEST(Docs, CodeInPagesIsARegionOfACompiledFile) {
  std::size_t checked = 0;
  for (const fs::path& page : pages()) {
    auto text = read(page);
    checked += snippets(text).size();
    auto stale = stale_snippet(text, source_folder());
    EXPECT_FALSE(stale) << page << " shows " << stale.value_or("") << " as it was";
  }
  EXPECT_GE(checked, 1U);
}

TEST(Docs, ACodeRegionThatChangedIsSeen) {
  auto page = read(source_folder() / "README.md");
  auto at = page.find("engine->handle");
  if (at == std::string::npos) at = page.find("->handle(");
  ASSERT_NE(at, std::string::npos);
  page[at] = '?';
  EXPECT_TRUE(stale_snippet(page, source_folder()));
}

TEST(Docs, LinksLeadToFilesThatAreThere) {
  for (const fs::path& page : pages()) {
    auto broken = broken_link(read(page), page.parent_path());
    EXPECT_FALSE(broken) << page << " links to " << broken.value_or("");
  }
}

TEST(Docs, ALinkToNowhereIsSeen) {
  EXPECT_EQ(broken_link("see [this](nowhere.md#part)", source_folder()), "nowhere.md");
  EXPECT_FALSE(broken_link("see [this](README.md)", source_folder()));
}

}  // namespace
