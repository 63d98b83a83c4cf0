#include <almanac/log/this_thread.h>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace almanac::this_thread {
namespace {

constexpr int tenth_of_a_share = 10;  // each step of niceness is a fifth less
constexpr int niceness_max = 19;

}  // namespace

void set_name(const char* name) { (void)::pthread_setname_np(::pthread_self(), name); }

// Where it is not allowed, all that is lost is time.
void give_way() {
  const sched_param unused{};
  (void)::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &unused);
}

// Linux gives every thread a priority of its own; that of the process is its first thread's.
void stay_behind() {
  const int of_process = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::getpid()));
  const int own = std::min(of_process + tenth_of_a_share, niceness_max);
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), own);
}

void wait_for(const std::stop_token& stop, std::chrono::microseconds time) {
  std::mutex alone;
  std::condition_variable_any stopping;
  std::unique_lock lock(alone);
  stopping.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace almanac::this_thread
