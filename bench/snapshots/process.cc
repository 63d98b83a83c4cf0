#include <almanac/bench/snapshots/process.h>

#include <almanac/bench/require.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <span>

namespace almanac::bench {
namespace {

// Small enough for a pipe to hold until it is read.
constexpr std::size_t numbers_max = 8'000;

[[noreturn]] void run(const std::function<std::vector<std::uint64_t>()>& work, int pipe) {
  const auto numbers = work();
  require(numbers.size() <= numbers_max, "a process has too much to say");
  const auto bytes = std::as_bytes(std::span(numbers));
  const auto written = ::write(pipe, bytes.data(), bytes.size());
  ::_exit(written == static_cast<ssize_t>(bytes.size()) ? 0 : 1);
}

}  // namespace

std::vector<std::uint64_t> in_process(const std::function<std::vector<std::uint64_t>()>& work) {
  std::array<int, 2> ends{};
  require(::pipe(ends.data()) == 0, "no pipe");
  const auto child = ::fork();
  require(child >= 0, "no process");
  if (child == 0) run(work, ends[1]);
  ::close(ends[1]);
  int status = 0;
  require(::waitpid(child, &status, 0) == child && status == 0, "a process has failed");
  std::vector<std::uint64_t> numbers(numbers_max);
  const auto bytes = std::as_writable_bytes(std::span(numbers));
  const auto read = ::read(ends[0], bytes.data(), bytes.size());
  ::close(ends[0]);
  require(read >= 0 && read % sizeof(std::uint64_t) == 0, "a process was cut short");
  numbers.resize(static_cast<std::size_t>(read) / sizeof(std::uint64_t));
  return numbers;
}

}  // namespace almanac::bench
