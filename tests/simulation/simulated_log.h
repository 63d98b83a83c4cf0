// A disk that holds frames as the real one does, byte for byte, and a log over it that does what
// the writer of log/ does: batches become frames, frames are written one at a time, and whether one
// was is reported later, if ever.
#pragma once

#include <almanac/engine/core_ports.h>
#include <almanac/tests/simulation/agenda.h>
#include <almanac/tests/simulation/faults.h>

#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace almanac::test {

// Outlives the engines that write it.
class SimulatedDisk {
 public:
  using Visit = std::function<void(const RecordedEvent&)>;
  // `on_write` sees what is on the disk from now on, as it is read back.
  SimulatedDisk(const Timeline& timeline, Visit on_write)
      : timeline_(timeline), on_write_(std::move(on_write)) {}

  void write(std::span<const EventBatch* const> batches);
  // From one position to another, both included.
  void read(Position from, Position through, const Visit& visit) const;
  [[nodiscard]] const Timeline& timeline() const { return timeline_; }
  void begin_timeline(const Timeline& timeline) { timeline_ = timeline; }
  [[nodiscard]] Position last() const { return last_; }
  // Of all there is: frames are chained.
  [[nodiscard]] const Digest& digest() const { return digest_; }

  bool full = false;
  bool reserve_full = false;

 private:
  struct Frame {
    Position last;
    std::vector<std::uint64_t> words;
  };

  Timeline timeline_;
  const Visit on_write_;
  FrameEncoder encoder_;
  std::vector<Frame> frames_;
  Position last_;
  Digest digest_{};
};

// Of one engine; gone with it.
class SimulatedLog final : public LogPort {
 public:
  struct Surroundings {
    SimulatedDisk& disk;
    Agenda& agenda;
    Draw& draw;
    Faults& faults;
  };
  SimulatedLog(const Surroundings& surroundings, OnCommit on_commit)
      : disk_(surroundings.disk),
        agenda_(surroundings.agenda),
        draw_(surroundings.draw),
        faults_(surroundings.faults),
        on_commit_(std::move(on_commit)),
        next_(disk_.last().next()) {}

  [[nodiscard]] const Timeline& timeline() const override { return disk_.timeline(); }
  [[nodiscard]] Result<Position> append(std::shared_ptr<const EventBatch> batch,
                                        const AppendOptions& options) override;
  void resume() override;
  void set_reserve(std::size_t) override {}
  [[nodiscard]] Result<void> read_one(
      Position position, const std::function<void(const Event&)>& visit) const override;

  // Nothing is on its way to the disk, and it takes all.
  [[nodiscard]] bool is_idle() const { return !alive_->writing && queue_.empty() && takes_all_; }
  // Its process is gone; what is being written may get there still.
  void crash();

 private:
  enum class Condition : std::uint8_t { writing, refused, broken };
  struct Waiting {
    std::shared_ptr<const EventBatch> batch;
    Space space;
  };
  struct Alive {
    bool writing = false;
  };

  void begin_frame();
  void end_frame();
  void write_frame();
  void fail_frame(ErrorCode code, Position through);

  SimulatedDisk& disk_;
  Agenda& agenda_;
  Draw& draw_;
  Faults& faults_;
  const OnCommit on_commit_;
  Position next_;
  Condition condition_ = Condition::writing;
  bool takes_all_ = true;  // nothing was refused since ordinary events were stored
  std::deque<Waiting> queue_;
  std::vector<Waiting> frame_;                                // that is being written
  std::shared_ptr<Alive> alive_ = std::make_shared<Alive>();  // until then, for the agenda
};

}  // namespace almanac::test
