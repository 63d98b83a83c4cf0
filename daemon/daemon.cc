#include <almanac/daemon/daemon.h>

#include <almanac/daemon/address_file.h>
#include <almanac/daemon/audit_trail.h>
#include <almanac/daemon/event_feed.h>
#include <almanac/daemon/http_api.h>
#include <almanac/daemon/http_audit.h>
#include <almanac/daemon/http_gate.h>
#include <almanac/daemon/http_server.h>
#include <almanac/daemon/limits.h>
#include <almanac/daemon/secret_file.h>
#include <almanac/daemon/task_meter.h>
#include <almanac/daemon/warning_limit.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/log/write_lock.h>
#include <almanac/tools/advisor_file.h>
#include <almanac/tools/component_file.h>
#include <almanac/tools/model_file.h>

#include <sys/stat.h>

#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

namespace almanac {
namespace {

// Of what is asked while it stops: answers are written within this time, or not at all.
constexpr std::chrono::seconds drain_time_max{5};
constexpr const char* doors_folder = "daemon";  // in the log's

// The host of "10.0.0.1:7411", which requests may name.
std::string host_of(const std::string& address) { return address.substr(0, address.rfind(':')); }

// What is wrong with it whoever else listens there, so that no engine begins for it.
Result<void> check_listen(const DaemonOptions& options) {
  const DaemonConfig& config = options.config;
  if (!options.passed.empty() || config.listen.empty()) return {};
  if (auto checked = check_tcp_address(config.listen); !checked) return checked;
  if (is_loopback(config.listen)) return {};
  if (!config.is_public) {
    return fail(ErrorCode::refused, "others than this machine could reach " + config.listen,
                "listen on 127.0.0.1, or set public of [http], or --public");
  }
  if (!config.tls_certificate.empty() || config.may_be_plain) return {};
  return fail(ErrorCode::refused, "what is sent to " + config.listen + " could be read on its way",
              "set tls_certificate and tls_key of [http], or its plain where the network is "
              "trusted");
}

Result<EngineOptions> engine_options(const DaemonOptions& options) {
  const DaemonConfig& config = options.config;
  EngineOptions engine{.folder = options.folder,
                       .slots = config.slots,
                       .stop_grace = config.grace,
                       .runs_commands = config.commands,
                       .retention = config.retention,
                       .health_hold = limits::health_hold,
                       .models = {.patience = config.model_patience}};
  if (!config.components.empty()) {
    auto components = load_components(config.components);
    if (!components) return std::unexpected(components.error());
    engine.components = std::move(*components);
  }
  if (!config.advisor.empty()) {
    auto advisor = load_advisor(config.advisor);
    if (!advisor) return std::unexpected(advisor.error());
    engine.advisor = std::move(*advisor);
  }
  if (config.gpu_watch || !config.models.empty()) engine.gpu_watch.emplace();
  return engine;
}

// With the models of its file.
Result<std::unique_ptr<Engine>> open_engine(const DaemonConfig& config, EngineOptions options) {
  std::vector<ModelSpec> models;
  if (!config.models.empty()) {
    auto loaded = load_models(config.models);
    if (!loaded) return std::unexpected(loaded.error());
    models = std::move(*loaded);
  }
  auto engine = Engine::open(std::move(options));
  if (!engine) return engine;
  for (const ModelSpec& model : models) {
    if (auto done = (*engine)->register_model(model); !done) return std::unexpected(done.error());
  }
  return engine;
}

// None where no file is named. Errors: invalid (only one is), and those of TlsContext::load().
Result<std::shared_ptr<const TlsContext>> load_tls(const std::string& certificate,
                                                   const std::string& key) {
  if (certificate.empty() && key.empty()) return nullptr;
  if (!certificate.empty() && !key.empty()) return TlsContext::load(certificate, key);
  return fail(ErrorCode::invalid,
              certificate.empty() ? "there is a tls_key and no tls_certificate"
                                  : "there is a tls_certificate and no tls_key",
              "name both files, or neither");
}

// All that is needed to listen on addresses, which others may have: what cannot be had ends the
// daemon before an engine has begun anything. Nobody can connect before one has.
struct Doors {
  std::shared_ptr<const TlsContext> tls;  // of HTTP
  std::optional<HttpListener> tcp;
  WireOptions wire;
  std::optional<WireListener> wire_socket;
};

Result<WireOptions> wire_options(const DaemonConfig& config) {
  WireOptions options = config.wire;
  auto tls = load_tls(config.wire_tls_certificate, config.wire_tls_key);
  if (!tls) return std::unexpected(tls.error());
  options.tls = std::move(*tls);
  if (config.wire_password_file.empty()) return options;
  auto text = read_secret_file(config.wire_password_file, limits::wire_password_bytes_max);
  if (!text) return std::unexpected(text.error());
  options.password = text->substr(0, text->find('\n'));
  if (options.password.empty()) {
    return fail(ErrorCode::invalid, "there is no password in " + config.wire_password_file,
                "write one line into it, or leave password_file of [faktory] out");
  }
  return options;
}

// Who has an address may be the daemon of the same folder, and that says more.
Error not_to_be_had(const Error& error, const std::filesystem::path& folder) {
  if (error.code != ErrorCode::conflict) return error;
  const auto free = WriteLock::share(folder);
  return free || free.error().code != ErrorCode::conflict ? error : free.error();
}

Result<Doors> open_doors(const DaemonOptions& options) {
  const DaemonConfig& config = options.config;
  Doors doors;
  auto tls = load_tls(config.tls_certificate, config.tls_key);
  if (!tls) return std::unexpected(tls.error());
  doors.tls = std::move(*tls);
  if (options.passed.empty() && !config.listen.empty()) {
    auto tcp = bind_tcp(config.listen);
    if (!tcp) return std::unexpected(not_to_be_had(tcp.error(), options.folder));
    doors.tcp = std::move(*tcp);
  }
  if (config.wire.address.empty()) return doors;
  auto wire = wire_options(config);
  if (!wire) return std::unexpected(wire.error());
  doors.wire = std::move(*wire);
  auto socket = WireServer::bind(doors.wire);
  if (!socket) return std::unexpected(not_to_be_had(socket.error(), options.folder));
  doors.wire_socket = std::move(*socket);
  return doors;
}

// Behind the engine: what holds the log may take the path of its socket, since whoever held that
// before is gone.
Result<std::vector<HttpListener>> http_listeners(DaemonOptions& options, Doors& doors,
                                                 const std::filesystem::path& folder) {
  if (!options.passed.empty()) return std::move(options.passed);
  const std::string& path = options.config.socket_path;
  auto local = listen_on_path(path.empty() ? folder / "http.sock" : std::filesystem::path(path));
  if (!local) return std::unexpected(local.error());
  std::vector<HttpListener> listeners;
  listeners.push_back(std::move(*local));
  if (!doors.tcp) return listeners;
  if (auto listens = begin_listening(*doors.tcp); !listens) {
    return std::unexpected(listens.error());
  }
  listeners.push_back(std::move(*doors.tcp));
  return listeners;
}

// The first snapshot makes the folder of its repository, and nothing above that.
Result<void> check_repositories(const std::vector<std::string>& repositories) {
  for (const std::filesystem::path repository : repositories) {
    std::error_code ignored;
    if (std::filesystem::is_directory(repository, ignored)) continue;
    const auto parent = std::filesystem::absolute(repository, ignored).parent_path();
    if (std::filesystem::exists(repository, ignored) ||
        !std::filesystem::is_directory(parent, ignored)) {
      return fail(ErrorCode::invalid,
                  "snapshots.repositories: no folder can be made at " + repository.string(),
                  "make it, or name another one");
    }
    warn("there is no repository at " + repository.string() + " yet; its first snapshot makes it");
  }
  return {};
}

Result<void> make_doors_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail_errno(errno, "make the folder " + folder.string());
}

}  // namespace

