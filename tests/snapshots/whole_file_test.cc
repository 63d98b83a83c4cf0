// Files that are there whole or not at all, and the folders they lie in.
#include <almanac/snapshots/whole_file.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

TEST(MakeFolder, MakesAllOfAPath) {
  const TempFolder folder;
  ASSERT_TRUE(make_folder(folder / "a/b/c"));
  EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
  EXPECT_TRUE(make_folder(folder / "a/b/c")) << "it is there";
}

TEST(MakeFolder, FailsBelowALinkThatLeadsNowhere) {
  const TempFolder folder;
  fs::create_directory_symlink(folder / "gone", folder / "link");
  const auto made = make_folder(folder / "link/below/more");
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().message.find("link/below"), std::string::npos) << made.error().message;
}

TEST(MakeFolder, FailsBelowAFile) {
  const TempFolder folder;
  ASSERT_TRUE(write_whole_file(folder / "file", {}));
  EXPECT_FALSE(make_folder(folder / "file/below").has_value());
}

}  // namespace
}  // namespace almanac::test
