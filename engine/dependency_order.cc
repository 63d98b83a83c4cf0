#include <almanac/engine/dependency_order.h>

#include <almanac/engine/submission.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace almanac {
namespace {

class DependencyOrder {
 public:
  explicit DependencyOrder(const EnqueueTasks& command) : command_(command) {}

  Result<std::vector<std::size_t>> run() {
    const std::size_t size = command_.tasks.size();
    order_.reserve(size);
    if (std::ranges::none_of(command_.tasks, &DependencyOrder::has_dependencies)) {
      for (std::size_t i = 0; i < size; ++i) order_.push_back(i);
      return std::move(order_);
    }
    marks_.assign(size, Mark::fresh);
    for (std::size_t i = 0; i < marks_.size(); ++i) {
      if (marks_[i] == Mark::fresh && !visit(i)) return cycle();
    }
    return std::move(order_);
  }

 private:
  enum class Mark : std::uint8_t { fresh, open, done };
  struct Step {
    std::size_t task;
    std::size_t dependency;  // the next one to look at
  };

  static bool has_dependencies(const TaskSpec& spec) { return !spec.dependencies.empty(); }

  // Depth first, on a stack of its own: a chain may be as long as the submission. False when it
  // meets a task that is still open; the stack then ends with the cycle.
  bool visit(std::size_t task) {
    stack_ = {{task, 0}};
    marks_[task] = Mark::open;
    while (!stack_.empty()) {
      auto& [current, next] = stack_.back();
      const auto& dependencies = command_.tasks[current].dependencies;
      if (next == dependencies.size()) {
        marks_[current] = Mark::done;
        order_.push_back(current);
        stack_.pop_back();
        continue;
      }
      const auto* in_batch = std::get_if<InBatch>(&dependencies[next++]);
      if (in_batch == nullptr || marks_[in_batch->index] == Mark::done) continue;
      closing_ = in_batch->index;
      if (marks_[closing_] == Mark::open) return false;
      marks_[closing_] = Mark::open;
      stack_.push_back({closing_, 0});
    }
    return true;
  }

  std::unexpected<Error> cycle() const {
    std::string path;
    bool inside = false;
    for (const Step& step : stack_) {
      inside = inside || step.task == closing_;
      if (inside) path += describe_task(command_, step.task) + " -> ";
    }
    return fail(ErrorCode::invalid,
                "the dependencies form a cycle: " + path + describe_task(command_, closing_),
                "remove one of these dependencies");
  }

  const EnqueueTasks& command_;
  std::vector<Mark> marks_;
  std::vector<Step> stack_;
  std::size_t closing_ = 0;
  std::vector<std::size_t> order_;
};

}  // namespace

Result<std::vector<std::size_t>> dependency_order(const EnqueueTasks& command) {
  return DependencyOrder(command).run();
}

}  // namespace almanac
