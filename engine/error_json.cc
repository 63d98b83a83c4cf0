#include <almanac/engine/error_json.h>

#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Error& error) {
  Json json{{"code", name(error.code)},
            {"category", name(category(error.code))},
            {"message", error.message}};
  if (!error.next_step.empty()) json["next_step"] = error.next_step;
  json["recoverable"] = error.is_recoverable();
  for (const auto& [name, value] : error.context()) json["context"][name] = value;
  if (error.cause() != nullptr) json["cause"] = json_of(*error.cause());
  return json;
}

}  // namespace

std::string to_json(const Error& error) {
  return json_of(error).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace almanac
