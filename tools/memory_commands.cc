// What can be typed behind `almanac memory`.
#include <almanac/tools/memory_commands.h>

#include <almanac/engine/limits.h>
#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_memory_add(CommandGroup& memory) {
  auto [options, command] = memory.add<MemoryAddCommand>(
      {"add", "Store an entry, and print its number",
       "almanac memory add 'She likes the sea' --kind fact --user ann --tag travel\n"
       "  almanac memory add 'It rains' --embedding '[0.1, 0.7]' --metadata '{\"n\": 3}'"},
      memory_add);
  options.text("content", command.content, {"", "What is to be remembered"});
  options.require("content");
  options.text("--kind", command.kind, {"NAME", "What sort of entry it is; note"});
  options.text("--user", command.user, {"NAME", "Whose it is"});
  options.text("--summary", command.summary, {"TEXT", "The same in short"});
  options.text("--embedding", command.embedding,
               {"LIST", "Numbers in JSON, as many as the others of its kind\nhave"});
  options.texts("--tag", command.tags, {"TAG", "May be repeated"});
  options.text("--metadata", command.metadata,
               {"OBJECT", "Texts, numbers, true and false by name, in JSON"});
  options.text("--significance", command.significance, {"NUMBER", "0 to 1; 0.5"});
  options.text("--ttl", command.time_to_live, {"TIME", "How long it is kept, such as 30d"});
}

void add_filters(OptionSet& options, MemorySearchCommand& command) {
  options.text("--kind", command.kind, {"NAME", "Of this kind"});
  options.text("--user", command.user, {"NAME", "Of this user"});
  options.texts("--tag", command.tags, {"TAG", "With this tag; may be repeated"});
  options.text("--from", command.from, {"TIME", "Stored then or later, such as \"2 hours ago\""});
  options.text("--until", command.until, {"TIME", "Stored before"});
  options.text("--significance", command.significance, {"NUMBER", "At least so much, 0 to 1"});
  options.number("-n,--limit", command.limit, {.min = 1, .max = limits::memory_hits_max},
                 {"NUMBER", "At most so many"});
  options.text("--at", command.at, at_help);
}

void add_search(CommandGroup& memory) {
  auto [options, command] = memory.add<MemorySearchCommand>(
      {"search", "Find entries by what is in them and by what they are\nlike",
       "almanac memory search sea --user ann\n"
       "  almanac memory search --like 7 --tag travel --at '2 days ago'\n"
       "  almanac memory search --embedding '[0.1, 0.7]' --kind fact"},
      memory_search);
  options.text("text", command.text, {"", "In the content or the summary"});
  options.text("--embedding", command.embedding,
               {"LIST", "Numbers in JSON; the most similar come first"});
  options.number("--like", command.like, {.min = 1}, {"ENTRY", "The same, with those of an entry"});
  options.exclude("--embedding", "--like");
  add_filters(options, command);
}

void add_consolidation(CommandGroup& memory) {
  auto [same_options, same] = memory.add<MemoryDuplicatesCommand>(
      {"duplicates", "List entries that say what an older one of their kind and\nuser says",
       "almanac memory duplicates --kind fact --similarity 0.95"},
      memory_duplicates);
  same_options.text("--kind", same.kind, {"NAME", "Of this kind"});
  same_options.text("--user", same.user, {"NAME", "Of this user"});
  same_options.text("--similarity", same.similarity,
                    {"NUMBER", "Also those whose embeddings are so near, 0 to 1"});
  auto [options, command] = memory.add<MemoryConsolidateCommand>(
      {"consolidate", "Store one entry in the place of many that matter little",
       "almanac memory consolidate --kind fact --older 30d --dry-run\n"
       "  almanac memory consolidate 'It rained often' --kind weather --below 0.2\n"
       "  All of it is one append. Entries of users and of nobody are never summed up\n"
       "  together."},
      memory_consolidate);
  options.text("content", command.content, {"", "What they say, in short"});
  options.text("--kind", command.kind, {"NAME", "Of which kind they are"});
  options.require("--kind");
  options.text("--user", command.user, {"NAME", "Whose they are; nobody's"});
  options.text("--below", command.below, {"NUMBER", "Less significant than that; 0.3"});
  options.text("--older", command.older, {"TIME", "Stored so long ago, such as 30d; 0"});
  options.texts("--tag", command.tags, {"TAG", "Of the new entry; may be repeated"});
  options.flag("--dry-run", command.dry_run, "Show which entries, and change nothing");
}

}  // namespace

void add_memory_commands(CommandGroup& memory) {
  add_memory_add(memory);
  auto [get_options, get] = memory.add<MemoryGetCommand>(
      {"get", "Show one entry with all it says", "almanac memory get 7"}, memory_get);
  get_options.number("entry", get.id, {.min = 1}, {"", "Its number"});
  get_options.require("entry");
  get_options.text("--at", get.at, at_help);
  add_search(memory);
  auto [list_options, list] = memory.add<MemorySearchCommand>(
      {"list", "List entries, the newest first", "almanac memory list --kind fact --limit 100"},
      memory_search);
  list.lists = true;
  add_filters(list_options, list);
  auto [forget_options, forget] = memory.add<MemoryForgetCommand>(
      {"forget", "Forget entries: all of these, or none; or a user, with\nall that is known of him",
       "almanac memory forget 7 8 --reason 'no longer true'\n"
       "  almanac memory forget --user ann\n"
       "  With --user the user's key is destroyed, as by `almanac context forget`:\n"
       "  nothing can be read any more, in no copy."},
      memory_forget);
  forget_options.numbers("entries", forget.ids, {.min = 1}, {"", "Their numbers"});
  forget_options.text("--user", forget.user, {"USER", "Whose key is to be destroyed"});
  forget_options.exclude("entries", "--user");
  forget_options.text("--reason", forget.reason, {"TEXT", "Why, for the record"});
  add_consolidation(memory);
  auto [import_options, import] = memory.add<MemoryImportCommand>(
      {"import", "Store entries from JSON, one object a line",
       "almanac memory import entries.jsonl\n"
       "  almanac memory export --dir old | almanac memory import - --dir new"},
      memory_import);
  import_options.text("file", import.file, {"", "Its name; - is standard input"});
  import_options.require("file");
  auto [export_options, exported] =
      memory.add<MemoryExportCommand>({"export", "Print all entries as JSON, one object a line",
                                       "almanac memory export > entries.jsonl"},
                                      memory_export);
  export_options.text("--at", exported.at, at_help);
}

}  // namespace almanac
