// What a command of the engine is over HTTP: for programs that ask a daemon for what they else
// would ask an engine of their own.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/log/error.h>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace almanac {

struct CommandRequest {
  std::string method;                     // "POST"
  std::string path;                       // with every name in it encoded
  nlohmann::ordered_json body = nullptr;  // null = none
};

// "a/b" → "a%2Fb".
[[nodiscard]] std::string encode_segment(std::string_view text);

// Of those that Engine has a blocking function for, but for what is sealed for users; stops the
// program for others. Errors: those of task_request_json().
[[nodiscard]] Result<CommandRequest> command_request(const Command& command);
// What a success has answered. Errors: unknown_outcome (it makes no sense).
[[nodiscard]] Result<Answer> command_answer(const Command& command,
                                            const nlohmann::ordered_json& json);

}  // namespace almanac
