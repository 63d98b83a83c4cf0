// What makes a frame durable, in front of the store that everything reads. One implementation is a
// set of local files (file_journal.h); nothing above may know which one is there.
#pragma once

#include <almanac/log/codec.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <functional>

namespace almanac {

// A frame as it is stored, and which positions it holds. Borrowed.
struct FrameView {
  Position first;
  Position last;
  Bytes value;
};

// What an append may use up. `reserve` is for the events that end what was accepted before.
enum class Space : std::uint8_t { ordinary, reserve };

// Where the store ends, which is where the journal has to go on.
struct JournalStart {
  Timeline timeline{};
  Position last;    // none when the store is empty
  Digest digest{};  // of the frame that ends there
  // A reader beside a writer sees nothing behind this: it may not be durable yet.
  Position through = Position(UINT64_MAX);
};

// Owned by a Log. recover() belongs to the thread that opens the log, or to any one thread where
// it was opened for reading; append() to the writer's thread; the others to any.
class Journal {
 public:
  virtual ~Journal() = default;

  // Gives the whole frames behind the start, in order; their bytes live until `visit` returns.
  // Opened for writing, what it gives is durable from then on, and append() goes on behind it.
  // Opened for reading it changes nothing and may be called again, which costs what it gives and
  // what is new. Errors: corrupt (the journal belongs to another log, contradicts the store or goes
  // on behind a gap), refused, io, and what `visit` returns.
  using Visit = std::function<Result<void>(const FrameReader&, Bytes value)>;
  [[nodiscard]] virtual Result<void> recover(const JournalStart& start, const Visit& visit) = 0;

  // Makes the frame durable; it must follow the one before. Costs one sync.
  // Errors: storage_full (as if it had never been asked), unknown_outcome (append nothing more).
  [[nodiscard]] virtual Result<void> append(const FrameView& frame, Space space) = 0;

  // Everything up to here is durable in the store: its room may be used again. May take as long as
  // making room for what is to come does.
  virtual void trim(Position through) = 0;

  // Keeps so many bytes of room that only Space::reserve may use. What is there already counts; an
  // append of ordinary events that cannot be had without touching it is refused.
  virtual void set_reserve(std::size_t bytes) = 0;

  // Bytes it takes on the disk.
  [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
};

}  // namespace almanac
