#include <almanac/tests/disk/log_oracle.h>

#include <almanac/tests/disk/disk_image.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace almanac::test {

std::uint64_t content_behind(std::uint64_t before, const Event& event) {
  const std::hash<std::string_view> of_text;
  auto sum = mix(before, event.body.index());
  sum = mix(sum, static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
  sum = mix(sum, of_text(event.stream));
  sum = mix(sum, of_text(event.idempotency_key));
  sum = mix(sum, mix(event.correlation.value, event.causation.value));
  if (const auto* custom = std::get_if<CustomEvent>(&event.body)) {
    sum = mix(sum, of_text(custom->type));
    sum = mix(sum, of_text(as_text(custom->data)));
  }
  return sum;
}

void LogOracle::cut_behind(std::uint64_t position) {
  std::erase_if(ends_, [&](const End& end) { return end.position > position; });
}

void LogOracle::apply(const Mark& mark) {
  switch (mark.kind) {
    case Mark::Kind::appended: ends_.push_back({mark.position, mark.content}); return;
    case Mark::Kind::acknowledged:
    case Mark::Kind::shown: floor_ = std::max(floor_, mark.position); return;
    case Mark::Kind::refused:
    case Mark::Kind::found: cut_behind(mark.position); return;
  }
}

Verdict LogOracle::judge(std::uint64_t events, std::uint64_t content) const {
  const bool known = std::ranges::any_of(
      ends_, [&](const End& end) { return end.position == events && end.content == content; });
  if (!known) return Verdict::wrong;
  return events < floor_ ? Verdict::lost : Verdict::right;
}

}  // namespace almanac::test
