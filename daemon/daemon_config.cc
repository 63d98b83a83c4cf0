#include <almanac/daemon/daemon_config.h>

#include <almanac/tools/units.h>
#include <almanac/tools/workload_field.h>
#include <almanac/tools/workload_file.h>
#include <almanac/tools/workload_value.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <type_traits>
#include <utility>
#include <variant>

namespace almanac {
namespace {

using workload::Checked;
using workload::fault;
using workload::Field;
using workload::Member;
using workload::put;
using workload::Value;

using Setter = Checked<void> (*)(DaemonConfig&, const Field&);
struct KeyRow {
  ConfigKey key;
  Setter set;
};

Checked<void> put_texts(const Field& field, std::vector<std::string>& target) {
  auto words = workload::read_words(field);
  if (!words) return std::unexpected(std::move(words.error()));
  target.clear();
  for (workload::Word& word : *words) target.push_back(std::move(word.text));
  return {};
}

Checked<void> put_body_max(DaemonConfig& config, const Field& field) {
  auto text = workload::read_text(field);
  if (!text) return std::unexpected(std::move(text.error()));
  auto bytes = parse_bytes(*text);
  if (bytes && *bytes >= limits::kibibyte && *bytes <= limits::http_body_bytes_max) {
    config.http.body_bytes_max = *bytes;
    return {};
  }
  return fault(field.value.line, fmt::format("'{}' is no size of a body", *text),
               "write a size from 1KiB to 64MiB, such as \"16MiB\"");
}

// A time of zero would end every connection.
Checked<void> put_timeout(const Field& field, Duration& target) {
  if (auto read = put(workload::read_duration(field), target); !read) return read;
  if (target >= std::chrono::milliseconds(10)) return {};
  return fault(field.value.line, fmt::format("'{}' is too short", field.key), "write 10ms or more");
}

template <auto member>
Checked<void> set_text(DaemonConfig& config, const Field& field) {
  return put(workload::read_text(field), config.*member);
}
template <auto member>
Checked<void> set_truth(DaemonConfig& config, const Field& field) {
  return put(workload::read_truth(field), config.*member);
}
template <auto member>
Checked<void> set_log_text(DaemonConfig& config, const Field& field) {
  return put(workload::read_text(field), config.log.*member);
}
template <auto member>
Checked<void> set_wire_text(DaemonConfig& config, const Field& field) {
  return put(workload::read_text(field), config.wire.*member);
}
template <auto member>
Checked<void> set_http_timeout(DaemonConfig& config, const Field& field) {
  return put_timeout(field, config.http.*member);
}
template <auto member>
Checked<void> set_http_texts(DaemonConfig& config, const Field& field) {
  return put_texts(field, config.http.*member);
}

const std::array key_rows = {
    KeyRow{{"engine", "slots", "0", "Attempts at once; 0 = one for each processor"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_integer(field, {0, limits::slots_max}), config.slots);
           }},
    KeyRow{{"engine", "grace", "\"10s\"", "Of a stop: how long attempts may go on"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_duration(field), config.grace);
           }},
    KeyRow{{"engine", "commands", "true", "Whether tasks that are commands run here"},
           set_truth<&DaemonConfig::commands>},
    KeyRow{{"engine", "retain_succeeded", "\"3d\"", "How long tasks that succeeded are kept"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_duration(field), config.retention.succeeded);
           }},
    KeyRow{{"engine", "retain_failed", "\"365d\"",
            "How long tasks that failed or were cancelled are kept"},
           [](DaemonConfig& config, const Field& field) {
             auto read = put(workload::read_duration(field), config.retention.failed);
             config.retention.cancelled = config.retention.failed;
             return read;
           }},
    KeyRow{{"engine", "components", "\"\"", "The file of the components that are kept in order"},
           set_text<&DaemonConfig::components>},
    KeyRow{{"engine", "advisor", "\"\"", "The file of the program that says what begins first"},
           set_text<&DaemonConfig::advisor>},
    KeyRow{{"engine", "gpu_watch", "false", "Whether GPUs and their memory are watched"},
           set_truth<&DaemonConfig::gpu_watch>},
    KeyRow{{"engine", "models", "\"\"",
            "The file of the models that tasks name; GPUs are watched then"},
           set_text<&DaemonConfig::models>},
    KeyRow{{"engine", "model_patience", "\"30s\"",
            "How long tasks wait before a model in use gives way to theirs"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_duration(field), config.model_patience);
           }},
    KeyRow{{"log", "file", "\"\"", "Where to write what the daemon does"},
           set_log_text<&RunLog::file>},
    KeyRow{{"log", "format", "\"human\"", "Of its lines: human or json"},
           set_log_text<&RunLog::format>},
    KeyRow{{"log", "level", "\"info\"", "What it has: debug, info, warning or error"},
           set_log_text<&RunLog::level>},
    KeyRow{{"socket", "path", "\"DIR/daemon/http.sock\"",
            "Of the Unix socket; others must not be able to enter its folder"},
           set_text<&DaemonConfig::socket_path>},
    KeyRow{{"http", "listen", "\"\"", "Address and port for TCP; empty = none"},
           set_text<&DaemonConfig::listen>},
    KeyRow{{"http", "public", "false", "Whether that may be an address that others can reach"},
           set_truth<&DaemonConfig::is_public>},
    KeyRow{{"http", "token_file", "\"DIR/daemon/tokens\"", "Who may ask by TCP", true},
           set_text<&DaemonConfig::token_file>},
    KeyRow{{"http", "hosts", "[]", "Names of this machine that requests may use", true},
           set_http_texts<&HttpSettings::hosts>},
    KeyRow{{"http", "origins", "[]",
            "Web pages whose requests are let in, such as \"https://example.org\"", true},
           set_http_texts<&HttpSettings::origins>},
    KeyRow{{"http", "tls_certificate", "\"\"",
            "A file with the certificate by which TCP is encrypted; empty = it is not", true},
           set_text<&DaemonConfig::tls_certificate>},
    KeyRow{{"http", "tls_key", "\"\"", "Its key, in a file that nobody else can read", true},
           set_text<&DaemonConfig::tls_key>},
    KeyRow{{"http", "plain", "false",
            "Whether others than this machine are answered without encryption"},
           set_truth<&DaemonConfig::may_be_plain>},
    KeyRow{{"http", "body_max", "\"16MiB\"", "The largest body", true}, put_body_max},
    KeyRow{{"http", "connections_max", "1024", "Connections at once", true},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_integer(field, {1, limits::http_connections_max}),
                        config.http.connections_max);
           }},
    KeyRow{{"http", "head_timeout", "\"10s\"", "For a request's head, from its first byte", true},
           set_http_timeout<&HttpSettings::head_timeout>},
    KeyRow{{"http", "body_timeout", "\"1m\"", "For a request's body", true},
           set_http_timeout<&HttpSettings::body_timeout>},
    KeyRow{{"http", "idle_timeout", "\"1m15s\"", "Between two requests of a connection", true},
           set_http_timeout<&HttpSettings::idle_timeout>},
    KeyRow{{"http", "write_timeout", "\"30s\"", "While a reader takes nothing of an answer", true},
           set_http_timeout<&HttpSettings::write_timeout>},
    KeyRow{{"http", "threads", "2", "That answer what takes long, and as many that wait"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_integer(field, {1, limits::http_threads_max}),
                        config.threads);
           }},
    KeyRow{{"snapshots", "repositories", "[]", "Whose snapshots GET /v1/snapshots tells of"},
           [](DaemonConfig& config, const Field& field) {
             return put_texts(field, config.repositories);
           }},
    KeyRow{{"faktory", "listen", "\"\"", "Address and port of the wire protocol; empty = none"},
           set_wire_text<&WireOptions::address>},
    KeyRow{{"faktory", "password_file", "\"\"",
            "The password of its clients, in a file; beyond this machine there has to be one"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_text(field), config.wire_password_file);
           }},
    KeyRow{{"faktory", "tls_certificate", "\"\"", "As of HTTP, of the wire protocol", true},
           set_text<&DaemonConfig::wire_tls_certificate>},
    KeyRow{{"faktory", "tls_key", "\"\"", "The same", true}, set_text<&DaemonConfig::wire_tls_key>},
    KeyRow{{"faktory", "plain", "false", "The same"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_truth(field), config.wire.may_be_plain);
           }},
    KeyRow{{"faktory", "old_clients", "false",
            "Whether the weak hash of clients of version 1 is good enough"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_truth(field), config.wire.allows_one_round);
           }},
    KeyRow{{"faktory", "connections_max", "2000", "Its connections at once"},
           [](DaemonConfig& config, const Field& field) {
             return put(workload::read_integer(field, {1, limits::wire_connections_max}),
                        config.wire.connections_max);
           }},
};

