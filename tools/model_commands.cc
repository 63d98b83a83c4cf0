// What can be typed behind `almanac model`.
#include <almanac/tools/model_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_model_name(OptionSet& options, std::string& model) {
  options.text("model", model, {"", "Name of the model"});
  options.require("model");
}

void add_model_readers(CommandGroup& group) {
  auto [list_options, list] = group.add<ModelListCommand>(
      {"list", "List models, where they are, and how they are used", "almanac model list"},
      model_list);
  list_options.text("--at", list.at, at_help);
  auto [show_options, show] =
      group.add<ModelShowCommand>({"show", "Show one", "almanac model show llama"}, model_show);
  add_model_name(show_options, show.model);
  show_options.text("--at", show.at, at_help);
}

void add_model_change(CommandGroup& group, const CommandText& text,
                      ExitCode (*function)(const ModelCommand&)) {
  auto [options, command] = group.add<ModelCommand>(text, function);
  add_model_name(options, command.model);
}

void add_model_load(CommandGroup& group, const CommandText& text,
                    ExitCode (*function)(const ModelLoadCommand&)) {
  auto [options, command] = group.add<ModelLoadCommand>(text, function);
  add_model_name(options, command.model);
  options.text("--timeout", command.timeout, {"TIME", "How long it may take; 2m"});
}

}  // namespace

void add_model_commands(CommandGroup& group) {
  auto [options, add] = group.add<ModelAddCommand>(
      {"add", "Register the models that a file describes",
       "almanac model add models.toml\n"
       "  [llama]\n"
       "  bytes = \"9.2 GiB\"\n"
       "  alternative = \"llama-small\"\n"
       "  load = [\"curl\", \"-fsS\", \"http://localhost:8080/load/llama\"]\n"
       "  unload = [\"curl\", \"-fsS\", \"http://localhost:8080/unload/llama\"]"},
      model_add);
  options.text("file", add.file, {"FILE", "Where they are described"});
  options.require("file");
  add_model_readers(group);
  add_model_change(group, {"remove", "Remove one that is not loaded", "almanac model remove llama"},
                   model_remove);
  add_model_change(group, {"pin", "Let one give way to no other", "almanac model pin llama"},
                   model_pin);
  add_model_change(group, {"unpin", "Let one give way again", "almanac model unpin llama"},
                   model_unpin);
  add_model_load(group,
                 {"load", "Load one, and make room for it where there is\nnone",
                  "almanac model load llama --timeout 5m"},
                 model_load);
  add_model_load(group,
                 {"unload", "Unload one, also where it is pinned", "almanac model unload llama"},
                 model_unload);
}

}  // namespace almanac