struct Daemon::Parts {
  std::filesystem::path folder;
  std::filesystem::path doors;
  std::filesystem::path token_file;
  std::vector<std::string> tcp;
  std::vector<std::string> paths;
  AddressFile address;
  TaskMeter meter;
  // In front of the engine, whose thread uses them to its end.
  mutable std::mutex mutex;
  std::shared_ptr<const HttpGate> gate;  // guarded by mutex
  std::optional<AuditTrail> trail;
  std::unique_ptr<HttpServer> server;  // the pointer is guarded by mutex
  bool stopped = false;                // guarded by mutex
  std::unique_ptr<Engine> engine;
  std::optional<EventFeed> feed;
  std::optional<HttpApi> api;
  std::string wire_address;
  std::unique_ptr<WireServer> wire;
  bool is_encrypted = false;       // HTTP by TCP
  bool is_wire_encrypted = false;  // the wire protocol

  struct Gate {
    std::filesystem::path token_file;
    std::shared_ptr<const HttpGate> gate;
  };
  Result<Gate> make_gate(const DaemonConfig& config, bool encrypted) const;
  void use(Gate made);
  Result<void> check_encryption(bool http, bool wire_protocol) const;
  HttpFigures figures() const;
  std::shared_ptr<const HttpGate> gate_now() const;
  std::optional<HttpRefusal> look(HttpRequest& request, const HttpPeer& peer) const;
  void see(const State& state, std::span<const RecordedEvent> events);
  void serve(std::vector<HttpListener> listeners, const HttpSettings& settings);
  Result<void> serve_wire(Doors& doors);
};

