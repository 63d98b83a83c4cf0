// What a program asks to be remembered, and how it changes that.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/events/memory.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace almanac {

using MetadataValue = std::variant<bool, std::int64_t, double, std::string>;
using Metadata = std::map<std::string, MetadataValue>;

// The JSON object of them, names in order; nothing where there are none. What is no number (NaN,
// infinity) and what is not UTF-8 has no JSON: check_memories() refuses it before.
[[nodiscard]] std::string to_json(const Metadata& metadata);
// The inverse, for any JSON object. Errors: invalid (it is none, or one of its values is null, a
// list or an object).
[[nodiscard]] Result<Metadata> parse_metadata(std::string_view json);

// One entry. Ceilings are in limits.h.
struct MemorySpec {
  std::string kind;
  std::string user = {};  // whose it is; empty = nobody's
  std::string content;    // UTF-8, at most 1 MiB
  std::string summary = {};
  // None, or as many numbers as the other embeddings of its kind have: those of the first one.
  std::vector<float> embedding = {};
  std::vector<std::string> tags = {};
  Metadata metadata = {};
  double significance = 0.5;  // 0 to 1
  Duration time_to_live{0};   // from now on; 0 = until it is forgotten
};

// Of an entry, what is set here; the rest stays as it is.
struct MemoryUpdate {
  MemoryId id;
  std::optional<std::string> content = {};
  std::optional<std::string> summary = {};
  std::optional<std::vector<float>> embedding = {};
  std::optional<std::vector<std::string>> tags = {};
  std::optional<Metadata> metadata = {};
  std::optional<double> significance = {};
  std::optional<Duration> time_to_live = {};
  Position expected = {};  // the last event of it (Memory::changed); none = whichever
};

// Done in this order, in one append: all or nothing.
struct MemoryTransaction {
  std::vector<MemorySpec> store = {};
  std::vector<MemoryUpdate> update = {};
  std::vector<MemoryId> forget = {};
  // Of those to forget, as MemoryUpdate::expected; whichever where it is not there.
  std::map<MemoryId, Position> forget_expected = {};
  std::string reason = {};  // of what is forgotten
};

// What can be said of them without knowing what there is. The error names the field and says what
// to do. Errors: invalid.
[[nodiscard]] Result<void> check_memories(std::span<const MemorySpec> memories);
[[nodiscard]] Result<void> check_embedding(const std::vector<float>& embedding);
[[nodiscard]] Result<void> check_transaction(const MemoryTransaction& transaction);

// Why an attempt whose memories cannot be stored has failed: of a field that was refused its name
// and the code, nothing of what it says, as that is for the log in the clear.
[[nodiscard]] std::string unstorable(const Error& error);
// That this field of an entry or a query is not as it has to be: the error names it.
[[nodiscard]] std::unexpected<Error> refuse_field(std::string_view field, const std::string& what,
                                                  std::string next);

}  // namespace almanac
