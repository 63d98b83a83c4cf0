// What can be typed behind `almanac gpu`.
#include <almanac/tools/gpu_commands.h>

#include <almanac/tools/command_line.h>
#include <almanac/tools/commands.h>

namespace almanac {

void add_gpu_options(OptionSet& options, RunCommand& command) {
  options.flag("--gpu-watch", command.gpu_watch, "Watch GPUs and their memory");
  options.text("--models", command.models,
               {"FILE", "Register the models that it describes; watches\nGPUs"});
  options.text("--model-patience", command.model_patience,
               {"TIME", "How long tasks wait for a model before one in use\ngives way; 30s"});
}

void add_gpu_commands(CommandGroup& gpu) {
  auto [list_options, list] = gpu.add<GpuListCommand>(
      {"list", "List GPUs, and how full their memory is", "almanac gpu list"}, gpu_list);
  list_options.text("--at", list.at, at_help);
  auto [show_options, show] = gpu.add<GpuShowCommand>(
      {"show", "Show one, and its last 100 samples", "almanac gpu show 6e76696c"}, gpu_show);
  show_options.text("device", show.device, {"", "Its identity, or how that begins"});
  show_options.require("device");
  show_options.text("--at", show.at, at_help);
  gpu.add<GpuProbeCommand>(
      {"probe", "Look at the GPUs of this machine now, without\nan engine", "almanac gpu probe"},
      gpu_probe);
}

}  // namespace almanac
