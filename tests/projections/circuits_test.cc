// Circuits as the fold keeps them: their table, the window, and what is due.
#include <almanac/projections/circuits.h>
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

NameId named(const Story& story, std::string_view name) { return *story.state().names.find(name); }

Circuit search(const Story& story) {
  return circuit_of(story.state().circuits, named(story, "search"));
}

CircuitOpened opened(const Story& story, CircuitCause cause) {
  return {.service = "search", .cause = cause, .until = story.now() + 10s};
}

// Of the events that there are, the one that a move is told by.
bool moves(Story story, CircuitCause cause, CircuitState to) {
  const auto before = story.state().ignored;
  switch (to) {
    case CircuitState::open:
    case CircuitState::forced_open: (void)story.tell(opened(story, cause)); break;
    case CircuitState::half_open: (void)story.tell(CircuitHalfOpened{"search", 2}); break;
    case CircuitState::closed:
    case CircuitState::forced_closed: (void)story.tell(CircuitClosed{"search", cause}); break;
  }
  return story.state().ignored == before && search(story).state == to;
}

Story in_state(CircuitState state) {
  Story story;
  story.tell(CircuitObserved{.service = "search", .successes = 1});
  if (state == CircuitState::open || state == CircuitState::half_open) {
    story.tell(opened(story, CircuitCause::failure_rate));
  }
  if (state == CircuitState::half_open) story.tell(CircuitHalfOpened{"search", 2});
  if (state == CircuitState::forced_open) story.tell(opened(story, CircuitCause::forced));
  if (state == CircuitState::forced_closed) {
    story.tell(CircuitClosed{"search", CircuitCause::forced});
  }
  return story;
}

TEST(Circuits, MoveAlongTheirTableAndNoOtherWay) {
  int edges = 0;
  for (std::size_t from = 0; from < circuit_state_count; ++from) {
    const Story story = in_state(static_cast<CircuitState>(from));
    ASSERT_EQ(search(story).state, static_cast<CircuitState>(from));
    for (int cause = 0; cause < circuit_cause_count; ++cause) {
      for (std::size_t to = 0; to < circuit_state_count; ++to) {
        const auto by = static_cast<CircuitCause>(cause);
        const auto into = static_cast<CircuitState>(to);
        // An event says by its cause where it leads.
        const bool told = (by == CircuitCause::forced) == (into == CircuitState::forced_open ||
                                                           into == CircuitState::forced_closed);
        if (!told || (into == CircuitState::half_open && by != CircuitCause::cooled_down)) continue;
        const bool allowed = allows(static_cast<CircuitState>(from), by, into);
        EXPECT_EQ(moves(story, by, into), allowed)
            << name(static_cast<CircuitState>(from)) << " " << name(by) << " " << name(into);
        edges += allowed ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(edges, int(circuit_edges.size()));
}

TEST(Circuits, CountWithinAWindowThatSlides) {
  CircuitWindow window;
  const Time start = Time(1'200'000s);  // at the beginning of a slice
  window.add({.successes = 1, .failures = 2}, 60s, start);
  window.add({.successes = 4}, 60s, start + 30s);
  EXPECT_EQ(window.sum(), (CircuitWindow::Slice{5, 2}));
  window.add({}, 60s, start + 59s);
  EXPECT_EQ(window.sum(), (CircuitWindow::Slice{5, 2}));
  window.add({}, 60s, start + 60s);
  EXPECT_EQ(window.sum(), (CircuitWindow::Slice{4, 0})) << "the first slice is over";
  window.add({.failures = 1}, 60s, start + 1h);
  EXPECT_EQ(window.sum(), (CircuitWindow::Slice{0, 1}));
}

TEST(Circuits, TakeTheirOwnSettingThenTheirFamilysThenThatOfAll) {
  Story story;
  const auto set = [&](std::string_view service, std::uint16_t probes) {
    story.tell(CircuitConfigured{.service = service, .requests_min = 1, .probes = probes});
  };
  const auto probes = [&](std::string_view service) {
    return setting_or_default(story.state().circuits, story.state().names, service).probes;
  };
  set("*", 7);
  set("search:*", 8);
  set("search:eu", 9);
  EXPECT_EQ(probes("search:eu"), 9);
  EXPECT_EQ(probes("search:us"), 8);
  EXPECT_EQ(probes("mail"), 7);
  set("search:eu", 0);
  EXPECT_EQ(probes("search:eu"), 8) << "lifted, it is one of its family again";
  set("search:*", 0);
  set("*", 0);
  EXPECT_EQ(probes("search:eu"), CircuitSetting().probes) << "the default";
  EXPECT_TRUE(story.state().circuits.settings.empty());
}

TEST(Circuits, ForgetAtTheNextStartTheProbesOfAProgramThatDied) {
  Story story = in_state(CircuitState::half_open);
  story.tell(CircuitProbed{"search"});
  story.tell(CircuitProbed{"search"});
  const NameId service = named(story, "search");
  EXPECT_EQ(admits(story.state().circuits, service), 0U);
  EXPECT_EQ(due_move(story.state().circuits, story.state().names, service)->cause,
            CircuitCause::probe_late);
  EXPECT_FALSE(story.tell(CircuitProbed{"search"})) << "one too many";
  story.tell(EngineStarted{.version = "1", .process_id = 2, .slots = 4});
  EXPECT_EQ(admits(story.state().circuits, service), 2U);
  EXPECT_FALSE(due_move(story.state().circuits, story.state().names, service));
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

TEST(Circuits, AreDrawnInTheGuideAsTheirTableIs) {
  EXPECT_NE(read_file(source_path("docs/guides/resilience.md"))
                .find("```mermaid\n" + circuit_picture() + "```"),
            std::string::npos);
}

}  // namespace
}  // namespace almanac::test
