// Clients of the stream of events, all on one thread, while another one makes events.
#include <almanac/bench/daemon/cases.h>
#include <almanac/bench/daemon/daemon_process.h>
#include <almanac/bench/daemon/job_load.h>

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>

namespace almanac::bench {
namespace {

constexpr std::size_t batch_jobs = 10;

// When each batch was sent, by its number.
class Sends {
 public:
  explicit Sends(std::size_t count) : at_(count) {}
  void mark(std::size_t batch, double seconds) { at_[batch].store(seconds); }
  [[nodiscard]] double at(std::size_t batch) const { return at_[batch].load(); }
  [[nodiscard]] std::size_t size() const { return at_.size(); }

 private:
  std::vector<std::atomic<double>> at_;
};

std::string batch_text(std::size_t batch) {
  std::string jobs;
  for (std::size_t i = 0; i < batch_jobs; ++i) {
    jobs += std::string(jobs.empty() ? "" : ",") + R"({"jid":"event-00)" +
            std::to_string(batch * batch_jobs + i) + R"(","jobtype":"nothing","args":[]})";
  }
  return "PUSHB [" + jobs + "]\r\n";
}

// Batches at a steady rate. Their answers are read, so that no more is under way than one.
void make_events(int socket, const DaemonSizes& sizes, const Stopwatch& watch, Sends& sends) {
  const double interval = static_cast<double>(batch_jobs) / static_cast<double>(sizes.event_rate);
  const double begun = watch.seconds();
  for (std::size_t batch = 0; batch < sends.size(); ++batch) {
    const double due = begun + static_cast<double>(batch) * interval;
    const double wait = due - watch.seconds();
    if (wait > 0) ::poll(nullptr, 0, static_cast<int>(wait * 1e3));
    sends.mark(batch, watch.seconds());
    send_bytes(socket, batch_text(batch));
    require(read_line(socket) == "$2" && read_line(socket) == "{}", "jobs are refused");
  }
}

struct StreamClient {
  int socket = -1;
  std::string last;  // the end of what came: a number may be cut
  std::uint64_t seen = 0;
};

// The last whole "id: N" of a text.
std::uint64_t last_id(std::string_view text) {
  auto at = text.rfind("\nid: ");
  while (at != std::string_view::npos) {
    const auto begin = at + 5;
    const auto end = text.find('\n', begin);
    if (end != std::string_view::npos) {
      return std::strtoull(std::string(text.substr(begin, end - begin)).c_str(), nullptr, 10);
    }
    at = at == 0 ? std::string_view::npos : text.rfind("\nid: ", at - 1);
  }
  return 0;
}

// True when it has been told something.
bool read_events(StreamClient& client) {
  static std::vector<char> buffer(1 << 20);
  const auto got = ::read(client.socket, buffer.data(), buffer.size());
  require(got > 0, "a stream has ended");
  constexpr std::size_t kept = 2'048;  // more than one event
  client.last.append(buffer.data(), static_cast<std::size_t>(got));
  const std::uint64_t id = last_id(client.last);
  if (client.last.size() > kept) client.last.erase(0, client.last.size() - kept);
  if (id <= client.seen) return false;
  client.seen = id;
  return true;
}

std::vector<StreamClient> open_streams(const DaemonProcess& daemon, std::size_t count, int epoll) {
  std::vector<StreamClient> clients(count);
  for (std::size_t i = 0; i < count; ++i) {
    clients[i].socket = connect_to(daemon_http_port);
    send_bytes(clients[i].socket,
               "GET /v1/events?type=TaskEnqueued HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
               "Bearer " +
                   daemon.token() + "\r\n\r\n");
    require(read_line(clients[i].socket).find(" 200 ") != std::string::npos, "no stream");
    epoll_event wanted{.events = EPOLLIN, .data = {.u64 = i}};
    require(::epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].socket, &wanted) == 0, "epoll");
  }
  return clients;
}

// Events of nothing but jobs, behind those there were: their positions follow each other.
class Delays {
 public:
  Delays(const Sends& sends, const Stopwatch& watch) : sends_(sends), watch_(watch) {}
  void see(std::uint64_t id) {
    if (first_ == 0) first_ = id - (id - 1) % batch_jobs;
    const std::size_t batch = (id - first_) / batch_jobs;
    if (id >= first_ && batch < sends_.size()) {
      worst_ = std::max(worst_, watch_.seconds() - sends_.at(batch));
    }
  }
  void begin_at(std::uint64_t first) { first_ = first; }
  [[nodiscard]] double worst_ms() const { return worst_ * 1e3; }

 private:
  const Sends& sends_;
  const Stopwatch& watch_;
  std::uint64_t first_ = 0;
  double worst_ = 0;
};

// The position of the next event.
std::uint64_t next_position(const DaemonProcess& daemon) {
  const std::string head =
      last_line("curl -s -D - -o /dev/null -H 'Authorization: Bearer " + daemon.token() +
                "' http://127.0.0.1:" + std::to_string(daemon_http_port) +
                "/v1/queues | tr -d '\\r' | awk 'tolower($1) == \"almanac-position:\" {print $2}'");
  return std::strtoull(head.c_str(), nullptr, 10) + 1;
}

// That somebody has come is an event too: what follows is nothing but jobs.
int connect_maker(const DaemonProcess& daemon) {
  const std::uint64_t before = next_position(daemon);
  const int socket = connect_to(daemon_wire_port);
  faktory_protocol().greet(socket);
  while (next_position(daemon) == before) ::poll(nullptr, 0, 1);
  return socket;
}

}  // namespace

double measure_streams(const std::filesystem::path& folder, const DaemonSizes& sizes) {
  const DaemonProcess daemon(folder);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  auto clients = open_streams(daemon, sizes.streams, epoll);
  const auto batches = static_cast<std::size_t>(
      sizes.seconds * static_cast<double>(sizes.event_rate) / double(batch_jobs));
  Sends sends(std::max<std::size_t>(batches, 1));
  const Stopwatch watch;
  Delays delays(sends, watch);
  const int maker_socket = connect_maker(daemon);
  const std::uint64_t first = next_position(daemon);
  delays.begin_at(first);
  const std::uint64_t last = first + sends.size() * batch_jobs - 1;
  std::jthread maker([&] { make_events(maker_socket, sizes, watch, sends); });
  std::size_t ended = 0;
  std::array<epoll_event, 256> events{};
  while (ended < clients.size()) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 30'000);
    require(count > 0, "no events come");
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      StreamClient& client = clients[events[i].data.u64];
      if (!read_events(client)) continue;
      delays.see(client.seen);
      ended += client.seen == last ? 1 : 0;
    }
  }
  maker.join();
  ::close(maker_socket);
  for (const StreamClient& client : clients) ::close(client.socket);
  ::close(epoll);
  return delays.worst_ms();
}

}  // namespace almanac::bench
