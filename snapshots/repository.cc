#include <almanac/snapshots/repository.h>

#include <almanac/log/file.h>
#include <almanac/log/hash.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/whole_file.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <set>
#include <string>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

Result<void> check_size_is(const fs::path& path, std::uint64_t bytes, std::uint64_t expected) {
  if (bytes == expected) return {};
  return in_file(path, {ErrorCode::corrupt,
                        "it has " + std::to_string(bytes) + " bytes and was written with " +
                            std::to_string(expected),
                        ""});
}

Result<void> write_bytes(const fs::path& path, Bytes bytes) {
  const std::array<Bytes, 1> pieces = {bytes};
  return write_whole_file(path, pieces);
}

// Below the repository.
fs::path name_of_manifest(std::uint64_t number) {
  return fs::path(Repository::manifests_folder) / std::to_string(number);
}

fs::path name_of_tail(const Timeline& timeline) {
  return fs::path(Repository::tails_folder) / to_hex(timeline);
}

// Where a file belongs, which its encryption is bound to: its name without the digest, since that
// is one of the encrypted bytes.
std::string place_of(fs::path name) { return name.replace_extension().string(); }

// Of the folder that is named by it.
std::optional<Timeline> timeline_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  Timeline timeline;
  if (!from_hex(name, timeline) || to_hex(timeline) != name) return std::nullopt;
  return timeline;
}

// The reverse of ArchiveName::path().
std::optional<ArchiveName> archive_name(ArchiveName::Kind kind, const Timeline& timeline,
                                        const fs::path& file) {
  const std::string stem = file.stem().string();
  const auto dash = kind == ArchiveName::Kind::segment ? stem.find('-') : 0;
  if (dash == stem.npos) return std::nullopt;
  const auto last = position_named(stem.substr(dash == 0 ? 0 : dash + 1));
  const auto first = dash == 0 ? last : position_named(stem.substr(0, dash));
  ArchiveName name{.kind = kind, .timeline = timeline};
  const std::string digest = file.extension().string();
  if (!first || !last || digest.empty() || !from_hex(digest.substr(1), name.digest)) {
    return std::nullopt;
  }
  name.first = *first;
  name.last = *last;
  if (name.path().filename() != file.filename()) return std::nullopt;
  return name;
}

void add_names(ArchiveName::Kind kind, const fs::path& folder, std::vector<ArchiveName>& to) {
  std::error_code none;
  for (const auto& of_timeline : fs::directory_iterator(folder, none)) {
    const auto timeline = timeline_of(of_timeline.path());
    if (!timeline) continue;
    for (const auto& entry : fs::directory_iterator(of_timeline.path(), none)) {
      if (auto name = archive_name(kind, *timeline, entry.path())) to.push_back(*name);
    }
  }
}

std::vector<ArchiveName> names_of(const std::vector<NamedFile>& files) {
  std::vector<ArchiveName> names;
  for (const NamedFile& file : files) names.push_back(file.name);
  return names;
}

std::array<std::byte, 8> begin_of(const Digest& digest) {
  std::array<std::byte, 8> begin;
  std::copy_n(digest.begin(), begin.size(), begin.begin());
  return begin;
}

}  // namespace

std::unexpected<Error> in_file(const fs::path& path, Error error) {
  if (error.message.find(path.string()) == std::string::npos) {
    error.message = path.string() + ": " + error.message;
  }
  if (error.code == ErrorCode::corrupt || error.code == ErrorCode::not_found) {
    error.next_step = "`almanac snapshot verify` tells which snapshots are whole";
  }
  return std::unexpected(std::move(error));
}

FileRecord record_of(Bytes bytes) { return {.bytes = bytes.size(), .digest = blake2b(bytes)}; }

fs::path ArchiveName::path() const {
  const bool is_segment = kind == Kind::segment;
  const std::string positions =
      (is_segment ? std::to_string(first.value) + "-" : std::string()) + std::to_string(last.value);
  return fs::path(is_segment ? Repository::segments_folder : Repository::checkpoints_folder) /
         to_hex(timeline) / (positions + "." + to_hex(digest));
}

ArchiveName name_of(const SegmentHeader& segment, const FileRecord& file) {
  return {ArchiveName::Kind::segment, segment.timeline, segment.first, segment.last,
          begin_of(file.digest)};
}

ArchiveName name_of(const Timeline& timeline, const CheckpointRecord& checkpoint) {
  return {ArchiveName::Kind::checkpoint, timeline, checkpoint.position, checkpoint.position,
          begin_of(checkpoint.file.digest)};
}

