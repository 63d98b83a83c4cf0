#include <almanac/bench/log/cases.h>

#include <almanac/bench/log/patterns.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = 512;  // of st_blocks
constexpr std::size_t disk_group = 64;
constexpr std::size_t disk_groups = 4'000;
constexpr std::size_t scan_group = 1'000;
constexpr std::size_t scan_groups = 1'000;
constexpr std::size_t warm_up_groups = 4;
// A round with larger payloads has fewer appends.
constexpr std::size_t round_bytes_max = 100'000'000;

// A system and its place among the others.
struct Running {
  Measured measured;
  std::unique_ptr<Subject> subject;
};

std::vector<Running> start(const System& raw, const fs::path& folder) {
  std::vector<System> systems = peers();
  systems.insert(systems.begin(), {raw, ours()});
  std::vector<Running> all;
  for (const System& system : systems) {
    all.push_back(
        {.measured = {.system = system, .per_second = {}, .latencies_us = {}},
         .subject = system.make(folder / (system.name + "." + std::to_string(all.size())))});
  }
  return all;
}

Compared finish(std::vector<Running> all, const std::string& name, std::size_t payload_bytes,
                const Bars& bars) {
  Compared compared{.name = name,
                    .payload_bytes = payload_bytes,
                    .bars = bars,
                    .raw = std::move(all[0].measured),
                    .ours = std::move(all[1].measured),
                    .peers = {}};
  for (std::size_t i = 2; i < all.size(); ++i) {
    compared.peers.push_back(std::move(all[i].measured));
  }
  return compared;
}

// In turn, each round beginning with another one. Who does not run is closed, so that nothing goes
// on in its background.
template <class Round>
void in_turn(std::vector<Running>& all, int rounds, Round round) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(rounds); ++i) {
    for (std::size_t j = 0; j < all.size(); ++j) {
      Running& running = all[(i + j) % all.size()];
      running.subject->open();
      round(running);
      running.subject->close();
    }
  }
}

double seconds_of_scan(Subject& subject, const ScanSum& expected) {
  const auto began = std::chrono::steady_clock::now();
  auto sum = subject.scan();
  const auto took = std::chrono::steady_clock::now() - began;
  require(sum.times > 0, "a scan has seen no times");
  sum.times = 0;
  require(sum.count == expected.count && sum.positions == expected.positions &&
              sum.lengths == expected.lengths && sum.first_bytes == expected.first_bytes,
          "a scan has not seen what was appended");
  return std::chrono::duration<double>(took).count();
}

ScanSum sum_of(const Payloads& payloads, std::uint64_t count) {
  ScanSum sum;
  for (std::uint64_t i = 0; i < count; ++i) {
    sum.add({.position = i + 1, .payload = payloads.at(i)});
  }
  return sum;
}

std::size_t bytes_on_disk(const fs::path& path) {
  struct stat status;
  require(::lstat(path.c_str(), &status) == 0, "stat " + path.string());
  auto bytes = static_cast<std::size_t>(status.st_blocks) * block_bytes;
  if (!fs::is_directory(path)) return bytes;
  for (const auto& entry : fs::directory_iterator(path)) bytes += bytes_on_disk(entry.path());
  return bytes;
}

}  // namespace

std::int64_t wall_micros() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void fill(Subject& subject, const Payloads& payloads, std::size_t groups, std::size_t group_size) {
  std::vector<Bytes> group(group_size);
  for (std::size_t i = 0; i < groups; ++i) {
    auto next = subject.count();
    for (Bytes& payload : group) payload = payloads.at(next++);
    subject.append(group);
  }
}

void check_content(Subject& subject, const Payloads& payloads, bool in_order) {
  std::vector<std::uint64_t> seen(Payloads::different);
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  subject.read([&](const Record& record) {
    if (first == 0) first = next = record.position;
    const auto number = payloads.number(record.payload);
    if (record.position != next || !number ||
        (in_order && *number != (next - 1) % Payloads::different)) {
      stop("event " + std::to_string(next) + " is not what was appended");
    }
    ++seen[*number];
    ++next;
  });
  require(next == subject.count() + 1, "the end is missing behind " + std::to_string(next - 1));
  if (first != 1) return;  // an earlier lap was written over
  for (std::uint32_t i = 0; i < seen.size(); ++i) {
    auto expected = subject.count() / seen.size() + (i < subject.count() % seen.size() ? 1 : 0);
    require(seen[i] == expected, "an event was kept more than once or not at all");
  }
}

