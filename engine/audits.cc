#include <almanac/engine/audits.h>

#include <almanac/engine/limits.h>

#include <string>

namespace almanac {

Result<Decision> decide_one(const State&, const RecordAudits& command,
                            const DecideContext& context) {
  if (command.notes.size() > limits::audit_notes_max) {
    return fail(ErrorCode::invalid,
                "at most " + std::to_string(limits::audit_notes_max) + " notes are taken at once",
                "put them on record in several calls");
  }
  Decision decision;
  for (const AuditNote& note : command.notes) {
    Event& event = decision.events.emplace_back(Event{.at = context.now});
    if (note.reason) {
      event.body = RequestRefused{.request = note.request,
                                  .door = note.door,
                                  .reason = *note.reason,
                                  .principal = note.principal,
                                  .action = note.action,
                                  .remote = note.remote,
                                  .status = note.status,
                                  .left_out = note.count};
    } else {
      event.body = RequestAudited{.request = note.request,
                                  .door = note.door,
                                  .principal = note.principal,
                                  .action = note.action,
                                  .subject = note.subject,
                                  .remote = note.remote,
                                  .count = note.count};
    }
  }
  return decision;
}

}  // namespace almanac
