#include <almanac/bench/daemon/job_load.h>

#include <almanac/bench/bench_line.h>
#include <almanac/bench/peer_process.h>

#include <sys/epoll.h>

#include <array>
#include <charconv>
#include <deque>
#include <memory>

namespace almanac::bench {
namespace {

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
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

// One job after the other.
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
  void begin() { send_bytes(socket_, put_next()); }
  // Reads what has come; how many jobs have ended with it.
  std::uint64_t advance() {
    std::array<char, 16 << 10> buffer;
    const auto got = ::read(socket_, buffer.data(), buffer.size());
    require(got > 0, "the server has gone");
    input_.append(buffer.data(), static_cast<std::size_t>(got));
    std::uint64_t done = 0;
    std::string output;
    std::size_t used = 0;
    while (const auto reply = parse_reply(protocol_, std::string_view(input_).substr(used))) {
      used += reply->bytes;
      done += take_reply(*reply, output) ? 1 : 0;
    }
    input_.erase(0, used);
    if (!output.empty()) send_bytes(socket_, output);
    return done;
  }

 private:
  enum class Wanted : std::uint8_t { put, job, end };

  std::string put_next() {
    std::string text = protocol_.put(next_++);
    wanted_.push_back(Wanted::put);
    if (pace_ == Pace::pipelined) text += take_next();
    return text;
  }
  const std::string& take_next() {
    wanted_.push_back(Wanted::job);
    return protocol_.take;
  }
  bool take_reply(const LineReply& reply, std::string& output) {
    require(!wanted_.empty(), "an answer that nobody has asked for");
    const Wanted wanted = wanted_.front();
    wanted_.pop_front();
    if (wanted == Wanted::job) {
      const auto finish = protocol_.finish(reply);
      if (!finish) {
        output += take_next();
        return false;
      }
      output += *finish;
      wanted_.push_back(Wanted::end);
      if (pace_ == Pace::pipelined) output += put_next();
      return false;
    }
    require(protocol_.is_good(reply.line), "the server says " + std::string(reply.line));
    if (pace_ == Pace::one_by_one) output += wanted == Wanted::put ? take_next() : put_next();
    return wanted == Wanted::end;
  }

  const JobProtocol& protocol_;
  int socket_;
  std::uint64_t next_;
  Pace pace_;
  std::string input_;
  std::deque<Wanted> wanted_;
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
  return {.greet =
              [](int socket) {
                require(read_line(socket).starts_with("+HI"), "no greeting");
                send_bytes(socket,
                           "HELLO {\"v\":2,\"wid\":\"bench" + std::to_string(socket) + "\"}\r\n");
                require(read_line(socket) == "+OK", "HELLO is refused");
              },
          .put =
              [](std::uint64_t number) {
                return "PUSH {\"jid\":\"job-" + std::to_string(number) +
                       "\",\"jobtype\":\"nothing\",\"queue\":\"bench\",\"args\":[1,\"two\"]}\r\n";
              },
          .take = "FETCH bench\r\n",
          .finish = [](const LineReply& reply) -> std::optional<std::string> {
            if (reply.line == "$-1") return std::nullopt;
            constexpr std::string_view name = "\"jid\":\"";
            const auto at = reply.body.find(name);
            require(at != std::string_view::npos, "no job: " + std::string(reply.line));
            const auto jid = reply.body.substr(at + name.size());
            return "ACK {\"jid\":\"" + std::string(jid.substr(0, jid.find('"'))) + "\"}\r\n";
          },
          .is_good = [](std::string_view line) { return line == "+OK"; },
          .body_bytes = [](std::string_view line) -> std::size_t {
            return line.starts_with('$') && line != "$-1" ? number_in(line.substr(1)) + 2 : 0;
          }};
}

JobProtocol beanstalkd_protocol() {
  return {
      .greet = [](int) {},
      .put = [](std::uint64_t) { return std::string("put 0 0 60 7\r\nnothing\r\n"); },
      .take = "reserve\r\n",
      .finish = [](const LineReply& reply) -> std::optional<std::string> {
        require(reply.line.starts_with("RESERVED "), "no job: " + std::string(reply.line));
        return "delete " + std::to_string(number_in(reply.line.substr(9))) + "\r\n";
      },
      .is_good =
          [](std::string_view line) { return line.starts_with("INSERTED") || line == "DELETED"; },
      .body_bytes = [](std::string_view line) -> std::size_t {
        return line.starts_with("RESERVED ") ? number_in(line.substr(line.rfind(' ') + 1)) + 2 : 0;
      }};
}

double run_jobs(const JobProtocol& protocol, std::uint16_t port, const DaemonSizes& sizes,
                Pace pace) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<JobClient>> clients;
  for (std::size_t i = 0; i < sizes.connections; ++i) {
    clients.push_back(std::make_unique<JobClient>(protocol, port, (i + 1) * 100'000'000, pace));
    epoll_event wanted{.events = EPOLLIN, .data = {.u64 = i}};
    require(::epoll_ctl(epoll, EPOLL_CTL_ADD, clients.back()->socket(), &wanted) == 0, "epoll");
  }
  const Stopwatch watch;
  for (const auto& client : clients) client->begin();
  std::uint64_t done = 0;
  std::array<epoll_event, 256> events{};
  while (watch.seconds() < sizes.seconds) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10'000);
    require(count > 0, "the server does not answer");
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      done += clients[events[i].data.u64]->advance();
    }
  }
  const double rate = static_cast<double>(done) / watch.seconds();
  ::close(epoll);
  return rate;
}

double run_idle_jobs(const JobProtocol& protocol, std::uint16_t port, std::size_t count) {
  const int producer = connect_to(port);
  const int worker = connect_to(port);
  protocol.greet(producer);
  protocol.greet(worker);
  std::vector<double> times;
  const auto ask = [&](int socket, const std::string& text) {
    send_bytes(socket, text);
    require(protocol.is_good(read_line(socket)), "a job is not taken");
  };
  for (std::size_t i = 0; i < count; ++i) {
    send_bytes(worker, protocol.take);
    ::poll(nullptr, 0, 2);  // until it waits
    const Stopwatch watch;
    send_bytes(producer, protocol.put(i + 10'000'000));
    std::string line = read_line(worker);
    std::string body(protocol.body_bytes(line), '\0');
    require(::recv(worker, body.data(), body.size(), MSG_WAITALL) == ssize_t(body.size()), "recv");
    times.push_back(watch.seconds() * 1e6);
    require(protocol.is_good(read_line(producer)), "a job is not taken");
    const auto finish = protocol.finish({.line = line, .body = body, .bytes = 0});
    require(finish.has_value(), "no job has come");
    ask(worker, *finish);
  }
  ::close(producer);
  ::close(worker);
  return median(std::move(times));
}

}  // namespace almanac::bench