Compared compare(const Case& of, const Payloads& payloads, const Sizes& sizes,
                 const fs::path& folder) {
  auto all = start(raw_disk(), folder);
  const auto fitting = round_bytes_max / (of.events_per_append * payloads.size_bytes());
  const auto appends = std::min(of.appends, fitting) / sizes.divisor;
  Case shorter = of;
  shorter.appends = std::max(of.in_flight, appends / of.in_flight * of.in_flight);
  const auto events = static_cast<double>(shorter.appends * of.events_per_append);
  in_turn(all, sizes.rounds, [&](Running& running) {
    fill(*running.subject, payloads, warm_up_groups, of.events_per_append);
    auto timed = run_pattern(*running.subject, shorter, payloads);
    running.measured.per_second.push_back(events / timed.seconds);
    auto& latencies = running.measured.latencies_us;
    latencies.insert(latencies.end(), timed.latencies_us.begin(), timed.latencies_us.end());
  });
  for (Running& running : all) {
    running.subject->open();
    check_content(*running.subject, payloads, of.pattern != Pattern::threads);
    running.subject->close();
  }
  auto compared = finish(std::move(all), of.name, payloads.size_bytes(), of.bars);
  fs::remove_all(folder);
  return compared;
}

std::vector<Compared> compare_scans(const Payloads& payloads, const Sizes& sizes,
                                    const fs::path& folder) {
  const auto groups = std::max<std::size_t>(1, scan_groups / sizes.divisor);
  const auto expected = sum_of(payloads, groups * scan_group);
  const auto events = static_cast<double>(expected.count);
  std::array<std::vector<Running>, 2> all = {start(raw_map(), folder), start(raw_map(), folder)};
  for (Running& running : all[0]) {
    running.subject->open();
    fill(*running.subject, payloads, groups, scan_group);
    running.subject->close();
    running.subject->open();
    check_content(*running.subject, payloads, true);
    running.subject->close();
  }
  in_turn(all[0], sizes.rounds, [&](Running& running) {
    auto& again = all[1][static_cast<std::size_t>(&running - all[0].data())];
    for (Running* to : {&running, &again}) {
      to->measured.per_second.push_back(events / seconds_of_scan(*running.subject, expected));
    }
  });
  const Bars bars{.of_raw = 0.75, .of_best_peer = 4};
  std::vector<Compared> compared;
  compared.push_back(finish(std::move(all[0]), "scan", payloads.size_bytes(), bars));
  compared.push_back(finish(std::move(all[1]), "scan again", payloads.size_bytes(), bars));
  fs::remove_all(folder);
  return compared;
}

std::vector<DiskUse> disk_use(const Payloads& payloads, const Sizes& sizes,
                              const fs::path& folder) {
  const auto groups = std::max<std::size_t>(1, disk_groups / sizes.divisor);
  std::vector<System> systems = peers();
  systems.insert(systems.begin(), ours());
  std::vector<DiskUse> all;
  for (const System& system : systems) {
    const auto place = folder / system.name;
    auto subject = system.make(place);
    subject->open();
    fill(*subject, payloads, groups, disk_group);
    check_content(*subject, payloads, true);
    subject->close();
    const auto journal = place / "log" / "journal";
    const auto events = static_cast<double>(groups * disk_group);
    const auto in_journal = static_cast<double>(fs::exists(journal) ? bytes_on_disk(journal) : 0);
    const auto bytes = static_cast<double>(bytes_on_disk(place));
    all.push_back({system.name, (bytes - in_journal) / events, in_journal / events});
  }
  fs::remove_all(folder);
  return all;
}

std::vector<Case> cases() {
  return {{.name = "1 in flight", .appends = 2'000, .bars = {.of_raw = 0.85, .of_best_peer = 1.1}},
          {.name = "64 threads",
           .pattern = Pattern::threads,
           .in_flight = 64,
           .appends = 25'600,
           .bars = {.of_raw = 0.90, .of_best_peer = 1.1}},
          {.name = "64 async",
           .pattern = Pattern::window,
           .in_flight = 64,
           .appends = 64'000,
           .bars = {.of_raw = 0.70}},
          {.name = "1000/append",
           .events_per_append = 1'000,
           .appends = 500,
           .closes = true,
           .bars = {.of_raw = 0.40, .of_best_peer = 1.1}},
          {.name = "1000 x 4",
           .pattern = Pattern::window,
           .in_flight = 4,
           .events_per_append = 1'000,
           .appends = 500,
           .closes = true}};
}

}  // namespace almanac::bench
