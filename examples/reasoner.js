// A reasoner in another language: answers requests on its standard input, line by line. Who are the
// ancestors of somebody?
const readline = require('readline');

const parents = { bob: ['alice'], carol: ['bob'], dave: ['carol', 'erin'] };

function ancestorsOf(name) {
  const found = new Set();
  const open = [name];
  while (open.length > 0) {
    for (const parent of parents[open.pop()] ?? []) {
      if (found.has(parent)) continue;
      found.add(parent);
      open.push(parent);
    }
  }
  return [...found].sort();
}

function answer(request) {
  if (typeof request?.ancestors_of !== 'string') return { error: 'ask for ancestors_of somebody' };
  return { answer: ancestorsOf(request.ancestors_of) };
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, request } = JSON.parse(line);
  console.log(JSON.stringify({ id, ...answer(request) }));
});
