// What an answer of a function of the program says of how the call went.
#pragma once

#include <concepts>

namespace almanac {

// False for false, and for a std::expected or std::optional without a value.
template <class Answer>
[[nodiscard]] bool has_worked(const Answer& answer) {
  if constexpr (requires { answer.has_value(); }) {
    return answer.has_value();
  } else if constexpr (std::same_as<Answer, bool>) {
    return answer;
  } else {
    return true;
  }
}

}  // namespace almanac
