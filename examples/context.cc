// What a program knows of its users: kept, read at any moment, changed by versions, and forgotten.
#include <almanac/engine/engine.h>

#include <cstdio>
#include <string>

namespace {

int fail(const almanac::Error& error) {
  std::fprintf(stderr, "%s\n", almanac::describe(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using almanac::TurnRole;
  const std::string folder = argc > 1 ? argv[1] : "context-example";
  // [guide]
  auto engine = almanac::Engine::open(
      {.folder = folder,
       .contexts = {
           .fields = {{.name = "visits", .type = almanac::ContextFieldType::number, .min = 0}}}});
  if (!engine) return fail(engine.error());
  almanac::UserContexts& contexts = (*engine)->contexts();

  auto version = contexts.change("user-17", {.preferences = {{"language", "en"}},
                                             .friendship = 0.25,
                                             .fields = {{"visits", 1.0}},
                                             .turns = {{TurnRole::user, "Hello", {}},
                                                       {TurnRole::assistant, "Good morning", {}}}});
  if (!version) return fail(version.error());  // the error names the field

  auto before = contexts.get("user-17");  // takes no lock, and never changes
  auto changed = contexts.change("user-17", {.fields = {{"visits", 2.0}}}, *version);
  if (!changed) return fail(changed.error());  // conflict: somebody was faster

  auto known = contexts.get("user-17")->open();
  if (!known) return fail(known.error());
  // [guide]
  auto visits_before = before->value({almanac::ContextFieldKind::declared, "visits"});
  if (!visits_before) return fail(visits_before.error());
  std::printf("visits: %g, and before: %g\n", std::get<double>(known->fields.at("visits")),
              std::get<double>(**visits_before));
  // [forget]
  if (auto forgotten = contexts.forget("user-17"); !forgotten) return fail(forgotten.error());
  // [forget]
  std::printf("known: %s\n", contexts.get("user-17") ? "yes" : "no");
  return 0;
}
