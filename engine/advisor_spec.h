// A program that says which of the ready tasks should begin first: how it is started, what it is
// asked, and for how long it is heard. What it is asked and answers: advice.h.
#pragma once

#include <almanac/engine/command_spec.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace almanac {

struct AdvisorSpec {
  std::string name;
  CommandSpec command;  // reads and writes lines of JSON (json_process.h)
  // Processes: while one is replaced that has failed, the next is there.
  std::size_t size = 2;
  // Without it nothing begins while there is no advice, but for what has waited for overtaking_max.
  bool has_fallback = true;

  std::size_t tasks_max = 100;                         // asked about at once, the first in order
  Duration interval = std::chrono::milliseconds(200);  // between two answers at the least
  Duration valid_for = std::chrono::seconds(10);       // an answer, from when it was asked for
  Duration overtaking_max = std::chrono::minutes(10);  // see advised_order.h
  Duration timeout = std::chrono::seconds(2);          // of one request
  Duration start_timeout = std::chrono::seconds(10);   // of the first of a process, a sample
  std::uint32_t attempts_max = 3;                      // to get an answer, then it falls back
  Duration backoff = std::chrono::milliseconds(100);   // before the second, doubled for the next
  Duration probe_backoff = std::chrono::milliseconds(500);  // doubled with each that fails
  Duration probe_backoff_max = std::chrono::seconds(30);
};

// Errors: invalid.
[[nodiscard]] Result<void> check(const AdvisorSpec& spec);

}  // namespace almanac