// The same for what is the same: it is compared, and shown to nobody.
std::string said_text(const Value& value) {
  return std::visit(
      []<class T>(const T& content) -> std::string {
        if constexpr (std::is_same_v<T, bool> || std::is_arithmetic_v<T>) {
          return fmt::format("{}", content);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return content;
        } else if constexpr (std::is_same_v<T, Value::List>) {
          std::string all;
          for (const Value& each : content) all += said_text(each) + '\0';
          return all;
        } else {
          return {};
        }
      },
      value.content);
}

// Where a key stands in its line, counted from 1.
std::size_t column_in(std::string_view text, int line, std::string_view key) {
  for (int number = 1; number < line && !text.empty(); ++number) {
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  }
  const auto found = text.substr(0, text.find('\n')).find(key);
  return found == std::string_view::npos ? 1 : found + 1;
}

struct PlacedFault {
  workload::Fault fault;
  std::string key;  // empty = the whole line
};
using Placed = std::expected<void, PlacedFault>;

Placed at_key(workload::Fault found, std::string key) {
  return std::unexpected(PlacedFault{std::move(found), std::move(key)});
}

Placed unknown_at(const Member& member, const std::vector<std::string_view>& known) {
  return at_key(workload::unknown_key(member, known).error(), member.key);
}

