// What can be typed behind `almanac snapshot`.
#include <almanac/tools/snapshot_commands.h>

#include <almanac/tools/command_line.h>
#include <almanac/tools/limits.h>

namespace almanac {
namespace {

void add_create(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotCreateCommand>(
      {"create", "Archive what is new in the log, beside a working engine",
       "almanac snapshot create --repository /backup/build\n"
       "  The first one holds all of the log, later ones what happened since. A\n"
       "  repository that is begun with --key is encrypted."},
      snapshot_create);
  add_repository(options, command.repository);
  add_signing(options, command.repository);
  options.text("--tag", command.tag,
               {"NAME", "Call it so, for restore --at NAME; it is not pruned"});
  options.flag("--full", command.full,
               "Build on nothing that is there: archive all of the\nlog again");
  options.number("-j,--jobs", command.jobs, {.min = 0, .max = limits::verify_jobs_max},
                 {"NUMBER", "Threads that compress; 0 = one for each processor"});
}

void add_follow(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotFollowCommand>(
      {"follow", "Archive what is new again and again, until Ctrl-C",
       "almanac snapshot follow --repository /backup/build\n"
       "  Beside a working engine; tells how much would be lost with the log."},
      snapshot_follow);
  add_repository(options, command.repository);
  add_signing(options, command.repository);
  options.text("--every", command.every,
               {"DURATION", "Archive events that are so old; 1s when left out"});
  options.text("--bytes", command.bytes,
               {"SIZE", "Or once they have so many bytes in the log; 1MiB\nwhen left out"});
  options.text("--snapshot-every", command.snapshot_every,
               {"DURATION", "Make a snapshot so long after the last one; 1h when\nleft out"});
}

void add_copy(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotCopyCommand>(
      {"copy", "Bring a second copy of the repository up to date",
       "almanac snapshot copy --to /mnt/usb/build --repository /backup/build\n"
       "  almanac snapshot copy --command 'rclone copyto {file} far:build/{name}' \\\n"
       "    -r /backup/build\n"
       "  The copy can be restored from at every moment."},
      snapshot_copy);
  add_repository(options, command.repository);
  options.text("--to", command.to, {"FOLDER", "A folder; it becomes a repository"});
  options.text("--command", command.command,
               {"COMMAND",
                "Copies one file, {file}, which is called {name};\nsplit at spaces, without a "
                "shell"});
  options.exclude("--to", "--command");
  options.text("--record", command.record,
               {"FOLDER",
                "Where it is kept what a command has copied; when\nleft out, \"copied\" in the "
                "repository"});
  options.text("--every", command.every,
               {"DURATION", "Again so long after it was done, until Ctrl-C"});
}

void add_list(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotListCommand>(
      {"list", "List snapshots, and what of the log's time they hold",
       "almanac snapshot list --repository /backup/build"},
      snapshot_list);
  add_repository(options, command.repository);
}

void add_show(CommandGroup& snapshot) {
  auto [options, command] =
      snapshot.add<SnapshotShowCommand>({"show", "Show what one snapshot is made of",
                                         "almanac snapshot show 3 --repository /backup/build"},
                                        snapshot_show);
  options.number("number", command.number, {}, {"NUMBER", "Which; when left out, the newest"});
  add_repository(options, command.repository);
}

void add_snapshot_verify(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotVerifyCommand>(
      {"verify", "Check every byte, frame and state of the snapshots",
       "almanac snapshot verify --repository /backup/build\n"
       "  almanac snapshot verify 3 --sample 10 --repository /backup/build"},
      snapshot_verify);
  options.number("number", command.number, {}, {"NUMBER", "Which; when left out, all"});
  add_repository(options, command.repository);
  options.number("--sample", command.sample, {.min = 0, .max = 100},
                 {"PERCENT",
                  "Read only so many of the files, drawn anew each\ntime, and the "
                  "newest; of the others look at the\nsize"});
}

void add_prune(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotPruneCommand>(
      {"prune", "Remove old snapshots, and what only they needed",
       "almanac snapshot prune --dry-run --repository /backup/build\n"
       "  almanac snapshot prune --keep-last 10 --keep-daily 7 -r /backup/build\n"
       "  What one of the rules keeps stays, and always the newest."},
      snapshot_prune);
  add_repository(options, command.repository);
  add_retention_options(options, command.keep);
  options.flag("--tagged", command.tagged, "Let those that have a tag go as well");
  options.flag("--dry-run", command.dry_run, "Tell what would go, and remove nothing");
}

void add_restore(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotRestoreCommand>(
      {"restore", "Make a log of what is archived, as it was at a moment",
       "almanac snapshot restore --to work2 --repository /backup/build\n"
       "  almanac snapshot restore --at \"2 hours ago\" --to work2 -r /backup/build\n"
       "  The new log remembers where it comes from. What ran then or went on since is\n"
       "  held in it for `almanac review`."},
      snapshot_restore);
  options.number("number", command.number, {},
                 {"NUMBER", "Which; when left out, the newest that holds the\nmoment"});
  add_repository(options, command.repository);
  options.text("--to", command.to, {"FOLDER", "Gets the log; missing or empty, or with --replace"});
  options.require("--to");
  options.text("--at", command.at,
               {"MOMENT",
                "As it was at a position, at a time such as\n\"2026-11-21 10:00\", in UTC where it "
                "names no zone,\nor \"2 hours ago\", behind the event with an\nidempotency key "
                "(key:order-42), or where the\nsnapshot with that tag ends"});
  options.text(
      "--before", command.before,
      {"EXPRESSION",
       "As it was before that first held, such as\n'tasks.failed > 0'; as for bisect --when"});
  options.exclude("--at", "--before");
  options.text("--user-keys", command.user_keys,
               {"FILE",
                "Bring these keys of users, which no snapshot has:\nthat `almanac context "
                "export-keys` made"});
  options.flag("--replace", command.replace,
               "Move a log that is there aside, to\nFOLDER.replaced; nobody may be writing it");
  options.text(
      "--review", command.review,
      {"ask|run|skip|accept",
       "What becomes of tasks that ran then or went on\nsince: ask (the default) holds "
       "them for `almanac\nreview`, run lets them run again, skip counts\nthem as "
       "succeeded where they had and cancels the\nothers, accept counts all as succeeded"});
  options.flag("--dry-run", command.dry_run, "Only say what would be read, and what would change");
}

void add_drill(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotDrillCommand>(
      {"drill", "Restore a moment drawn by chance, compare and remove it",
       "almanac snapshot drill --repository /backup/build"},
      snapshot_drill);
  add_repository(options, command.repository);
  options.text("--to", command.to,
               {"FOLDER", "Where to restore; when left out, where temporary\nfiles go"});
}

void add_create_key(CommandGroup& snapshot) {
  auto [options, command] = snapshot.add<SnapshotCreateKeyCommand>(
      {"create-key", "Make a key for --key, or one for --sign-with",
       "almanac snapshot create-key --encryption backup.key\n"
       "  almanac snapshot create-key --signing signing.key\n"
       "  The second one also makes signing.key.pub, for --trust."},
      snapshot_create_key);
  options.text(
      "--encryption", command.encryption,
      {"FILE", "Gets a key. Keep a copy in another place: without\nit nothing can be read"});
  options.text("--signing", command.signing, {"FILE", "Gets a key, and FILE.pub the public one"});
  options.exclude("--encryption", "--signing");
}

}  // namespace

void add_snapshot_commands(CommandGroup& snapshot) {
  add_create(snapshot);
  add_follow(snapshot);
  add_copy(snapshot);
  add_list(snapshot);
  add_show(snapshot);
  add_snapshot_verify(snapshot);
  add_prune(snapshot);
  add_restore(snapshot);
  add_drill(snapshot);
  add_create_key(snapshot);
}

}  // namespace almanac
