// An engine in a process of its own, to be killed: memory_victim FOLDER
// Remembers of user after user what reads "secret of userN", and prints N when it is on disk.
#include <almanac/engine/engine.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto engine = almanac::Engine::open({.folder = argv[1]});
  if (!engine) return 1;
  for (int i = 1;; ++i) {
    const std::string user = "user" + std::to_string(i);
    auto stored = (*engine)->remember({.kind = "fact",
                                       .user = user,
                                       .content = "secret of " + user,
                                       .embedding = {1, static_cast<float>(i)},
                                       .tags = {"tag-of-" + user}});
    if (!stored) return 1;
    std::printf("%d\n", i);
    std::fflush(stdout);
  }
}