std::vector<NamedFile> named_files(const Manifest& manifest) {
  std::vector<NamedFile> files = {
      {name_of(manifest.timeline, manifest.checkpoint), manifest.checkpoint.file}};
  if (manifest.base) {
    files.push_back({name_of(manifest.timeline, *manifest.base), manifest.base->file});
  }
  for (const SegmentRecord& segment : manifest.segments) {
    files.push_back({name_of(segment.header, segment.file), segment.file});
  }
  return files;
}

std::vector<NamedFile> named_files(const ArchiveTail& tail) {
  std::vector<NamedFile> files;
  for (const SegmentRecord& segment : tail.segments) {
    files.push_back({name_of(segment.header, segment.file), segment.file});
  }
  return files;
}

std::vector<ArchiveName> files_of(const Manifest& manifest) {
  return names_of(named_files(manifest));
}
std::vector<ArchiveName> files_of(const ArchiveTail& tail) { return names_of(named_files(tail)); }

bool Repository::may_be_in(const fs::path& folder) {
  std::error_code none;
  return fs::exists(fs::symlink_status(folder / head_file, none)) || holds_nothing(folder);
}

Repository::Repository(fs::path folder, std::optional<WriteLock> lock,
                       std::optional<EncryptionKey> files_key, RepositoryKeys keys)
    : folder_(std::move(folder)),
      lock_(std::move(lock)),
      files_key_(files_key),
      signing_(keys.signing),
      trusted_(std::move(keys.trusted)) {
  if (signing_) trusted_.push_back(public_key_of(*signing_));
}

Result<Repository> Repository::open(const fs::path& folder, Access access, RepositoryKeys keys,
                                    std::chrono::milliseconds wait_max) {
  std::optional<WriteLock> lock;
  if (access == Access::write) {
    if (auto made = make_folder(folder); !made) return std::unexpected(made.error());
    auto taken = WriteLock::take(folder, "repository", wait_max);
    if (!taken) return std::unexpected(taken.error());
    lock = std::move(*taken);
  }
  auto files_key = read_repository_head(folder, keys.encryption);
  if (lock && !files_key && files_key.error().code == ErrorCode::not_found) {
    files_key = write_repository_head(folder, keys.encryption);
  }
  if (!files_key) return std::unexpected(files_key.error());
  return Repository(folder, std::move(lock), *files_key, std::move(keys));
}

Bytes Repository::stored(const fs::path& name, Bytes bytes, std::vector<std::byte>& memory) const {
  if (!files_key_) return bytes;
  memory = encrypt(bytes, *files_key_, place_of(name));
  return memory;
}

Result<std::vector<std::byte>> Repository::opened(const fs::path& name,
                                                  std::vector<std::byte> bytes) const {
  if (!files_key_) return bytes;
  auto decrypted = decrypt(std::move(bytes), *files_key_, place_of(name));
  if (!decrypted) return in_file(folder_ / name, decrypted.error());
  return decrypted;
}

Result<void> Repository::write_sealed(const fs::path& name, std::string_view text) {
  const std::string sealed = seal(text, signing_);
  std::vector<std::byte> memory;
  const Bytes file = stored(name, as_bytes(sealed), memory);
  if (file.size() > limits::manifest_bytes_max) {
    return fail(ErrorCode::refused, "the snapshot has too many segments for one manifest",
                "begin another repository");
  }
  return write_bytes(folder_ / name, file);
}

Result<SealedText> Repository::read_sealed(const fs::path& name) const {
  auto bytes = read_whole_file(folder_ / name, limits::manifest_bytes_max);
  if (!bytes) return in_file(folder_ / name, bytes.error());
  bytes = opened(name, std::move(*bytes));
  if (!bytes) return std::unexpected(bytes.error());
  auto text = unseal(as_text(*bytes));
  if (!text) return in_file(folder_ / name, text.error());
  return text;
}

Result<void> Repository::check_outside(const fs::path& folder) const {
  std::error_code error;
  const fs::path path = fs::weakly_canonical(fs::absolute(folder), error);
  if (error) return fail_errno(error.value(), "open " + folder.string());
  const fs::path inside = fs::canonical(folder_, error);
  if (error) return fail_errno(error.value(), "open " + folder_.string());
  if (std::ranges::mismatch(inside, path).in1 != inside.end()) return {};
  return fail(ErrorCode::refused, folder.string() + " is in the repository",
              "name a folder outside of it");
}

