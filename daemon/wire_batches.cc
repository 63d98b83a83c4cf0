#include <almanac/daemon/wire_batches.h>

#include <almanac/daemon/wire_job.h>
#include <almanac/daemon/wire_json.h>
#include <almanac/daemon/wire_session.h>
#include <almanac/daemon/wire_time.h>
#include <almanac/log/hash.h>
#include <almanac/projections/group_ends.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace almanac {
namespace {

constexpr std::size_t description_bytes_max = 90;

std::string success_tag(std::string_view bid) { return "faktory-success:" + std::string(bid); }
std::string complete_tag(std::string_view bid) { return "faktory-complete:" + std::string(bid); }
std::string_view parent_prefix() { return "faktory-parent:"; }
std::string_view description_prefix() { return "faktory-batch-is:"; }

std::string refuse_batch(const Error& error) { return wire_error(error.message); }
std::string no_such_batch(std::string_view bid) {
  return wire_error("No such batch " + std::string(bid));
}

std::string drawn_bid() {
  std::array<std::byte, 9> bytes{};
  fill_random(bytes);
  return std::string(wire_batch_prefix) + to_hex(bytes);
}

// As much of it as a tag takes.
std::string tag_text(std::string_view text) {
  std::size_t end = std::min(text.size(), description_bytes_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  std::string taken(text.substr(0, end));
  for (char& c : taken) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return taken;
}

struct BatchRequest {
  std::string description;
  std::string parent;
  std::string success;  // jobs, as they came; empty = none
  std::string complete;
};

Result<BatchRequest> parse_batch(std::string_view json) {
  const auto members = parse_wire_object(json);
  if (!members) return std::unexpected(members.error());
  BatchRequest request;
  if (const WireValue* text = find_member(*members, "description")) {
    request.description = tag_text(text->string);
  }
  if (const WireValue* parent = find_member(*members, "parent_bid")) {
    request.parent = parent->string;
  }
  if (const WireValue* job = find_member(*members, "success")) request.success = job->text;
  if (const WireValue* job = find_member(*members, "complete")) request.complete = job->text;
  if (request.success.empty() && request.complete.empty()) {
    return fail(ErrorCode::invalid, "a batch has a success or a complete callback");
  }
  return request;
}

// A callback as a task that comes after its batch. It is a member of the batch around that, whose
// own callbacks so wait for it.
Result<TaskSpec> callback_task(const std::string& text, const BatchRequest& request,
                               const std::string& bid, bool is_success) {
  auto job = parse_wire_job(text);
  if (!job) return std::unexpected(job.error());
  TaskSpec task = task_of(*job, text);
  task.group = request.parent;
  task.after_group = AfterGroup{
      bid, is_success ? DependencyCondition::success_in_the_end : DependencyCondition::end};
  task.tags.emplace_back(wire_callback_tag);
  task.tags.push_back(is_success ? success_tag(bid) : complete_tag(bid));
  if (!request.parent.empty()) {
    task.tags.push_back(std::string(parent_prefix()) + request.parent);
  }
  if (!request.description.empty()) {
    task.tags.push_back(std::string(description_prefix()) + request.description);
  }
  return task;
}

std::string begin_batch(Engine& engine, std::string_view argument) {
  const auto request = parse_batch(argument);
  if (!request) return refuse_batch(request.error());
  const std::string bid = drawn_bid();
  std::vector<TaskSpec> callbacks;
  for (const bool is_success : {false, true}) {
    const std::string& text = is_success ? request->success : request->complete;
    if (text.empty()) continue;
    auto task = callback_task(text, *request, bid, is_success);
    if (!task) return refuse_batch(task.error());
    // Success is told behind what was to be done in any case.
    if (!callbacks.empty()) task->dependencies.emplace_back(InBatch{0});
    callbacks.push_back(std::move(*task));
  }
  if (!request->parent.empty() && !engine.state()->tasks.groups.find(request->parent)) {
    return no_such_batch(request->parent);
  }
  if (const auto opened = engine.open_group(bid); !opened) return refuse_batch(opened.error());
  const auto submitted = engine.submit(std::move(callbacks));
  if (!submitted) {
    (void)engine.close_group(bid);  // nobody knows of it
    return refuse_batch(submitted.error());
  }
  return wire_bulk(bid);
}

std::string commit_batch(Engine& engine, const std::string& bid) {
  const auto closed = engine.close_group(bid);
  if (!closed && closed.error().code == ErrorCode::not_found) return no_such_batch(bid);
  return closed ? wire_simple("OK") : refuse_batch(closed.error());
}

std::string reopen_batch(const Engine& engine, const std::string& bid) {
  const auto state = engine.state();
  const auto group = state->tasks.groups.find(bid);
  if (!group) return no_such_batch(bid);
  if (state->tasks.groups.all.find(*group)->is_open()) return wire_bulk(bid);
  return wire_error("batch " + bid + " was committed, and takes no more jobs");
}

// The task with a tag that only one has.
std::optional<TaskId> tagged_with(const State& state, const std::string& tag) {
  const auto name = state.names.find(tag);
  if (!name) return std::nullopt;
  const auto key = state.tasks.tagged.lower_bound({*name, TaskId()});
  const bool is_there = key != state.tasks.tagged.end() && (*key).tag == *name;
  return is_there ? std::optional((*key).id) : std::nullopt;
}

// "" = it waits, "1" = it is in its queue, or beyond that, "2" = it is done.
std::string callback_state(const State& state, std::optional<TaskId> id) {
  if (!id) return "";
  const TaskState now = state.tasks.all.find(*id)->state;
  if (now == TaskState::succeeded) return "2";
  return now == TaskState::waiting || now == TaskState::cancelled ? "" : "1";
}

std::uint64_t callbacks_among(const State& state, GroupId group, bool live) {
  const auto tag = state.names.find(wire_callback_tag);
  if (!tag) return 0;
  std::uint64_t count = 0;
  for (const TaskId id :
       live ? state.tasks.groups.live_of(group) : state.tasks.groups.members_of(group)) {
    if (state.tasks.tagged.contains(TagKey{*tag, id})) ++count;
  }
  return count;
}

// What a callback says of its batch in its tags.
std::vector<std::string> tags_of(const Engine& engine, const State& state, TaskId id) {
  std::vector<std::string> tags;
  (void)engine.log().read_one(state.tasks.all.find(id)->enqueued, [&](const Event& event) {
    const auto& its = request_in(event.body).tags;
    for (std::size_t i = 0; i < its.size(); ++i) tags.emplace_back(its[i]);
  });
  return tags;
}

std::string batch_status(const Engine& engine, const std::string& bid) {
  const auto state = engine.state();
  const auto success = tagged_with(*state, success_tag(bid));
  const auto complete = tagged_with(*state, complete_tag(bid));
  if (!success && !complete) return no_such_batch(bid);
  const TaskId callback = complete ? *complete : *success;
  std::string json = "{\"bid\":" + wire_quoted(bid);
  for (const std::string& tag : tags_of(engine, *state, callback)) {
    if (tag.starts_with(parent_prefix())) {
      json += ",\"parent_bid\":" + wire_quoted(tag.substr(parent_prefix().size()));
    } else if (tag.starts_with(description_prefix())) {
      json += ",\"description\":" + wire_quoted(tag.substr(description_prefix().size()));
    }
  }
  std::uint64_t total = 0;
  std::uint64_t pending = 0;
  std::uint64_t failed = 0;
  if (const auto group = state->tasks.groups.find(bid)) {
    const GroupCounts counts = counts_of(state->tasks, *group);
    total = counts.members - callbacks_among(*state, *group, false);
    pending = counts.live - callbacks_among(*state, *group, true);
    failed = counts.failed;
  }
  return wire_bulk(
      json +
      ",\"created_at\":" + wire_quoted(wire_time(state->tasks.all.find(callback)->enqueued_at)) +
      ",\"total\":" + std::to_string(total) + ",\"pending\":" + std::to_string(pending) +
      ",\"failed\":" + std::to_string(failed) +
      ",\"complete_st\":" + wire_quoted(callback_state(*state, complete)) +
      ",\"success_st\":" + wire_quoted(callback_state(*state, success)) + "}");
}

}  // namespace

std::string perform_wire_batch(Engine& engine, std::string_view argument) {
  const auto space = argument.find(' ');
  const std::string subcommand(argument.substr(0, space));
  const std::string rest(space == std::string_view::npos ? "" : argument.substr(space + 1));
  if (subcommand == "NEW") return begin_batch(engine, rest);
  if (subcommand == "COMMIT") return commit_batch(engine, rest);
  if (subcommand == "OPEN") return reopen_batch(engine, rest);
  if (subcommand == "STATUS") return batch_status(engine, rest);
  return wire_error("no such BATCH subcommand: " + subcommand);
}

}  // namespace almanac
