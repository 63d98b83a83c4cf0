// What can be typed behind `almanac review`.
#include <almanac/tools/review_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_decision(CommandGroup& review, const CommandText& text,
                  ExitCode (*function)(const ReviewCommand&)) {
  auto [options, command] = review.add<ReviewCommand>(text, function);
  options.numbers("id", command.ids, {.min = 1}, {"", "Numbers of the tasks"});
  options.flag("--all", command.all, "All that are under review");
  options.exclude("id", "--all");
}

}  // namespace

void add_review_commands(CommandGroup& review) {
  review.add<ReviewListCommand>({"list",
                                 "List tasks under review, and what is known of them from\n"
                                 "the log this one was restored from",
                                 "almanac review list --dir work2"},
                                review_list);
  add_decision(review,
               {"run", "Let them run as if they had not gone on there", "almanac review run 7 8"},
               review_run);
  add_decision(review,
               {"skip",
                "Do not run them: those that had succeeded there count\nas succeeded, the others "
                "are cancelled",
                "almanac review skip --all"},
               review_skip);
  add_decision(review,
               {"accept", "Count them as succeeded, for who knows that they were done",
                "almanac review accept 9"},
               review_accept);
}

}  // namespace almanac
