#include <almanac/engine/memory_spec.h>

#include <almanac/engine/limits.h>
#include <almanac/log/printable.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <type_traits>
#include <utility>

namespace almanac {
namespace {

Result<void> check_length(std::string_view field, std::size_t size, std::size_t size_max) {
  if (size <= size_max) return {};
  return refuse_field(
      field,
      "its " + std::to_string(size) + " bytes are over the limit of " + std::to_string(size_max),
      "shorten it");
}

Result<void> check_count(std::string_view field, std::size_t count, std::size_t count_max) {
  if (count <= count_max) return {};
  return refuse_field(
      field,
      "there are " + std::to_string(count) + ", over the limit of " + std::to_string(count_max),
      "leave some out");
}

Result<void> check_text(std::string_view field, std::string_view text, std::size_t size_max) {
  if (const auto checked = check_length(field, text.size(), size_max); !checked) return checked;
  if (!is_utf8(text)) return refuse_field(field, "it is not UTF-8", "convert it, or encode it");
  return {};
}

Result<void> check_content(std::string_view content) {
  if (content.empty())
    return refuse_field("content", "it is empty", "say what is to be remembered");
  return check_text("content", content, limits::memory_content_bytes_max);
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char each) {
    const auto byte = static_cast<unsigned char>(each);
    return byte <= ' ' || byte == 0x7f || each == ',' || each == '"';
  });
}

// Kinds, users, tags and the names of metadata: what is typed on command lines.
Result<void> check_word(std::string_view field, std::string_view word) {
  if (const auto checked = check_text(field, word, limits::name_bytes_max); !checked) {
    return checked;
  }
  if (is_word(word)) return {};
  return refuse_field(field,
                      "'" + printable(word) + "' is empty, or has a blank, comma or quote in it",
                      "use letters, digits and signs such as - _ . :");
}

Result<void> check_tags(const std::vector<std::string>& tags) {
  if (auto checked = check_count("tags", tags.size(), limits::memory_tags_max); !checked) {
    return checked;
  }
  std::set<std::string_view> seen;
  for (const std::string& tag : tags) {
    if (auto checked = check_word("tags", tag); !checked) return checked;
    if (seen.insert(tag).second) continue;
    return refuse_field("tags", "'" + tag + "' is there twice", "name each once");
  }
  return {};
}

Result<void> check_metadata(const Metadata& metadata) {
  constexpr std::string_view field = "metadata";
  if (auto checked = check_count(field, metadata.size(), limits::metadata_values_max); !checked) {
    return checked;
  }
  for (const auto& [name, value] : metadata) {
    if (auto checked = check_word(field, name); !checked) return checked;
    if (const auto* text = std::get_if<std::string>(&value)) {
      auto checked = check_text("metadata." + name, *text, limits::metadata_text_bytes_max);
      if (!checked) return checked;
    }
    if (const auto* number = std::get_if<double>(&value); number && !std::isfinite(*number)) {
      return refuse_field("metadata." + name, "it is no number",
                          "leave it out, or say it as a text");
    }
  }
  return {};
}

Result<void> check_significance(double significance) {
  if (significance >= 0 && significance <= 1) return {};
  return refuse_field("significance", "it is " + std::to_string(significance), "say 0 to 1");
}

Result<void> check_time_to_live(Duration time) {
  if (time >= Duration(0) && time <= limits::duration_max) return {};
  return refuse_field("time_to_live", "it is negative or longer than 100 years",
                      "say how long it is to be kept; 0 is until it is forgotten");
}

Result<void> check(const MemorySpec& spec) {
  auto checked = check_word("kind", spec.kind);
  if (checked && !spec.user.empty()) checked = check_word("user", spec.user);
  if (checked) checked = check_content(spec.content);
  if (checked) checked = check_text("summary", spec.summary, limits::memory_summary_bytes_max);
  if (checked) checked = check_embedding(spec.embedding);
  if (checked) checked = check_tags(spec.tags);
  if (checked) checked = check_metadata(spec.metadata);
  if (checked) checked = check_significance(spec.significance);
  if (checked) checked = check_time_to_live(spec.time_to_live);
  return checked;
}

Result<void> check(const MemoryUpdate& update) {
  Result<void> checked;
  if (update.content) checked = check_content(*update.content);
  if (checked && update.summary) {
    checked = check_text("summary", *update.summary, limits::memory_summary_bytes_max);
  }
  if (checked && update.embedding) checked = check_embedding(*update.embedding);
  if (checked && update.tags) checked = check_tags(*update.tags);
  if (checked && update.metadata) checked = check_metadata(*update.metadata);
  if (checked && update.significance) checked = check_significance(*update.significance);
  if (checked && update.time_to_live) checked = check_time_to_live(*update.time_to_live);
  return checked;
}

