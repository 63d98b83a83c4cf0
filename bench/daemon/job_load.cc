#include <almanac/bench/daemon/job_load.h>

#include <almanac/bench/bench_line.h>
#include <almanac/bench/peer_process.h>

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>

namespace almanac::bench {
namespace {

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void append_number(std::string& output, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  output.append(digits.data(), end);
}

double cpu_seconds_of_thread() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::optional<LineReply> parse_reply(const JobProtocol& protocol, std::string_view input) {
  const auto end = input.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  LineReply reply{.line = input.substr(0, end), .body = {}, .bytes = end + 2};
  const std::size_t body = protocol.body_bytes(reply.line);
  if (input.size() < reply.bytes + body) return std::nullopt;
  reply.body = input.substr(reply.bytes, body);
  reply.bytes += body;
  return reply;
}

// One job after the other. Nothing is allocated on the way.
class JobClient {
 public:
  JobClient(const JobProtocol& protocol, std::uint16_t port, std::uint64_t first, Pace pace)
      : protocol_(protocol), socket_(connect_to(port)), next_(first), pace_(pace) {
    protocol_.greet(socket_);
  }
  ~JobClient() { ::close(socket_); }
  JobClient(const JobClient&) = delete;
  JobClient& operator=(const JobClient&) = delete;

  [[nodiscard]] int socket() const { return socket_; }
  void begin() {
    put_next();
    send_output();
  }
  // Reads what has come, once; how many jobs have ended with it.
  std::uint64_t advance() {
    const auto got = ::recv(socket_, input_.data() + filled_, input_.size() - filled_, 0);
    require(got > 0, "the server has gone");
    filled_ += static_cast<std::size_t>(got);
    std::uint64_t done = 0;
    std::size_t used = 0;
    const std::string_view input(input_.data(), filled_);
    while (const auto reply = parse_reply(protocol_, input.substr(used))) {
      used += reply->bytes;
      done += take_reply(*reply) ? 1 : 0;
    }
    filled_ -= used;
    if (used > 0 && filled_ > 0) std::memmove(input_.data(), input_.data() + used, filled_);
    send_output();
    return done;
  }

 private:
  enum class Wanted : std::uint8_t { put, job, end };

  void want(Wanted wanted) {
    require(wanted_count_ < wanted_.size(), "too many answers are waited for");
    wanted_[wanted_count_++] = wanted;
  }
  Wanted next_wanted() {
    require(wanted_count_ > 0, "an answer that nobody has asked for");
    const Wanted first = wanted_.front();
    std::shift_left(wanted_.begin(), wanted_.end(), 1);
    --wanted_count_;
    return first;
  }
  void put_next() {
    protocol_.put(next_++, output_);
    want(Wanted::put);
    if (pace_ == Pace::pipelined) take_next();
  }
  void take_next() {
    output_ += protocol_.take;
    want(Wanted::job);
  }
  bool take_reply(const LineReply& reply) {
    const Wanted wanted = next_wanted();
    if (wanted == Wanted::job) {
      if (!protocol_.finish(reply, output_)) {
        take_next();
        return false;
      }
      want(Wanted::end);
      if (pace_ == Pace::pipelined) put_next();
      return false;
    }
    require(protocol_.is_good(reply.line), "the server says " + std::string(reply.line));
    if (pace_ == Pace::one_by_one) wanted == Wanted::put ? take_next() : put_next();
    return wanted == Wanted::end;
  }
  void send_output() {
    if (!output_.empty()) send_bytes(socket_, output_);
    output_.clear();
  }

  const JobProtocol& protocol_;
  int socket_;
  std::uint64_t next_;
  Pace pace_;
  std::array<char, 16 << 10> input_;
  std::size_t filled_ = 0;
  std::string output_;
  std::array<Wanted, 4> wanted_{};  // answers, in their order
  std::size_t wanted_count_ = 0;
};

class ReadyClients {
 public:
  explicit ReadyClients(const std::vector<std::unique_ptr<JobClient>>& clients)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      epoll_event wanted{.events = EPOLLIN, .data = {.u64 = i}};
      require(::epoll_ctl(epoll_, EPOLL_CTL_ADD, clients[i]->socket(), &wanted) == 0, "epoll");
    }
  }
  ~ReadyClients() { ::close(epoll_); }
  ReadyClients(const ReadyClients&) = delete;
  ReadyClients& operator=(const ReadyClients&) = delete;

  [[nodiscard]] std::span<const epoll_event> wait() {
    const int count =
        ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 10'000);
    require(count > 0, "the server does not answer");
    return {events_.data(), static_cast<std::size_t>(count)};
  }

