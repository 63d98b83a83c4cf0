// The text of Server-Sent Events, which comes in pieces of any length.

/** The data of whole messages at the front of `text`, and what is left of it. */
export function messagesIn(text: string): { messages: string[]; rest: string } {
  const parts = text.split('\n\n');
  const rest = parts.pop() ?? '';
  const messages = [];
  for (const part of parts) {
    const data = part.split('\n').filter((line) => line.startsWith('data:'));
    if (data.length) messages.push(data.map((line) => line.slice(5).trimStart()).join('\n'));
  }
  return { messages, rest };
}
