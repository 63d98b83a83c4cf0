// Who asks the engine for things: tasks of every kind, cancels, settings, tokens, reviews, retries,
// pauses, and what is to be refused. Holds every answer against what the log holds then.
#pragma once

#include <almanac/tests/simulation/gpu_client.h>
#include <almanac/tests/simulation/simulated_engine.h>

#include <string>
#include <vector>

namespace almanac::test {

inline const std::vector<std::string> simulated_kinds = {"mend", "print", "rare"};

class Client {
 public:
  explicit Client(SimulatedMachine& machine)
      : machine_(machine), gpus_(machine, [this](const Result<Answer>& answer) { note(answer); }) {}

  // What a program does when it has opened an engine.
  void begin(SimulatedEngine& engine) { gpus_.register_all(engine); }
  // Asks for something.
  void act(SimulatedEngine& engine);
  // Decides about every task under review.
  void review_all(SimulatedEngine& engine);
  // Resumes what is paused, closes what is open, retries what somebody waits for, and sets limits
  // within which every task can run.
  void let_all_go_on(SimulatedEngine& engine);
  // Of all answers so far.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

 private:
  void submit(SimulatedEngine& engine);
  void submit_again(SimulatedEngine& engine);
  void submit_badly(SimulatedEngine& engine);
  void cancel(SimulatedEngine& engine);
  void configure_queue(SimulatedEngine& engine);
  void crowd(SimulatedEngine& engine, const std::string& queue);
  void use_group(SimulatedEngine& engine);
  void configure_limit(SimulatedEngine& engine);
  void take_tokens(SimulatedEngine& engine);
  void use_circuit(SimulatedEngine& engine);
  void make_request(SimulatedEngine& engine);
  void retry(SimulatedEngine& engine, std::vector<TaskId> ids);
  void pause(SimulatedEngine& engine);
  void resume_all(SimulatedEngine& engine);
  void send(SimulatedEngine& engine, EnqueueTasks submission);
  [[nodiscard]] TaskSpec draw_spec(std::size_t index);
  void draw_terms(TaskSpec& spec);
  void draw_groups(TaskSpec& spec);
  [[nodiscard]] Dependency draw_dependency(std::size_t index);
  void note(const Result<Answer>& answer);

  SimulatedMachine& machine_;
  GpuClient gpus_;
  std::vector<EnqueueTasks> keyed_;  // to be submitted again
  std::uint64_t labels_ = 0;
  std::uint64_t digest_ = 0;
};

}  // namespace almanac::test
