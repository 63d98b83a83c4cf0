// A server of the wire protocol to be killed: wire_victim FOLDER PORT. Says the port it listens on
// and serves until its standard input ends.
#include <almanac/daemon/wire_server.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto opened = almanac::Engine::open({.folder = argv[1]});
  if (!opened) {
    std::fprintf(stderr, "%s\n", almanac::describe(opened.error()).c_str());
    return 1;
  }
  almanac::Engine& engine = **opened;
  const std::string address = std::string("127.0.0.1:") + argv[2];
  const std::string password;
  // [guide]
  auto server = almanac::WireServer::open(engine, {.address = address, .password = password});
  if (!server) {
    std::fprintf(stderr, "%s\n", almanac::describe(server.error()).c_str());
    return 1;
  }
  // [guide]
  std::printf("%d\n", int((*server)->port()));
  std::fflush(stdout);
  while (std::getchar() != EOF) {}
  return 0;
}
