#include <almanac/projections/memory_content.h>

#include <almanac/projections/sealed_bytes.h>

#include <utility>

namespace almanac {
namespace {

// What sealed bytes are, and where they belong. How long the embedding is stands in the clear, and
// so is proved here.
std::string proof_of(const MemoryPlace& place, std::uint32_t dimension) {
  return "almanac memory entry, format 1, " + std::to_string(place.id.value) + ", " +
         std::to_string(dimension) + ", " + std::string(place.user);
}

std::size_t clear_size(const PersonalMemory& said) {
  constexpr std::size_t length_bytes = 4;
  std::size_t size = said.content.size() + said.summary.size() + said.embedding.size() +
                     said.metadata.size() + 4 * length_bytes;
  for (const std::string& tag : said.tags) size += tag.size() + length_bytes;
  return size;
}

}  // namespace

std::string seal(const PersonalMemory& said, const MemoryPlace& place, const EncryptionKey& key) {
  ClearBytes clear;
  clear.reserve(clear_size(said));
  clear.long_text(said.content);
  clear.long_text(said.summary);
  clear.long_text(said.embedding);
  clear.long_text(said.metadata);
  for (const std::string& tag : said.tags) clear.long_text(tag);
  return clear.sealed(key, proof_of(place, said.dimension()));
}

Result<PersonalMemory> open_memory(const SealedContent& content, const MemoryPlace& place,
                                   const EncryptionKey& key) {
  return opened(content.bytes.view(), key, proof_of(place, content.dimension),
                [&](ClearReader& reader) -> Result<PersonalMemory> {
                  PersonalMemory said;
                  said.content = reader.long_text();
                  said.summary = reader.long_text();
                  said.embedding = reader.long_text();
                  said.metadata = reader.long_text();
                  while (!reader.failed && !reader.rest.empty()) {
                    said.tags.emplace_back(reader.long_text());
                  }
                  const bool is_whole = said.embedding.size() == content.dimension * sizeof(float);
                  if (reader.failed || !is_whole || said.content.empty()) return makes_no_sense();
                  return said;
                });
}

Result<MemoryVersion> open_memory(const Memory& memory, const MemoryPlace& place,
                                  const EncryptionKey& key) {
  auto said = open_memory(*memory.sealed, place, key);
  if (!said) return std::unexpected(said.error());
  Memory open = memory;
  open.content = SharedText(said->content);
  open.summary = SharedText(said->summary);
  open.embedding = SharedText(said->embedding);
  open.metadata = SharedText(said->metadata);
  std::string tags;
  for (const std::string& tag : said->tags) tags += tag + "\n";
  open.own_tags = SharedText(tags);
  return MemoryVersion(std::move(open));
}

}  // namespace almanac