Result<Daemon::Parts::Gate> Daemon::Parts::make_gate(const DaemonConfig& config,
                                                     bool encrypted) const {
  const std::filesystem::path file =
      config.token_file.empty() ? doors / "tokens" : std::filesystem::path(config.token_file);
  auto tokens = AccessTokenFile::open(file);
  if (!tokens) return std::unexpected(tokens.error());
  HttpGateOptions options{.hosts = config.http.hosts,
                          .origins = config.http.origins,
                          .tokens = std::move(*tokens),
                          .is_encrypted = encrypted};
  for (const std::string& address : tcp) options.hosts.push_back(host_of(address));
  return Gate{file, std::make_shared<const HttpGate>(std::move(options))};
}

void Daemon::Parts::use(Gate made) {
  std::lock_guard guard(mutex);
  token_file = std::move(made.token_file);
  gate = std::move(made.gate);
}

HttpFigures Daemon::Parts::figures() const {
  std::lock_guard guard(mutex);
  return server ? server->figures() : HttpFigures();
}

// On the engine's thread.
void Daemon::Parts::see(const State& state, std::span<const RecordedEvent> events) {
  meter.see(state, events);
  std::lock_guard guard(mutex);
  if (server) server->wake_streams();
}

// Clients that found a door encrypted do not find it plain, nor the other way about.
Result<void> Daemon::Parts::check_encryption(bool http, bool wire_protocol) const {
  if (http == is_encrypted && (!wire || wire_protocol == is_wire_encrypted)) return {};
  return fail(ErrorCode::refused, "whether a door is encrypted cannot change while it is open",
              "restart the daemon, or leave tls_certificate as it was");
}

std::shared_ptr<const HttpGate> Daemon::Parts::gate_now() const {
  std::lock_guard guard(mutex);
  return gate;
}

std::optional<HttpRefusal> Daemon::Parts::look(HttpRequest& request, const HttpPeer& peer) const {
  return gate_now()->refusal(request, peer);
}

void Daemon::Parts::serve(std::vector<HttpListener> listeners, const HttpSettings& settings) {
  HttpHandlers handlers = audited_handlers(
      {.trail = *trail,
       .look = [this](HttpRequest& request, const HttpPeer& peer) { return look(request, peer); },
       .serve = [this](HttpRequest request,
                       const HttpReply& reply) { return api->serve(std::move(request), reply); },
       .withdrawn = [this](const HttpPass& pass) { return gate_now()->withdrawn(pass); }});
  auto made = std::make_unique<HttpServer>(std::move(listeners), settings, std::move(handlers));
  std::lock_guard guard(mutex);
  server = std::move(made);
}

