// An advisor: says which of the ready tasks should begin first. It reads requests on its standard
// input and writes an answer to each, line by line (docs/guides/advisors.md).
//
// What has a deadline goes by its slack, the time that is left beyond what the task takes; what is
// soon too late goes first. All else goes by what it is worth for the time it takes: its urgency by
// its estimate, with tasks of the kind that is in front kept together.
const readline = require('readline');

const assumedEstimate = 60_000;
const soon = 10 * 60_000;

function slackOf(task) {
  if (task.deadline_ms === undefined) return Infinity;
  return task.deadline_ms - (task.estimate_ms ?? assumedEstimate);
}

function worthOf(task) {
  return (task.urgency ?? task.priority) / (task.estimate_ms ?? assumedEstimate);
}

function rank(tasks) {
  const pressing = tasks.filter((task) => slackOf(task) < soon);
  pressing.sort((a, b) => slackOf(a) - slackOf(b));
  const best = new Map();  // of each kind, the most that one of its tasks is worth
  const others = tasks.filter((task) => slackOf(task) >= soon);
  for (const task of others) {
    best.set(task.kind, Math.max(best.get(task.kind) ?? -Infinity, worthOf(task)));
  }
  others.sort((a, b) => best.get(b.kind) - best.get(a.kind) ||
                        a.kind.localeCompare(b.kind) || worthOf(b) - worthOf(a));
  return [...pressing, ...others].map((task) => task.id);
}

function answer(request) {
  if (!Array.isArray(request?.tasks)) return { error: 'ask for the rank of some tasks' };
  return { answer: { rank: request.rank, order: rank(request.tasks) } };
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, request } = JSON.parse(line);
  console.log(JSON.stringify({ id, ...answer(request) }));
});
