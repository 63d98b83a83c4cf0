// The log as a subject. How a benchmark waits for it is here and nowhere else.
#pragma once

#include <almanac/bench/log/acknowledged.h>
#include <almanac/bench/log/subject.h>
#include <almanac/log/log.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>

namespace almanac::bench {

class Ours final : public Subject, public Asynchronous {
 public:
  explicit Ours(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void open() override;
  void close() override { log_.reset(); }
  [[nodiscard]] std::uint64_t count() const override { return count_; }
  void append(std::span<const Bytes> group) override;
  void append_shared(Bytes payload) override;
  [[nodiscard]] Asynchronous* asynchronous() override { return this; }
  void post(std::span<const Bytes> group) override;
  [[nodiscard]] std::uint64_t wait_beyond(std::uint64_t events) override {
    return durable_.wait_beyond(events);
  }
  void read(const Visit& visit) override;
  [[nodiscard]] ScanSum scan() override;

  [[nodiscard]] const Log& log() const { return *log_; }

 private:
  // Answers the position of the last event.
  std::uint64_t enqueue(std::span<const Bytes> group);

  std::filesystem::path folder_;
  Acknowledged durable_;
  std::atomic<std::uint64_t> count_ = 0;
  std::mutex appending_;      // batches come with times, which must not go back
  Time latest_;               // guarded by appending_
  std::unique_ptr<Log> log_;  // the first to go: it reports until then
};

}  // namespace almanac::bench
