#include <almanac/tests/disk/log_oracle.h>

#include <almanac/tests/disk/disk_image.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace almanac::test {
namespace {

// Each event is a coefficient of a polynomial at this place: so the events behind any other one
// can be told without those in front of it.
constexpr std::uint64_t place = 0x9E3779B97F4A7C15ULL;

std::uint64_t joined(std::uint64_t before, const LogContents& rest) {
  for (auto i = rest.base; i < rest.last; ++i) before *= place;
  return before + rest.content;
}

}  // namespace

std::uint64_t content_behind(std::uint64_t before, const Event& event) {
  const std::hash<std::string_view> of_text;
  auto sum = mix(1, event.body.index());
  sum = mix(sum, static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
  sum = mix(sum, of_text(event.stream));
  sum = mix(sum, of_text(event.idempotency_key));
  sum = mix(sum, mix(event.correlation.value, event.causation.value));
  if (const auto* custom = std::get_if<CustomEvent>(&event.body)) {
    sum = mix(sum, of_text(custom->type));
    sum = mix(sum, of_text(as_text(custom->data)));
  }
  return before * place + sum;
}

void LogOracle::cut_behind(std::uint64_t position) {
  std::erase_if(ends_, [&](const End& end) { return end.position > position; });
}

void LogOracle::apply(const Mark& mark) {
  switch (mark.kind) {
    case Mark::Kind::appended: {
      auto base = std::ranges::find(ends_, mark.base, &End::position);
      auto before = base == ends_.end() ? 0 : base->content;
      ends_.push_back({mark.position, joined(before, {mark.base, mark.position, mark.content})});
      return;
    }
    case Mark::Kind::removable: removable_ = std::max(removable_, mark.position); return;
    case Mark::Kind::acknowledged:
    case Mark::Kind::shown: floor_ = std::max(floor_, mark.position); return;
    case Mark::Kind::refused:
    case Mark::Kind::found: cut_behind(mark.position); return;
  }
}

Verdict LogOracle::judge(const LogContents& found) const {
  const bool known =
      std::ranges::any_of(ends_, [&](const End& base) { return goes_on(base, found); });
  if (!known || found.base > removable_) return Verdict::wrong;
  return found.last < floor_ ? Verdict::lost : Verdict::right;
}

// Whether the log is what follows this end up to another one.
bool LogOracle::goes_on(const End& base, const LogContents& found) const {
  if (base.position != found.base) return false;
  const auto content = joined(base.content, found);
  return std::ranges::any_of(
      ends_, [&](const End& end) { return end.position == found.last && end.content == content; });
}

}  // namespace almanac::test
