// Events of the program's own in the log of its engine: payments that happen once, however often
// they are reported, and a balance that is folded from them.
#include <almanac/engine/engine.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>

namespace {

using namespace almanac;

// [fold]
struct Balance {
  std::int64_t cents = 0;
};

void add_up(Balance& balance, const RecordedEvent& recorded) {
  const auto* paid = std::get_if<CustomEvent>(&recorded.event.body);
  if (paid == nullptr || paid->type != "Paid") return;
  std::int64_t cents = 0;
  const auto text = as_text(paid->data);
  std::from_chars(text.data(), text.data() + text.size(), cents);
  balance.cents += cents;
}
// [fold]

std::vector<std::byte> bytes_of(const Balance& balance) {
  const auto bytes = std::as_bytes(std::span(&balance, 1));
  return {bytes.begin(), bytes.end()};
}

Result<Balance> balance_of(Bytes bytes) {
  Balance balance;
  if (bytes.size() != sizeof(balance)) return fail(ErrorCode::corrupt, "no balance");
  std::memcpy(&balance, bytes.data(), sizeof(balance));
  return balance;
}

int give_up(const Error& error) {
  std::fprintf(stderr, "%s\n", describe(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "payments";
  const InlineProjection<Balance> balances(
      {.name = "balance", .fold = add_up, .encode = bytes_of, .decode = balance_of});
  auto engine = Engine::open({.folder = folder, .projections = {balances}});
  if (!engine) return give_up(engine.error());
  // [append]
  const EventSpec payment{
      .type = "Paid", .data = "1250", .idempotency_key = "invoice 7", .stream = "account 3"};
  auto first = (*engine)->append(payment);  // on disk
  auto again = (*engine)->append(payment);  // the same one: nothing is added
  // [append]
  if (!first) return give_up(first.error());
  if (!again) return give_up(again.error());
  // [batch]
  // Both or none, one behind the other.
  auto both = (*engine)->append(
      std::vector<EventSpec>{{.type = "Paid", .data = "300", .idempotency_key = "invoice 8"},
                             {.type = "Reminded", .causation = first->position}});
  // [batch]
  if (!both) return give_up(both.error());
  // [see]
  auto published = (*engine)->published();
  auto balance = balances.in(*published);  // with all of them
  // [see]
  if (!balance) return give_up(balance.error());
  std::printf("%s, %lld cents\n", again->is_repeated ? "paid once" : "paid twice",
              static_cast<long long>((*balance)->cents));
  return 0;
}
