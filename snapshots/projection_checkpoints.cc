#include <almanac/snapshots/projection_checkpoints.h>

#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/projection_checkpoint.h>
#include <almanac/snapshots/whole_file.h>

#include <string>
#include <utility>

namespace almanac {

ProjectionCheckpoints::ProjectionCheckpoints(const Log& log, const ProjectionOptions& options,
                                             const ProjectionName& name)
    : log_(&log), version_(name.version), count_max_(options.checkpoints_max) {
  if (options.folder.empty()) return;
  folder_ = options.folder / name.name / ("v" + std::to_string(name.version));
}

Result<void> ProjectionCheckpoints::load(Position position, ProjectedValue& value) const {
  auto chain = chain_at(*log_, position);
  if (!chain) return std::unexpected(chain.error());
  auto bytes = read_projection(folder_, {log_->timeline(), position, version_, *chain});
  if (!bytes) return std::unexpected(bytes.error());
  return decode_into(value, *bytes);
}

ReachedValue ProjectionCheckpoints::newest(const ProjectedValue& prototype,
                                           Position through) const {
  if (!folder_.empty() && prototype.has_bytes()) {
    for (Position position : positions_in(folder_)) {
      auto value = prototype.initial();
      if (position > through || !load(position, *value)) continue;
      return {std::move(value), position};
    }
  }
  return {prototype.initial(), Position()};
}

Result<void> ProjectionCheckpoints::advance(ReachedValue& reached, Position through) const {
  if (reached.position == through) return {};
  auto first = log_->first();
  if (!first) return std::unexpected(first.error());
  if (reached.position.next() < *first) {
    return fail(ErrorCode::not_found, "the log begins at position " + std::to_string(first->value) +
                                          ": what leads to position " +
                                          std::to_string(through.value) + " was removed");
  }
  auto read = log_->read({.from = reached.position.next(), .through = through},
                         [&](const RecordedEvent& event) -> Result<bool> {
                           auto folded = fold_into(*reached.value, event);
                           if (!folded) return std::unexpected(folded.error());
                           reached.position = event.position;
                           return true;
                         });
  if (!read) return read;
  if (reached.position == through) return {};
  return fail(ErrorCode::not_found, "the log ends at position " +
                                        std::to_string(reached.position.value) + ", before " +
                                        std::to_string(through.value));
}

Result<void> ProjectionCheckpoints::keep(const ReachedValue& reached) const {
  if (folder_.empty() || !reached.value->has_bytes()) return {};
  auto bytes = encode(*reached.value);
  if (!bytes) return std::unexpected(bytes.error());
  auto chain = chain_at(*log_, reached.position);
  if (!chain) return std::unexpected(chain.error());
  const ProjectionKey key{log_->timeline(), reached.position, version_, *chain};
  if (auto written = write_projection(folder_, key, *bytes); !written) return written;
  thin_projections(folder_, count_max_);
  return {};
}

}  // namespace almanac
