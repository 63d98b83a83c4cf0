#include <almanac/tools/log_summary.h>

#include <almanac/log/limits.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <map>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr const char* data_file = "log/data.mdb";
constexpr std::uint64_t block_bytes = 512;  // of st_blocks, whatever the disk's own are

Result<void> list_files(const fs::path& folder, LogSummary& summary) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    struct stat status;
    // One that is gone again was temporary.
    if (::lstat(entry->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    auto name = entry->path().lexically_relative(folder).string();
    auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (name == data_file) summary.data_bytes = bytes;
    summary.files.push_back(
        {name, bytes, static_cast<std::uint64_t>(status.st_blocks) * block_bytes});
  }
  if (error) return fail_errno(error.value(), "read the folder " + folder.string());
  std::ranges::sort(summary.files, [](const FileSize& one, const FileSize& other) {
    return std::pair(other.bytes, one.name) < std::pair(one.bytes, other.name);
  });
  return {};
}

// Its text, data and names, without what their encoding costs.
std::uint64_t carried_bytes(const Event& event) {
  auto cost = check_batch({.events = {event}, .memory = {}});
  if (!cost) return 0;
  return cost->bytes - limits::event_overhead_bytes_max -
         cost->names * limits::name_overhead_bytes_max;
}

class Counter {
 public:
  explicit Counter(LogSummary& summary) : summary_(summary) {}

  void add(const Event& event) {
    const auto* custom = std::get_if<CustomEvent>(&event.body);
    auto name = custom != nullptr ? custom->type : std::string_view();
    auto& types = types_[event.body.index()];
    auto found = types.find(name);
    if (found == types.end()) {
      TypeSummary added{.type = std::string(type_name(event.body)),
                        .custom_type = std::string(name)};
      found = types.emplace(std::string(name), std::move(added)).first;
    }
    found->second.events += 1;
    found->second.bytes += carried_bytes(event);
    if (summary_.rate.empty()) return;
    auto step = static_cast<std::size_t>((event.at - summary_.first_time) / summary_.step);
    summary_.rate[std::min(step, summary_.rate.size() - 1)] += 1;
  }
  // Those of one frequency stay in the order of their types.
  void finish() {
    std::multimap<std::uint64_t, TypeSummary, std::greater<>> sorted;
    for (auto& types : types_) {
      for (auto& [name, type] : types) {
        auto events = type.events;
        sorted.emplace(events, std::move(type));
      }
    }
    for (auto& [events, type] : sorted) summary_.types.push_back(std::move(type));
  }

 private:
  LogSummary& summary_;
  // Of each type those by their custom type, which but for one type is empty.
  std::array<std::map<std::string, TypeSummary, std::less<>>, std::variant_size_v<EventBody>>
      types_;
};

// The times between which events are counted.
Result<void> find_span(const Log& log, std::size_t steps_max, LogSummary& summary) {
  auto tail = log.tail();
  if (!tail || !tail->last) return tail ? Result<void>() : std::unexpected(tail.error());
  auto first = log.first();
  if (!first) return std::unexpected(first.error());
  summary.first = *first;
  summary.last = tail->last;
  summary.last_time = tail->time;
  auto read =
      log.read_one(summary.first, [&](const Event& event) { summary.first_time = event.at; });
  auto span = summary.last_time - summary.first_time;
  if (!read || span <= Duration(0)) return read;
  auto steps = static_cast<std::int64_t>(steps_max);
  summary.step = Duration(span.count() / steps + 1);
  summary.rate.resize(static_cast<std::size_t>(span / summary.step) + 1);
  return {};
}

}  // namespace

Result<LogSummary> summarise(const fs::path& folder, const Log& log, std::size_t steps_max) {
  auto origin = log.origin();
  if (!origin) return std::unexpected(origin.error());
  LogSummary summary{.timeline = log.timeline(), .origin = *origin};
  if (auto listed = list_files(folder, summary); !listed) return std::unexpected(listed.error());
  if (auto found = find_span(log, steps_max, summary); !found) {
    return std::unexpected(found.error());
  }
  if (!summary.last) return summary;
  Counter counter(summary);
  auto read = log.read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    summary.frames += 1;
    summary.frame_bytes += frame.size_bytes();
    for (std::uint32_t i = 0; i < frame.header().count; ++i) {
      auto event = frame.event(i);
      if (!event) return std::unexpected(event.error());
      counter.add(*event);
    }
    return frame.header().last() < summary.last;
  });
  if (!read) return std::unexpected(read.error());
  counter.finish();
  return summary;
}

}  // namespace almanac
