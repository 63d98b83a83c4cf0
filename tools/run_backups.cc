#include <almanac/tools/run_backups.h>

#include <string_view>
#include <utility>

namespace almanac {
namespace {

Result<void> add_job(BackupOptions& options, BackupAction action, const std::string& text) {
  if (text.empty()) return {};
  auto recurrence = Recurrence::parse(text);
  if (!recurrence) {
    return fail(recurrence.error().code,
                "--" + std::string(name(action)) + ": " + recurrence.error().message,
                recurrence.error().next_step);
  }
  options.jobs.push_back({.action = action, .recurrence = std::move(*recurrence)});
  return {};
}

}  // namespace

void add_backup_options(OptionSet& options, RunBackups& backups) {
  options.text("-r,--repository", backups.repository.folder,
               {"FOLDER", "Where the snapshots are that this run makes"});
  add_keys(options, backups.repository);
  add_signing(options, backups.repository);
  options.text(
      "--snapshot", backups.snapshot,
      {"SCHEDULE",
       "When to make one, such as 'every 15 minutes',\n'daily at 02:30' or 'daily at 02:30 "
       "Europe/Paris'"});
  options.text("--archive-every", backups.archive_every,
               {"DURATION", "Archive what is new so often, such as 1s, between\nsnapshots too"});
  options.text("--drill", backups.drill, {"SCHEDULE", "When to restore a moment of one on trial"});
  options.text("--prune", backups.prune,
               {"SCHEDULE", "When to remove old ones; 'every day' when just\na rule is given:"});
  add_retention_options(options, backups.keep);
}

Result<BackupOptions> parse_backups(const RunBackups& backups) {
  BackupOptions options{.repository = backups.repository.folder};
  auto keys = read_keys(backups.repository);
  if (!keys) return std::unexpected(keys.error());
  options.keys = std::move(*keys);
  auto keep = parse_retention(backups.keep);
  if (!keep) return std::unexpected(keep.error());
  options.keep = *keep;
  const bool has_rule = backups.keep != RetentionText();
  const std::string prune = backups.prune.empty() && has_rule ? "every day" : backups.prune;
  Result<void> added = add_job(options, BackupAction::snapshot, backups.snapshot);
  if (added) added = add_job(options, BackupAction::drill, backups.drill);
  if (added) added = add_job(options, BackupAction::prune, prune);
  if (!added) return std::unexpected(added.error());
  const bool has_use = !options.jobs.empty() || !backups.archive_every.empty();
  if (options.repository.empty() == has_use) {
    return !has_use ? fail(ErrorCode::invalid, "nothing is done with the repository",
                           "add --snapshot 'every 15 minutes', or leave --repository out")
                    : fail(ErrorCode::invalid, "backups have no repository",
                           "name its folder with --repository");
  }
  return options;
}

Result<std::optional<FollowOptions>> parse_following(const RunBackups& backups) {
  if (backups.archive_every.empty()) return std::nullopt;
  auto every = parse_interval("--archive-every", backups.archive_every);
  if (!every) return std::unexpected(every.error());
  return FollowOptions{.every = *every};
}

}  // namespace almanac
