// What can be typed behind `almanac circuit`.
#include <almanac/tools/circuit_commands.h>

#include <almanac/engine/limits.h>
#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_service(OptionSet& options, std::string& service) {
  options.text("service", service, {"", "Name of the service"});
  options.require("service");
}

void add_set(CommandGroup& circuit) {
  auto [options, command] = circuit.add<CircuitSetCommand>(
      {"set", "Set when the circuit of a service opens, and for how\nlong",
       "almanac circuit set search --failure-rate 30% --window 2m --cooldown 10s\n"
       "  almanac circuit set 'search:*' --consecutive 3 --probes 2\n"
       "  almanac circuit set search --lift\n"
       "  Tasks ask for a service as they ask for a limit. FAMILY:* sets all services\n"
       "  FAMILY:… that are not set, * all others."},
      circuit_set);
  add_service(options, command.service);
  options.text("--failure-rate", command.failure_rate,
               {"RATE", "At which it opens, such as 0.5 or 50% (the default)"});
  options.number("--requests", command.requests_min, {.min = 1, .max = UINT32_MAX},
                 {"NUMBER", "In the window, before the rate counts; 10"});
  options.text("--window", command.window, {"TIME", "In which requests count; 1m"});
  options.number("--consecutive", command.consecutive, {.max = UINT32_MAX},
                 {"NUMBER", "Failures in a row at which it opens; 5. 0 = at no\nnumber"});
  options.text("--cooldown", command.cooldown,
               {"TIME", "How long it is open; 30s. Twice as long each time\nthat probes fail"});
  options.text("--cooldown-max", command.cooldown_max, {"TIME", "… but no longer than this; 10m"});
  options.number("--probes", command.probes, {.min = 1, .max = limits::circuit_probes_max},
                 {"NUMBER", "Requests that find out then whether it closes; 1"});
  options.flag("--lift", command.lift, "Lift the setting: tasks go by no circuit any more");
}

void add_circuit_readers(CommandGroup& circuit) {
  auto [list_options, list] = circuit.add<CircuitListCommand>(
      {"list", "List circuits, and what requests came to", "almanac circuit list"}, circuit_list);
  list_options.text("--at", list.at, at_help);
  auto [show_options, show] = circuit.add<CircuitShowCommand>(
      {"show", "Show one, and why it is as it is", "almanac circuit show search"}, circuit_show);
  add_service(show_options, show.service);
  show_options.text("--at", show.at, at_help);
}

void add_force(CommandGroup& circuit, const CommandText& text,
               ExitCode (*function)(const CircuitForceCommand&)) {
  auto [options, command] = circuit.add<CircuitForceCommand>(text, function);
  add_service(options, command.service);
  options.text("--reason", command.reason, {"TEXT", "Why, for the record"});
}

}  // namespace

void add_circuit_commands(CommandGroup& circuit) {
  add_circuit_readers(circuit);
  add_set(circuit);
  add_force(circuit,
            {"open", "Keep one open, whatever requests come to, until it is\nreset",
             "almanac circuit open search --reason 'it is being moved'"},
            circuit_open);
  add_force(circuit,
            {"close", "Keep one closed, whatever requests come to, until it\nis reset",
             "almanac circuit close search"},
            circuit_close);
  add_force(circuit,
            {"reset", "Close one; from there it goes by its setting again",
             "almanac circuit reset search"},
            circuit_reset);
}

}  // namespace almanac