Result<void> Daemon::Parts::serve_wire(Doors& doors) {
  if (!doors.wire_socket) return {};
  doors.wire.trail = &*trail;
  is_wire_encrypted = doors.wire.tls != nullptr;
  wire_address = host_of(doors.wire.address) + ":" + std::to_string(doors.wire_socket->port);
  auto opened = WireServer::open(*engine, std::move(doors.wire), std::move(*doors.wire_socket));
  if (!opened) return std::unexpected(opened.error());
  wire = std::move(*opened);
  return {};
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() { stop(); }

Result<std::unique_ptr<Daemon>> Daemon::open(DaemonOptions options) {
  auto parts = std::make_unique<Parts>();
  parts->folder = options.folder;
  parts->doors = options.folder / doors_folder;
  if (auto checked = check_listen(options); !checked) return std::unexpected(checked.error());
  if (auto checked = check_repositories(options.config.repositories); !checked) {
    return std::unexpected(checked.error());
  }
  auto engine = engine_options(options);
  if (!engine) return std::unexpected(engine.error());
  engine->on_events = [inside = parts.get()](const State& state,
                                             std::span<const RecordedEvent> events) {
    inside->see(state, events);
  };
  auto doors = open_doors(options);
  if (!doors) return std::unexpected(doors.error());
  auto opened = open_engine(options.config, std::move(*engine));
  if (!opened) return std::unexpected(opened.error());
  parts->engine = std::move(*opened);
  if (auto made = make_doors_folder(parts->doors); !made) return std::unexpected(made.error());
  auto listeners = http_listeners(options, *doors, parts->doors);
  if (!listeners) return std::unexpected(listeners.error());
  if (auto written = parts->address.write(parts->folder, *listeners); !written) {
    return std::unexpected(written.error());
  }
  for (const HttpListener& listener : *listeners) {
    (listener.is_local ? parts->paths : parts->tcp).push_back(listener.name);
  }
  auto gate = parts->make_gate(options.config, doors->tls != nullptr);
  if (!gate) return std::unexpected(gate.error());
  parts->use(std::move(*gate));
  const auto lines = std::make_shared<WarningLimit>();
  parts->trail.emplace([into = parts->engine.get(), lines](std::vector<AuditNote> notes) {
    into->record(std::move(notes), [lines](Result<void> done) {
      const auto left_out = done ? std::nullopt : lines->take();
      if (left_out) {
        warn("requests are not on record: " + describe(done.error()), {{"left_out", *left_out}});
      }
    });
  });
  parts->feed.emplace(parts->engine->log(),
                      [from = parts->engine.get()] { return from->state()->position; });
  parts->api.emplace(
      HttpApi::Surroundings{.engine = *parts->engine,
                            .folder = parts->folder,
                            .meter = parts->meter,
                            .feed = *parts->feed,
                            .figures = [inside = parts.get()] { return inside->figures(); },
                            .threads = options.config.threads,
                            .repositories = options.config.repositories});
  if (auto set = set_wire_crons(*parts->engine, options.config.crons); !set) {
    return std::unexpected(set.error());
  }
  if (auto spoken = parts->serve_wire(*doors); !spoken) return std::unexpected(spoken.error());
  parts->is_encrypted = doors->tls != nullptr;
  options.config.http.tls = std::move(doors->tls);
  parts->serve(std::move(*listeners), options.config.http);
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

Engine& Daemon::engine() const { return *parts_->engine; }
const std::vector<std::string>& Daemon::tcp_addresses() const { return parts_->tcp; }
const std::vector<std::string>& Daemon::socket_paths() const { return parts_->paths; }
const std::filesystem::path& Daemon::token_file() const { return parts_->token_file; }
bool Daemon::is_encrypted() const { return parts_->is_encrypted; }
const std::string& Daemon::wire_address() const { return parts_->wire_address; }

Result<void> Daemon::reload(const DaemonConfig& config) {
  HttpSettings settings = config.http;
  auto tls = load_tls(config.tls_certificate, config.tls_key);
  if (!tls) return std::unexpected(tls.error());
  auto wire_tls = load_tls(config.wire_tls_certificate, config.wire_tls_key);
  if (!wire_tls) return std::unexpected(wire_tls.error());
  if (auto kept = parts_->check_encryption(*tls != nullptr, *wire_tls != nullptr); !kept) {
    return kept;
  }
  auto gate = parts_->make_gate(config, *tls != nullptr);
  if (!gate) return std::unexpected(gate.error());
  settings.tls = std::move(*tls);
  if (auto set = set_wire_crons(*parts_->engine, config.crons); !set) return set;
  parts_->use(std::move(*gate));
  std::lock_guard guard(parts_->mutex);
  if (parts_->server) parts_->server->change(std::move(settings));
  if (parts_->wire) parts_->wire->change(std::move(*wire_tls));
  return {};
}

void Daemon::stop() {
  {
    std::lock_guard guard(parts_->mutex);
    if (std::exchange(parts_->stopped, true)) return;
    parts_->address.remove();
    parts_->server->drain();
  }
  parts_->wire.reset();
  parts_->api->snapshots().stop();
  parts_->trail->flush();
  parts_->engine->stop();
  parts_->engine->wait_until_stopped();
  if (!parts_->server->wait_until_drained(drain_time_max)) {
    warn("some answers could not be written before the end");
  }
  std::unique_ptr<HttpServer> server;
  {
    std::lock_guard guard(parts_->mutex);
    server = std::move(parts_->server);
  }
  server.reset();
  parts_->api.reset();
}

}  // namespace almanac
