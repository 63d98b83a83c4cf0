#include <almanac/daemon/audit_trail.h>

#include <almanac/daemon/limits.h>
#include <almanac/log/hash.h>

#include <algorithm>
#include <span>

namespace almanac {
namespace {

constexpr std::size_t work_kinds_max = 10'000;

// Another daemon's numbers are others: these begin anywhere.
std::uint64_t first_request() {
  std::uint32_t number = 0;
  fill_random(std::as_writable_bytes(std::span(&number, 1)));
  return std::uint64_t{number} << 20U;
}

void cut_to(std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80U) {
    --bytes_max;
  }
  text.resize(bytes_max);
}

void shorten(AuditNote& note) {
  cut_to(note.principal, limits::name_bytes_max);
  cut_to(note.action, limits::audit_text_bytes_max);
  cut_to(note.subject, limits::audit_text_bytes_max);
  cut_to(note.remote, limits::audit_text_bytes_max);
}

}  // namespace

std::string_view source_in(std::string_view remote) {
  const auto colon = remote.rfind(':');
  return colon == std::string_view::npos ? remote : remote.substr(0, colon);
}

bool AuditTrail::Allowance::take(SteadyTime now, double burst, double per_second) {
  const double passed = std::chrono::duration<double>(now - seen).count();
  left = seen == SteadyTime() ? burst : std::min(burst, left + passed * per_second);
  seen = now;
  if (left < 1) return false;
  left -= 1;
  return true;
}

AuditTrail::AuditTrail(Record record, std::function<SteadyTime()> clock)
    : record_(std::move(record)),
      clock_(std::move(clock)),
      last_request_(first_request()),
      flushed_(clock_()) {}

std::uint64_t AuditTrail::begin(AuditNote note) {
  shorten(note);
  std::vector<AuditNote> notes;
  std::lock_guard guard(mutex_);
  gather_due(clock_(), false, notes);
  const std::uint64_t request = note.request = ++last_request_;
  notes.push_back(std::move(note));
  record_(std::move(notes));
  return request;
}

void AuditTrail::count(AuditNote note) {
  shorten(note);
  std::vector<AuditNote> notes;
  std::lock_guard guard(mutex_);
  const SteadyTime now = clock_();
  gather_due(now, false, notes);
  const auto key = std::pair(note.principal, note.action);
  const auto found = work_.find(key);
  if (found != work_.end()) {
    ++found->second.waiting;
    found->second.note = std::move(note);
  } else {
    note.request = ++last_request_;
    if (work_.size() < work_kinds_max) work_[key] = {.note = note, .told = now};
    notes.push_back(std::move(note));
  }
  if (!notes.empty()) record_(std::move(notes));
}

void AuditTrail::fail(AuditNote note) {
  shorten(note);
  note.count = 0;
  note.reason = RefusalReason::failed;
  std::lock_guard guard(mutex_);
  record_({std::move(note)});
}

void AuditTrail::refuse(AuditNote note) {
  shorten(note);
  std::vector<AuditNote> notes;
  std::lock_guard guard(mutex_);
  const SteadyTime now = clock_();
  gather_due(now, false, notes);
  Source& source = source_of(note, now);
  note.request = 0;
  if (source.allowance.take(now, limits::refusals_burst, limits::refusals_per_second) &&
      together_.take(now, limits::all_refusals_burst, limits::all_refusals_per_second)) {
    note.count = std::exchange(source.left_out, 0);
    notes.push_back(std::move(note));
  } else {
    ++source.left_out;
    source.last = std::move(note);
  }
  if (!notes.empty()) record_(std::move(notes));
}

// Those beyond what is kept share one source.
AuditTrail::Source& AuditTrail::source_of(const AuditNote& note, SteadyTime now) {
  const std::string source(source_in(note.remote));
  if (sources_.size() >= limits::refusal_sources_max && !sources_.contains(source)) {
    std::erase_if(sources_, [&](const auto& one) {
      return one.second.left_out == 0 && now - one.second.allowance.seen > limits::refusal_memory;
    });
    if (sources_.size() >= limits::refusal_sources_max) return sources_["others"];
  }
  return sources_[source];
}

void AuditTrail::gather_due(SteadyTime now, bool all, std::vector<AuditNote>& notes) {
  if (!all && now - flushed_ < limits::audit_interval) return;
  flushed_ = now;
  for (auto& [remote, source] : sources_) {
    if (source.left_out == 0 || notes.size() == limits::audit_notes_max / 2) continue;
    AuditNote note = source.last;
    note.count = std::exchange(source.left_out, 0) - 1;  // it is one of them itself
    notes.push_back(std::move(note));
  }
  for (auto& [key, work] : work_) {
    if (work.waiting == 0 || notes.size() == limits::audit_notes_max / 2) continue;
    AuditNote note = work.note;
    note.request = ++last_request_;
    note.count = std::exchange(work.waiting, 0);
    work.told = now;
    notes.push_back(std::move(note));
  }
  std::erase_if(work_, [&](const auto& one) {
    return one.second.waiting == 0 && now - one.second.told > limits::audit_interval;
  });
}

void AuditTrail::flush() {
  std::vector<AuditNote> notes;
  std::lock_guard guard(mutex_);
  gather_due(clock_(), true, notes);
  if (!notes.empty()) record_(std::move(notes));
}

}  // namespace almanac
