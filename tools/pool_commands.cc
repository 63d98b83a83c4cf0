// What can be typed behind `almanac pool`.
#include <almanac/tools/pool_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {

void add_pool_commands(CommandGroup& pool) {
  auto [list_options, list] = pool.add<PoolListCommand>(
      {"list", "List pools of programs, and what became of their\ninstances", "almanac pool list"},
      pool_list);
  list_options.text("--at", list.at, at_help);
  auto [show_options, show] = pool.add<PoolShowCommand>(
      {"show", "Show one, why its instances went, and what was\nlast wrong with one",
       "almanac pool show reasoners"},
      pool_show);
  show_options.text("pool", show.pool, {"", "Name of the pool"});
  show_options.require("pool");
  show_options.text("--at", show.at, at_help);
}

}  // namespace almanac
