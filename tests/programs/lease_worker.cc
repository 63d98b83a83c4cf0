// A worker in a process of its own, to be killed: lease_worker
// It speaks with who started it line by line, for there is no other way yet to an engine in another
// process: it says "lease", is answered "task ID TOKEN", and then says "beat ID TOKEN" again and
// again, which is answered in one line each, until it is killed or answered "gone".
#include <cstdio>
#include <iostream>
#include <string>

int main() {
  std::string word;
  std::string id;
  std::string token;
  std::puts("lease");
  std::fflush(stdout);
  if (!(std::cin >> word >> id >> token) || word != "task") return 1;
  std::string answer;
  do {
    std::printf("beat %s %s\n", id.c_str(), token.c_str());
    std::fflush(stdout);
  } while (std::cin >> answer && answer == "held");
  std::printf("%s\n", answer.c_str());
}