Placed read_section(DaemonConfig& config, const Member& section) {
  const auto* table = std::get_if<Value::Table>(&section.value.content);
  if (table == nullptr) {
    return at_key({section.line, fmt::format("'{}' is no table", section.key),
                   fmt::format("write [{}] on a line of its own", section.key)},
                  section.key);
  }
  std::vector<std::string_view> known;
  for (const KeyRow& row : key_rows) {
    if (row.key.section == section.key) known.push_back(row.key.name);
  }
  for (const Member& member : *table) {
    const auto row = std::ranges::find_if(key_rows, [&](const KeyRow& one) {
      return one.key.section == section.key && one.key.name == member.key;
    });
    if (row == key_rows.end()) return unknown_at(member, known);
    if (auto set = row->set(config, {member.key, member.value}); !set) {
      return at_key(std::move(set.error()), member.key);
    }
    if (!row->key.is_live) {
      config.lasting[section.key + "." + member.key] = said_text(member.value);
    }
  }
  return {};
}

Placed read_crons(DaemonConfig& config, const Member& section) {
  const auto* list = std::get_if<Value::List>(&section.value.content);
  if (list == nullptr) {
    return at_key(
        {section.line, "'cron' is no list of tables", "write [[cron]] on a line of its own"},
        section.key);
  }
  for (const Value& value : *list) {
    auto cron = read_wire_cron(value);
    if (!cron) return at_key(std::move(cron.error()), {});
    config.crons.push_back(std::move(*cron));
  }
  return {};
}

Placed read_sections(DaemonConfig& config, const Value::Table& head) {
  std::vector<std::string_view> known;
  for (const KeyRow& row : key_rows) {
    if (known.empty() || known.back() != row.key.section) known.push_back(row.key.section);
  }
  known.push_back("cron");
  for (const Member& section : head) {
    if (section.key == "cron") {
      if (auto read = read_crons(config, section); !read) return read;
      continue;
    }
    if (std::ranges::find(known, section.key) == known.end()) return unknown_at(section, known);
    if (auto read = read_section(config, section); !read) return read;
  }
  return {};
}

void from_folder(std::string& file, const std::filesystem::path& folder) {
  if (!file.empty()) file = (folder / file).string();
}

}  // namespace

std::span<const ConfigKey> config_keys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all;
    for (const KeyRow& row : key_rows) all.push_back(row.key);
    return all;
  }();
  return keys;
}

std::string keys_for_restart(const DaemonConfig& running, const DaemonConfig& read) {
  std::string keys;
  for (const ConfigKey& key : config_keys()) {
    const std::string name = fmt::format("{}.{}", key.section, key.name);
    const auto before = running.lasting.find(name);
    const auto after = read.lasting.find(name);
    const bool was_said = before != running.lasting.end();
    const bool is_said = after != read.lasting.end();
    if (was_said == is_said && (!is_said || before->second == after->second)) continue;
    keys += (keys.empty() ? "" : ", ") + name;
  }
  return keys;
}

Result<DaemonConfig> load_daemon_config(const std::string& path) {
  auto file = workload::read_workload_file(path, "configuration");
  if (!file) return std::unexpected(file.error());
  DaemonConfig config;
  Placed sections;
  const workload::Sink sink{.head = [&](const Value::Table& head) -> Checked<void> {
                              sections = read_sections(config, head);
                              return {};
                            },
                            .task = [](const Value& task) -> Checked<void> {
                              return fault(task.line, "a configuration has no tasks",
                                           "put them into a workload");
                            }};
  auto read = workload::read_toml(file->text, sink);
  if (read && !sections) {
    const auto& [found, key] = sections.error();
    return fail(ErrorCode::invalid,
                fmt::format("{}:{}:{}: {}", file->shown, found.line,
                            column_in(file->text, found.line, key), found.message),
                found.next_step);
  }
  if (!read) {
    return fail(ErrorCode::invalid,
                workload::located(file->shown, read.error().line, read.error().message),
                read.error().next_step);
  }
  for (std::string* named :
       {&config.components, &config.advisor, &config.models, &config.log.file, &config.socket_path,
        &config.token_file, &config.wire_password_file, &config.tls_certificate, &config.tls_key,
        &config.wire_tls_certificate, &config.wire_tls_key}) {
    from_folder(*named, file->folder);
  }
  for (std::string& repository : config.repositories) from_folder(repository, file->folder);
  return config;
}

}  // namespace almanac