fs::path Repository::path_of(std::uint64_t number) const {
  return folder_ / name_of_manifest(number);
}

fs::path Repository::path_of(const Timeline& timeline) const {
  return folder_ / name_of_tail(timeline);
}

std::vector<std::uint64_t> Repository::numbers() const {
  std::vector<std::uint64_t> numbers;
  for (Position number : positions_in(folder_ / manifests_folder)) numbers.push_back(number.value);
  return numbers;
}

Result<Manifest> Repository::read_manifest(std::uint64_t number) const {
  const fs::path path = path_of(number);
  auto sealed = read_sealed(name_of_manifest(number));
  if (!sealed) return std::unexpected(sealed.error());
  auto manifest = decode_manifest(sealed->text);
  if (!manifest) return in_file(path, manifest.error());
  manifest->signer = sealed->signer;
  if (manifest->number != number) {
    return in_file(path, {ErrorCode::corrupt,
                          "it is the manifest of number " + std::to_string(manifest->number), ""});
  }
  return manifest;
}

Result<void> Repository::check_signer(const Manifest& manifest) const {
  return check_signer(path_of(manifest.number), manifest.signer);
}

Result<void> Repository::check_signer(const fs::path& path,
                                      const std::optional<PublicKey>& signer) const {
  const bool is_trusted = signer && std::ranges::find(trusted_, *signer) != trusted_.end();
  if (is_trusted || trusted_.empty()) return {};
  return in_file(path,
                 {ErrorCode::refused,
                  signer ? "it is signed with " + to_hex(signer->bytes) + ", which is not trusted"
                         : "it is not signed",
                  "where that is right, name the public key that is to be trusted, or none"});
}

Result<Manifest> Repository::manifest(std::uint64_t number) const {
  auto manifest = read_manifest(number);
  if (!manifest) return manifest;
  if (auto trusted = check_signer(*manifest); !trusted) return std::unexpected(trusted.error());
  return manifest;
}

Digest Repository::digest_of(const Manifest& manifest) {
  return blake2b(as_bytes(encode(manifest)));
}

Result<void> Repository::add(const Manifest& manifest) {
  ALMANAC_CHECK(lock_.has_value());
  const fs::path path = path_of(manifest.number);
  std::error_code error;
  if (fs::symlink_status(path, error).type() != fs::file_type::not_found) {
    return fail(ErrorCode::conflict, "there is a " + path.string() + " already",
                "nothing is replaced: try again, and see whether the folder can be listed");
  }
  return write_sealed(name_of_manifest(manifest.number), encode(manifest));
}

Result<void> Repository::remove(std::uint64_t number) {
  ALMANAC_CHECK(lock_.has_value());
  return remove_file(path_of(number));
}

Result<std::vector<Timeline>> Repository::tails() const {
  const fs::path folder = folder_ / tails_folder;
  std::vector<Timeline> timelines;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != end(entry);
       entry.increment(error)) {
    if (const auto timeline = timeline_of(entry->path())) timelines.push_back(*timeline);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail_errno(error.value(), "list " + folder.string());
  }
  std::ranges::sort(timelines);
  return timelines;
}

Result<ArchiveTail> Repository::read_tail(const Timeline& timeline) const {
  const fs::path path = path_of(timeline);
  auto sealed = read_sealed(name_of_tail(timeline));
  if (!sealed) return std::unexpected(sealed.error());
  auto tail = decode_tail(sealed->text);
  if (!tail) return in_file(path, tail.error());
  tail->signer = sealed->signer;
  if (tail->timeline == timeline) return tail;
  return in_file(path, {ErrorCode::corrupt, "it is the tail of another log", ""});
}

Result<ArchiveTail> Repository::tail(const Timeline& timeline) const {
  auto tail = read_tail(timeline);
  if (!tail) return tail;
  auto trusted = check_signer(path_of(timeline), tail->signer);
  if (!trusted) return std::unexpected(trusted.error());
  return tail;
}

Result<std::vector<ArchiveName>> Repository::files_of_tails() const {
  const auto timelines = tails();
  if (!timelines) return std::unexpected(timelines.error());
  std::vector<ArchiveName> names;
  for (const Timeline& timeline : *timelines) {
    auto tail = read_tail(timeline);
    if (!tail) return std::unexpected(tail.error());
    std::ranges::copy(files_of(*tail), std::back_inserter(names));
  }
  return names;
}

Result<void> Repository::put(const ArchiveTail& tail) {
  ALMANAC_CHECK(lock_.has_value());
  return write_sealed(name_of_tail(tail.timeline), encode(tail));
}

