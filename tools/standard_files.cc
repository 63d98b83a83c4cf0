#include <almanac/tools/standard_files.h>

#include <almanac/log/error.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace almanac {

void open_standard_files() {
  for (int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(file, F_GETFD) == -1) (void)::open("/dev/null", O_RDWR);
  }
}

ExitCode finish_output(ExitCode code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  if (errno == EPIPE) return code;
  return report(fail_errno(errno, "write to standard output",
                           "make room there; what was asked for is done, and only what was to be "
                           "read of it is lost")
                    .error());
}

}  // namespace almanac
