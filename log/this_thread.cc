#include <almanac/log/this_thread.h>

#include <pthread.h>
#include <sched.h>

namespace almanac::this_thread {

void set_name(const char* name) { (void)::pthread_setname_np(::pthread_self(), name); }

// Where it is not allowed, all that is lost is time.
void give_way() {
  const sched_param unused{};
  (void)::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &unused);
}

}  // namespace almanac::this_thread
