// The keys that what is known of users is sealed with, one for each, in files beside the log:
//
//   DIR/keys/users      "almanac user keys, format 1" in 64 bytes, and 64 for each key: which it is
//                       (16), the key (32), the XXH3-64 of both (8), zeros (8). A key that was
//                       destroyed is zeros.
//   DIR/keys/destroyed  the ledger: "almanac destroyed user keys, format 1" and a line for each
//                       that was, 32 hexadecimal digits. What stands there is no key any more,
//                       whatever copy of the other file comes back.
//
// Both are only added to or overwritten in place, never replaced: a fork and a restored log have
// the same files by links, so that a key is in one place and is destroyed for all of them. No
// archive has them. What a disk keeps of a block that was overwritten is for the disk's own
// encryption.
#pragma once

#include <almanac/log/crypto.h>
#include <almanac/log/error.h>
#include <almanac/projections/contexts.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/snapshots/latest.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>

namespace almanac {

// In the folder of a log.
inline constexpr const char* user_keys_folder = "keys";

// Any thread may call. Keys are overwritten in memory when the last one goes who has one.
class UserKeys {
 public:
  // Those of a log's folder, which may have none. Writes nothing. Errors: corrupt (no file of
  // keys), newer_format, refused, io.
  [[nodiscard]] static Result<std::unique_ptr<UserKeys>> open(const std::filesystem::path& folder);

  // Draws a key, which is on disk when this returns. Errors: storage_full, refused, io.
  [[nodiscard]] Result<UserKeyId> create();
  // None where there is no such key. Takes no lock.
  [[nodiscard]] std::shared_ptr<const EncryptionKey> find(const UserKeyId& id) const;
  [[nodiscard]] bool is_destroyed(const UserKeyId& id) const;
  // The same as find(). Errors: refused (it was destroyed, with all that is known of the user),
  // not_found (it is not in the folder of the log).
  [[nodiscard]] Result<std::shared_ptr<const EncryptionKey>> need(const UserKeyId& id) const;
  [[nodiscard]] PersistentMap<UserKeyId, std::shared_ptr<const EncryptionKey>> all() const {
    return known_.take()->keys;
  }
  [[nodiscard]] PersistentSet<UserKeyId> destroyed() const { return known_.take()->destroyed; }
  // Another number whenever keys may have gone, or come from elsewhere. Takes no lock.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  // Enters it in the ledger, and then overwrites it; both are on disk when this returns, and asked
  // again it goes on. A key that is not there only comes into the ledger. Errors: as create().
  [[nodiscard]] Result<void> destroy(const UserKeyId& id);
  // Adds a key from elsewhere, which is on disk when this returns; nothing where it is there.
  // Errors: refused (it was destroyed), and as create().
  [[nodiscard]] Result<void> bring(const UserKeyId& id, const EncryptionKey& key);
  // Destroys these, and what the ledger says, where the file has them nevertheless: a crash came
  // between, or a copy was brought back. Errors: as create().
  [[nodiscard]] Result<void> destroy_again(const PersistentSet<UserKeyId>& ids);
  // Hears of keys that were destroyed or brought by who shares the files. Costs a look at the sizes
  // of both.
  void look_again();

 private:
  struct Known {
    PersistentMap<UserKeyId, std::shared_ptr<const EncryptionKey>> keys;
    PersistentSet<UserKeyId> destroyed;
  };
  explicit UserKeys(std::filesystem::path folder)
      : folder_(std::move(folder)), known_(std::make_shared<const Known>()) {}
  [[nodiscard]] Result<void> read();
  [[nodiscard]] Result<void> make_files() const;
  [[nodiscard]] Result<void> add(const UserKeyId& id, std::shared_ptr<const EncryptionKey> key);

  std::filesystem::path folder_;
  Latest<Known> known_;
  std::mutex writing_;
  std::uintmax_t ledger_bytes_ = 0;  // as it was read; guarded by writing_
  std::uintmax_t keys_bytes_ = 0;    // as it was read or made longer; guarded by writing_
  std::atomic<std::uint64_t> generation_ = 1;
};

// Gives the folder of a log that is being made the keys of another: the same files, where they can
// be linked; across file systems only the ledger. Nothing where there are none. Errors:
// storage_full, refused, io.
[[nodiscard]] Result<void> share_user_keys(const std::filesystem::path& from,
                                           const std::filesystem::path& to);

}  // namespace almanac
