#include <almanac/daemon/wire_server.h>

#include <almanac/daemon/wire_door.h>

#include <future>
#include <thread>
#include <utility>

namespace almanac {

struct WireServer::Parts {
  WireDoor door;
  std::thread thread;
};

WireServer::WireServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<WireServer>> WireServer::open(Engine& engine, WireOptions options) {
  auto bound = bind(options);
  if (!bound) return std::unexpected(bound.error());
  return open(engine, std::move(options), std::move(*bound));
}

Result<WireListener> WireServer::bind(const WireOptions& options) {
  const bool is_local =
      options.address.starts_with("127.") || options.address.starts_with("[::1]:");
  if (!is_local && options.password.empty() && is_wire_address(options.address)) {
    return fail(ErrorCode::refused,
                "whoever reaches " + options.address + " could run jobs without a password",
                "set a password, or listen on 127.0.0.1 alone");
  }
  if (!is_local && !options.tls && !options.may_be_plain && is_wire_address(options.address)) {
    return fail(ErrorCode::refused,
                "what is sent to " + options.address + " could be read on its way",
                "set tls_certificate and tls_key of [faktory], or its plain where the network is "
                "trusted");
  }
  return bind_wire(options.address);
}

Result<std::unique_ptr<WireServer>> WireServer::open(Engine& engine, WireOptions options,
                                                     WireListener bound) {
  if (auto listens = begin_listening(bound); !listens) return std::unexpected(listens.error());
  std::unique_ptr<Parts> parts(new Parts{{engine, std::move(options), std::move(bound)}, {}});
  std::promise<void> begun;
  parts->thread =
      std::thread([&door = parts->door, &begun] { door.run([&begun] { begun.set_value(); }); });
  begun.get_future().wait();
  return std::unique_ptr<WireServer>(new WireServer(std::move(parts)));
}

WireServer::~WireServer() {
  stop();
  parts_->thread.join();
}

void WireServer::stop() {
  parts_->door.post([&door = parts_->door] { door.stop(); });
}

void WireServer::change(std::shared_ptr<const TlsContext> tls) {
  parts_->door.post(
      [&door = parts_->door, tls = std::move(tls)]() mutable { door.change(std::move(tls)); });
}

std::uint16_t WireServer::port() const { return parts_->door.port(); }

void WireServer::quiet(std::string_view wid) {
  parts_->door.post([&door = parts_->door, wid = std::string(wid)] {
    door.tell_workers(wid, WireWorkerState::quiet);
  });
}

void WireServer::terminate(std::string_view wid) {
  parts_->door.post([&door = parts_->door, wid = std::string(wid)] {
    door.tell_workers(wid, WireWorkerState::terminate);
  });
}

}  // namespace almanac