 private:
  int epoll_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace

void send_bytes(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    require(sent > 0, "the server takes nothing");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string read_line(int socket) {
  std::string line;
  for (char c = 0; !line.ends_with("\r\n"); line += c) {
    require(::read(socket, &c, 1) == 1, "the server has gone");
  }
  line.resize(line.size() - 2);
  return line;
}

JobProtocol faktory_protocol() {
  return {
      .greet =
          [](int socket) {
            require(read_line(socket).starts_with("+HI"), "no greeting");
            send_bytes(socket,
                       "HELLO {\"v\":2,\"wid\":\"bench" + std::to_string(socket) + "\"}\r\n");
            require(read_line(socket) == "+OK", "HELLO is refused");
          },
      .put =
          [](std::uint64_t number, std::string& output) {
            output += "PUSH {\"jid\":\"job-";
            append_number(output, number);
            output += "\",\"jobtype\":\"nothing\",\"queue\":\"bench\",\"args\":[1,\"two\"]}\r\n";
          },
      .take = "FETCH bench\r\n",
      .finish =
          [](const LineReply& reply, std::string& output) {
            if (reply.line == "$-1") return false;
            constexpr std::string_view name = "\"jid\":\"";
            const auto at = reply.body.find(name);
            require(at != std::string_view::npos, "no job: " + std::string(reply.line));
            const auto jid = reply.body.substr(at + name.size());
            output.append("ACK {\"jid\":\"").append(jid.substr(0, jid.find('"'))).append("\"}\r\n");
            return true;
          },
      .is_good = [](std::string_view line) { return line == "+OK"; },
      .body_bytes = [](std::string_view line) -> std::size_t {
        return line.starts_with('$') && line != "$-1" ? number_in(line.substr(1)) + 2 : 0;
      }};
}

JobProtocol beanstalkd_protocol() {
  return {
      .greet = [](int) {},
      .put = [](std::uint64_t, std::string& output) { output += "put 0 0 60 7\r\nnothing\r\n"; },
      .take = "reserve\r\n",
      .finish =
          [](const LineReply& reply, std::string& output) {
            require(reply.line.starts_with("RESERVED "), "no job: " + std::string(reply.line));
            output += "delete ";
            append_number(output, number_in(reply.line.substr(9)));
            output += "\r\n";
            return true;
          },
      .is_good =
          [](std::string_view line) { return line.starts_with("INSERTED") || line == "DELETED"; },
      .body_bytes = [](std::string_view line) -> std::size_t {
        return line.starts_with("RESERVED ") ? number_in(line.substr(line.rfind(' ') + 1)) + 2 : 0;
      }};
}

LoadRate run_jobs(const JobProtocol& protocol, std::uint16_t port, const DaemonSizes& sizes,
                  Pace pace) {
  std::vector<std::unique_ptr<JobClient>> clients;
  for (std::size_t i = 0; i < sizes.connections; ++i) {
    clients.push_back(std::make_unique<JobClient>(protocol, port, (i + 1) * 100'000'000, pace));
  }
  ReadyClients ready(clients);
  const Stopwatch watch;
  const double cpu_before = cpu_seconds_of_thread();
  for (const auto& client : clients) client->begin();
  std::uint64_t done = 0;
  while (watch.seconds() < sizes.seconds) {
    for (const epoll_event& event : ready.wait()) done += clients[event.data.u64]->advance();
  }
  const auto jobs = static_cast<double>(done);
  return {.jobs = jobs / watch.seconds(),
          .cpu_us_job = (cpu_seconds_of_thread() - cpu_before) / jobs * 1e6};
}

double run_idle_jobs(const JobProtocol& protocol, std::uint16_t port, std::size_t count) {
  const int producer = connect_to(port);
  const int worker = connect_to(port);
  protocol.greet(producer);
  protocol.greet(worker);
  std::vector<double> times;
  std::string request;
  const auto ask = [&](int socket, const std::string& text) {
    send_bytes(socket, text);
    require(protocol.is_good(read_line(socket)), "a job is not taken");
  };
  for (std::size_t i = 0; i < count; ++i) {
    send_bytes(worker, protocol.take);
    ::poll(nullptr, 0, 2);  // until it waits
    const Stopwatch watch;
    request.clear();
    protocol.put(i + 10'000'000, request);
    send_bytes(producer, request);
    std::string line = read_line(worker);
    std::string body(protocol.body_bytes(line), '\0');
    require(::recv(worker, body.data(), body.size(), MSG_WAITALL) == ssize_t(body.size()), "recv");
    times.push_back(watch.seconds() * 1e6);
    require(protocol.is_good(read_line(producer)), "a job is not taken");
    request.clear();
    require(protocol.finish({.line = line, .body = body, .bytes = 0}, request), "no job has come");
    ask(worker, request);
  }
  ::close(producer);
  ::close(worker);
  return median(std::move(times));
}

}  // namespace almanac::bench
