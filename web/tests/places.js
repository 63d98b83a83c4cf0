// What can be seen in a world (world.js), view by view.

/** Each view: its place, its heading, and what has to be read in it. */
export const expectations = /** @type {[string, RegExp, (string | RegExp)[]][]} */ ([
  ['overview', /^Overview/, ['Each second', 'count lines', 'Waits and runs', /search-api/]],
  ['tasks', /^Tasks/, ['count lines', 'broken import', 'embed chapter 1']],
  ['task/1', /^Task 1/, ['42 lines', 'Its success let go:', 'TaskSucceeded', /^succeeded$/]],
  ['task/3', /^Task 3/, ['exit code 3', 'TaskFailed']],
  ['queues', /^Queues/, ['gpu', 'default']],
  ['schedules', /^Schedules/, ['nightly', 'daily at 02:30']],
  ['limits', /^Limits/, ['Tasks share nothing that is limited.']],
  ['circuits', /^Circuits/, ['search-api', 'forced open']],
  ['pools', /^Pools/, ['reasoners', '1 error']],
  ['components', /^Components/, ['parser', 'native', 'healthy']],
  ['gpu', /^GPU and models/, ['Scripted', '3 GiB of 8 GiB in use', 'llama', 'whisper']],
  ['memories', /^Memories/, ['The sea is blue in the morning.', 'ann']],
  ['contexts', /^Contexts/, ['ann', '2 turns']],
  ['contexts/ann', /^Contexts/, ['Good morning', 'language']],
  ['log', /^Log/, ['TaskSucceeded', 'MemoryStored']],
  ['snapshots', /^Snapshots/, [/In the log alone: \d+ events/, /good$/]],
  ['overview?at=20', /^Overview/, ['Waits and runs', 'Rates']],
  ['difference?a=4&b=30', /^Difference/, [/tasks: \d+ changed/, 'succeeded']],
]);
