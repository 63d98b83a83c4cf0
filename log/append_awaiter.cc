#include <almanac/log/append_awaiter.h>

#include <almanac/log/writer.h>

namespace almanac {

bool AppendAwaiter::await_ready() const {
  return !ticket_ || !ticket_->frame || !ticket_->appended.durable;
}

bool AppendAwaiter::await_suspend(std::coroutine_handle<> handle) const {
  return writer_->resume_when_done(*ticket_, handle);
}

Result<Appended> AppendAwaiter::await_resume() {
  if (!ticket_) return std::unexpected(ticket_.error());
  if (!ticket_->appended.durable) return ticket_->appended;
  auto written = writer_->wait(*ticket_);
  if (!written) return std::unexpected(written.error());
  return ticket_->appended;
}

}  // namespace almanac