Result<void> Repository::remove_tail(const Timeline& timeline) {
  ALMANAC_CHECK(lock_.has_value());
  return remove_file(path_of(timeline));
}

Result<FileRecord> Repository::write(ArchiveName name, Bytes bytes) {
  ALMANAC_CHECK(lock_.has_value());
  std::vector<std::byte> memory;
  const Bytes file = stored(name.path(), bytes, memory);
  const FileRecord record = record_of(file);
  name.digest = begin_of(record.digest);
  if (auto written = write_bytes(path_of(name), file); !written) {
    return std::unexpected(written.error());
  }
  return record;
}

Result<std::vector<std::byte>> Repository::read(const ArchiveName& name,
                                                const FileRecord& record) const {
  const fs::path path = path_of(name);
  auto bytes = read_whole_file(path, record.bytes);
  if (!bytes) return in_file(path, bytes.error());
  if (auto size = check_size_is(path, bytes->size(), record.bytes); !size) {
    return std::unexpected(size.error());
  }
  if (blake2b(*bytes) != record.digest) {
    return in_file(path, {ErrorCode::corrupt, "it is not the file that was written", ""});
  }
  return opened(name.path(), std::move(*bytes));
}

Result<void> Repository::check_size(const ArchiveName& name, const FileRecord& record) const {
  const fs::path path = path_of(name);
  std::error_code missing;
  const auto status = fs::symlink_status(path, missing);
  if (!fs::exists(status)) {
    return in_file(path, {ErrorCode::not_found, "there is no " + path.string(), ""});
  }
  if (!fs::is_regular_file(status)) {
    return in_file(path, {ErrorCode::corrupt, "it is no file", ""});
  }
  return check_size_is(path, fs::file_size(path, missing), record.bytes);
}

Result<FoundFile> Repository::find(const ArchiveName& name) const {
  const fs::path path = path_of(name);
  auto bytes = read_whole_file(path, limits::segment_file_bytes_max);
  if (!bytes) return in_file(path, bytes.error());
  const FileRecord record = record_of(*bytes);
  if (begin_of(record.digest) != name.digest) {
    return in_file(path, {ErrorCode::corrupt, "it is not the file that was written", ""});
  }
  bytes = opened(name.path(), std::move(*bytes));
  if (!bytes) return std::unexpected(bytes.error());
  return FoundFile{.record = record, .bytes = std::move(*bytes)};
}

std::vector<ArchiveName> Repository::files() const {
  std::vector<ArchiveName> names;
  add_names(ArchiveName::Kind::checkpoint, folder_ / checkpoints_folder, names);
  add_names(ArchiveName::Kind::segment, folder_ / segments_folder, names);
  return names;
}

Result<std::vector<ArchiveName>> Repository::unreferenced() const {
  std::set<ArchiveName> referenced;
  const auto numbers = list_positions(folder_ / manifests_folder);
  if (!numbers) return std::unexpected(numbers.error());
  for (Position number : *numbers) {
    auto manifest = read_manifest(number.value);
    if (!manifest) return std::unexpected(manifest.error());
    const auto names = files_of(*manifest);
    referenced.insert(names.begin(), names.end());
  }
  const auto of_tails = files_of_tails();
  if (!of_tails) return std::unexpected(of_tails.error());
  referenced.insert(of_tails->begin(), of_tails->end());
  auto names = files();
  std::erase_if(names, [&](const ArchiveName& name) { return referenced.contains(name); });
  return names;
}

Result<void> Repository::remove(const ArchiveName& name) {
  ALMANAC_CHECK(lock_.has_value());
  return remove_file(path_of(name));
}

void Repository::remove_unfinished() {
  ALMANAC_CHECK(lock_.has_value());
  almanac::remove_unfinished(folder_);
  almanac::remove_unfinished(folder_ / manifests_folder);
  almanac::remove_unfinished(folder_ / tails_folder);
  std::error_code none;
  for (const char* kind : {segments_folder, checkpoints_folder}) {
    for (const auto& of_timeline : fs::directory_iterator(folder_ / kind, none)) {
      almanac::remove_unfinished(of_timeline.path());
    }
  }
}

std::optional<Manifest> find_tagged(const Repository& repository, std::string_view tag) {
  for (std::uint64_t number : repository.numbers()) {
    auto manifest = repository.manifest(number);
    if (manifest && manifest->tag == tag) return std::move(*manifest);
  }
  return std::nullopt;
}

}  // namespace almanac
