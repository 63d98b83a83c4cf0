#include <almanac/log/events_codec.h>

namespace almanac::codec {
namespace {

ContextChanged read(schema::ContextChanged::Reader from) {
  return {view(from.getUser()), view(from.getKey()), view(from.getField()),
          view(from.getContent())};
}

ConversationTurnAdded read(schema::ConversationTurnAdded::Reader from) {
  return {view(from.getUser()), view(from.getKey()), view(from.getContent())};
}

UserForgotten read(schema::UserForgotten::Reader from) {
  return {view(from.getUser()), view(from.getKey())};
}

}  // namespace

void write(const ContextChanged& from, schema::Event::Body::Builder body, NameTable&) {
  auto to = body.initContextChanged();
  set_text(from.user, [&](unsigned size) { return to.initUser(size); });
  if (!from.key.empty()) to.setKey(data(from.key));
  if (!from.field.empty()) to.setField(data(from.field));
  if (!from.content.empty()) to.setContent(data(from.content));
}

void write(const ConversationTurnAdded& from, schema::Event::Body::Builder body, NameTable&) {
  auto to = body.initConversationTurnAdded();
  set_text(from.user, [&](unsigned size) { return to.initUser(size); });
  if (!from.key.empty()) to.setKey(data(from.key));
  if (!from.content.empty()) to.setContent(data(from.content));
}

void write(const UserForgotten& from, schema::Event::Body::Builder body, NameTable&) {
  auto to = body.initUserForgotten();
  set_text(from.user, [&](unsigned size) { return to.initUser(size); });
  if (!from.key.empty()) to.setKey(data(from.key));
}

bool read_context_body(schema::Event::Body::Reader body, const Names&, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::CONTEXT_CHANGED: to = read(body.getContextChanged()); return true;
    case Which::CONVERSATION_TURN_ADDED: to = read(body.getConversationTurnAdded()); return true;
    case Which::USER_FORGOTTEN: to = read(body.getUserForgotten()); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
