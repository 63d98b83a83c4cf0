// What the daemon can do, behind its doors: from a request to the row of the table that answers it,
// on the thread the row asks for, with the state it asks about.
//
// Reads are answered from the published state, without a lock. Writes go through the engine, and
// are answered when they are on disk.
#pragma once

#include <almanac/daemon/answer_cache.h>
#include <almanac/daemon/event_feed.h>
#include <almanac/daemon/http_route.h>
#include <almanac/daemon/snapshot_works.h>
#include <almanac/daemon/task_meter.h>
#include <almanac/daemon/work_threads.h>
#include <almanac/engine/engine.h>
#include <almanac/log/log.h>
#include <almanac/snapshots/past_states.h>
#include <almanac/tools/queue_tally.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace almanac {

class HttpApi {
 public:
  struct Surroundings {
    Engine& engine;
    std::filesystem::path folder;
    const TaskMeter& meter;
    EventFeed& feed;
    std::function<HttpFigures()> figures;
    std::size_t threads = limits::http_threads_default;
    std::vector<std::string> repositories = {};  // of snapshots, that are told of
  };
  explicit HttpApi(Surroundings surroundings);

  // On the server's thread: the answer, or none when it comes by the reply. The gate has let the
  // request in, so that there is a route for it.
  [[nodiscard]] std::optional<HttpResponse> serve(HttpRequest request,
                                                  const HttpReply& reply) const;

  [[nodiscard]] Engine& engine() const { return around_.engine; }
  [[nodiscard]] const Log& log() const { return around_.engine.log(); }
  [[nodiscard]] const Surroundings& surroundings() const { return around_; }
  // As of what `?at=` says. Errors: those of find_position() and PastStates::at().
  [[nodiscard]] Result<std::shared_ptr<const State>> state_at(std::string_view at) const;
  // Those that ?at= has asked for, shared by all requests. Who asks for the first time starts a
  // walk through the log, so that later questions are answered soon.
  [[nodiscard]] const PastStates& past() const;
  [[nodiscard]] QueueTally& tally() const { return tally_; }
  [[nodiscard]] SnapshotWorks& snapshots() const { return snapshots_; }
  // Held by whoever waits for a repair, one at a time, so that repairs never take all threads that
  // ask the engine. Not held by the lock that comes = another waits.
  [[nodiscard]] std::unique_lock<std::mutex> wait_for_repair() const {
    return std::unique_lock(repair_wait_, std::try_to_lock);
  }

 private:
  [[nodiscard]] HttpResponse answer(const HttpRoute& route, const ApiCall& call) const;
  [[nodiscard]] Result<void> check_query(const HttpRoute& route, const HttpRequest& request) const;

  Surroundings around_;
  PastStates past_;
  mutable QueueTally tally_;
  mutable AnswerCache answers_;
  mutable std::mutex repair_wait_;
  mutable SnapshotWorks snapshots_;
  mutable std::once_flag walks_;
  mutable std::jthread walker_;  // through the past; made under walks_, by those that follow
  mutable WorkThreads readers_;
  mutable WorkThreads askers_;
};

// ---- What routes are made of ----

[[nodiscard]] HttpResponse json_response(const nlohmann::ordered_json& json, int status = 200);
// The body as JSON, {} where there is none. Errors: invalid.
[[nodiscard]] Result<nlohmann::ordered_json> json_body(const HttpRequest& request);
// The version that a change expects, by If-Match ("41") or as the member `expected`; none = any.
// Errors: invalid.
[[nodiscard]] Result<std::optional<Position>> expected_version(const HttpRequest& request,
                                                               nlohmann::ordered_json& object);
// The body as an object with none but these members ("task token"). Errors: invalid.
[[nodiscard]] Result<nlohmann::ordered_json> object_of(const HttpRequest& request,
                                                       std::string_view members);
// A member of it. Errors: invalid (it is missing, or something else; the second, which has another
// text for what is missing: something else, of which null is one).
[[nodiscard]] Result<std::string> text_member(const nlohmann::ordered_json& object,
                                              std::string_view name);
[[nodiscard]] Result<std::string> text_member_or(const nlohmann::ordered_json& object,
                                                 std::string_view name, std::string otherwise);
// Of the path: the number of something. Errors: not_found.
[[nodiscard]] Result<std::uint64_t> number_of(const ApiCall& call, std::string_view what,
                                              std::size_t place = 0);
// Of the path: a name, decoded.
[[nodiscard]] std::string name_in_path(const ApiCall& call, std::size_t place = 0);
// Of the query; empty when it is not there.
[[nodiscard]] std::string text_parameter(const ApiCall& call, std::string_view name);
[[nodiscard]] Result<bool> truth_parameter(const ApiCall& call, std::string_view name);
[[nodiscard]] Result<std::uint64_t> number_parameter(const ApiCall& call, std::string_view name,
                                                     std::uint64_t otherwise,
                                                     std::uint64_t max = UINT64_MAX);
// "a,b" as a list.
[[nodiscard]] std::vector<std::string> texts_parameter(const ApiCall& call, std::string_view name);
struct ApiPage {
  std::uint64_t after = 0;  // the last item of the page before
  std::size_t limit = limits::page_items_default;
};
[[nodiscard]] Result<ApiPage> page_of(const ApiCall& call);
// {"items": […], "next": …}: `next` 0 = that is all.
[[nodiscard]] HttpResponse items_response(nlohmann::ordered_json items, std::uint64_t next = 0);

}  // namespace almanac