std::size_t bytes_of(const std::vector<std::string>& tags) {
  std::size_t bytes = 0;
  for (const std::string& tag : tags) bytes += tag.size();
  return bytes;
}

std::size_t bytes_of(const MemorySpec& spec) {
  return spec.content.size() + spec.summary.size() + spec.embedding.size() * sizeof(float) +
         to_json(spec.metadata).size() + bytes_of(spec.tags);
}

std::size_t bytes_of(const MemoryUpdate& update) {
  return (update.content ? update.content->size() : 0) +
         (update.summary ? update.summary->size() : 0) +
         (update.embedding ? update.embedding->size() * sizeof(float) : 0) +
         (update.metadata ? to_json(*update.metadata).size() : 0) +
         (update.tags ? bytes_of(*update.tags) : 0);
}

// All of them, and what they take together.
template <class Items>
Result<std::size_t> check_each(const Items& items, std::string_view what) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto checked = check(items[i]); !checked) {
      Error error = std::move(checked.error());
      if (items.size() > 1) {
        error.message =
            std::string(what) + " " + std::to_string(i + 1) + " is refused: " + error.message;
      }
      return std::unexpected(std::move(error));
    }
    bytes += bytes_of(items[i]);
  }
  return bytes;
}

Result<void> check_room(std::size_t entries, std::size_t bytes) {
  if (entries <= limits::transaction_memories_max && bytes <= limits::transaction_bytes_max) {
    return {};
  }
  return fail(ErrorCode::invalid,
              std::to_string(entries) + " entries of " + std::to_string(bytes) +
                  " bytes are too much for one append of " +
                  std::to_string(limits::transaction_memories_max) + " entries and " +
                  std::to_string(limits::transaction_bytes_max) + " bytes",
              "store them in several");
}

}  // namespace

// A check quotes what is a user's, in its message and behind the dot of its field, and what is on
// record of an attempt is not sealed.
std::string unstorable(const Error& error) {
  std::string why = describe(error);
  for (const auto& [name, value] : error.context()) {
    if (name != "field") continue;
    why = value.substr(0, value.find('.')) + " is " + std::string(almanac::name(error.code));
  }
  return ("what it remembers cannot be stored: " + why).substr(0, limits::message_bytes_max);
}

std::unexpected<Error> refuse_field(std::string_view field, const std::string& what,
                                    std::string next) {
  return std::unexpected(
      Error{ErrorCode::invalid, std::string(field) + ": " + what, std::move(next)}.with(
          "field", std::string(field)));
}

Result<void> check_embedding(const std::vector<float>& embedding) {
  constexpr std::string_view field = "embedding";
  if (auto checked = check_count(field, embedding.size(), limits::embedding_dimension_max);
      !checked) {
    return checked;
  }
  const auto bad = std::ranges::find_if(embedding, [](float each) { return !std::isfinite(each); });
  if (bad != embedding.end()) {
    return refuse_field(field,
                        "number " + std::to_string(bad - embedding.begin() + 1) + " is " +
                            (std::isnan(*bad) ? "NaN" : "infinite"),
                        "make it anew; nothing can be compared with it");
  }
  const bool is_zero = std::ranges::all_of(embedding, [](float each) { return each == 0; });
  if (!embedding.empty() && is_zero) {
    return refuse_field(field, "all of its numbers are 0, so that it points nowhere",
                        "make it anew, or leave it out");
  }
  return {};
}

Result<void> check_memories(std::span<const MemorySpec> memories) {
  const auto bytes = check_each(memories, "entry");
  if (!bytes) return std::unexpected(bytes.error());
  return check_room(memories.size(), *bytes);
}

Result<void> check_transaction(const MemoryTransaction& transaction) {
  const auto stored = check_each(transaction.store, "entry");
  if (!stored) return std::unexpected(stored.error());
  const auto updated = check_each(transaction.update, "update");
  if (!updated) return std::unexpected(updated.error());
  if (auto checked = check_length("reason", transaction.reason.size(), limits::message_bytes_max);
      !checked) {
    return checked;
  }
  return check_room(
      transaction.store.size() + transaction.update.size() + transaction.forget.size(),
      *stored + *updated);
}

}  // namespace almanac
