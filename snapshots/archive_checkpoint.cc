#include <almanac/snapshots/archive_checkpoint.h>

#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/compression.h>
#include <almanac/snapshots/limits.h>

#include <algorithm>
#include <string>
#include <utility>

namespace almanac {
namespace {

constexpr std::string_view archived_magic = "ALMCHECK";
constexpr std::uint64_t archived_format = 1;
constexpr std::size_t archived_header_bytes = 8 + 8 + 16 + 3 * 8;

std::vector<std::byte> header_of(const Timeline& timeline, const CheckpointRecord& record) {
  ColumnWriter header;
  header.bytes(as_bytes(archived_magic));
  header.number(archived_format);
  header.bytes(timeline);
  header.number(record.position.value);
  header.number(record.base.value);
  header.number(record.raw_bytes);
  return header.take();
}

// The checkpoint's file out of the archive's.
Result<std::vector<std::byte>> unpack(const Repository& repository, const Timeline& timeline,
                                      const CheckpointRecord& record, Bytes base) {
  const ArchiveName name = name_of(timeline, record);
  auto packed = repository.read(name, record.file);
  if (!packed) return packed;
  auto refuse = [&](ErrorCode code, const std::string& what) {
    return in_file(repository.path_of(name), {code, what, ""});
  };
  ColumnReader header(*packed);
  if (as_text(header.bytes(archived_magic.size())) != archived_magic) {
    return refuse(ErrorCode::corrupt, "it is no checkpoint of an archive");
  }
  if (header.number() > archived_format) {
    return refuse(ErrorCode::newer_format,
                  "its format is newer than this version of Almanac knows");
  }
  const auto expected = header_of(timeline, record);
  if (packed->size() < archived_header_bytes ||
      !std::ranges::equal(Bytes(*packed).first(archived_header_bytes), expected)) {
    return refuse(ErrorCode::corrupt, "it is another checkpoint than its manifest says");
  }
  std::vector<std::byte> file(record.raw_bytes);
  auto done = Decompressor().decompress(Bytes(*packed).subspan(archived_header_bytes), file, base);
  if (!done) return refuse(done.error().code, done.error().message);
  return file;
}

PackedCheckpoint pack(const Timeline& timeline, const CheckpointRecord& record, Bytes compressed) {
  PackedCheckpoint packed{.record = record, .base = {}, .bytes = header_of(timeline, record)};
  packed.bytes.insert(packed.bytes.end(), compressed.begin(), compressed.end());
  return packed;
}

}  // namespace

Result<ArchivedCheckpoint> read_checkpoint(const Repository& repository, const Manifest& manifest) {
  ArchivedCheckpoint checkpoint;
  if (manifest.base) {
    auto base = unpack(repository, manifest.timeline, *manifest.base, {});
    if (!base) return std::unexpected(base.error());
    checkpoint.base = std::move(*base);
  }
  auto file = unpack(repository, manifest.timeline, manifest.checkpoint, checkpoint.base);
  if (!file) return std::unexpected(file.error());
  checkpoint.file = std::move(*file);
  return checkpoint;
}

Result<State> read_state(const Repository& repository, const Manifest& manifest) {
  const auto path = repository.path_of(name_of(manifest.timeline, manifest.checkpoint));
  auto archived = read_checkpoint(repository, manifest);
  if (!archived) return std::unexpected(archived.error());
  auto checkpoint = decode_checkpoint(archived->file);
  if (!checkpoint) return in_file(path, checkpoint.error());
  const CheckpointHeader& header = checkpoint->header;
  const char* wrong = nullptr;
  if (header.timeline != manifest.timeline || header.position != manifest.tail.last ||
      header.chain != manifest.tail.digest || header.state != manifest.state) {
    wrong = "it is another state than its manifest says";
  } else if (digest(checkpoint->state) != manifest.state) {
    wrong = "its state does not have the digest of its manifest";
  }
  if (wrong != nullptr) return in_file(path, {ErrorCode::corrupt, wrong, ""});
  return std::move(checkpoint->state);
}

Result<PackedCheckpoint> pack_checkpoint(const Timeline& timeline, Position position, Bytes file,
                                         const std::optional<DeltaBase>& base) {
  if (file.size() > limits::checkpoint_bytes_max) {
    return fail(ErrorCode::refused, "the state takes " + std::to_string(file.size()) +
                                        " bytes, more than the archive keeps of one");
  }
  CheckpointRecord record{.position = position, .base = {}, .raw_bytes = file.size(), .file = {}};
  Compressor compressor;
  if (base) {
    const Bytes delta = compressor.compress(file, base->file);
    if (delta.size() <= base->record.file.bytes / limits::delta_times_smaller_min) {
      record.base = base->record.position;
      PackedCheckpoint packed = pack(timeline, record, delta);
      packed.base = base->record;
      return packed;
    }
  }
  return pack(timeline, record, compressor.compress(file));
}

Result<CheckpointRecord> write_checkpoint(Repository& repository, const Timeline& timeline,
                                          const PackedCheckpoint& packed) {
  CheckpointRecord record = packed.record;
  auto written = repository.write(name_of(timeline, record), packed.bytes);
  if (!written) return std::unexpected(written.error());
  record.file = *written;
  return record;
}

}  // namespace almanac
