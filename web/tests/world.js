// A daemon that has something of everything the page can show.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { command, Daemon, makeFolder } from './daemon.js';

const run = promisify(execFile);

const header = { almanac: 'log', format: 1, timeline: '5eed5eed5eed5eed5eed5eed5eed5eed' };
/** What became of a pool, which no command can do. */
const poolEvents = [
  { type: 'InstanceCreated', pool: 'reasoners', instance: 1 },
  { type: 'InstanceCreated', pool: 'reasoners', instance: 2 },
  { type: 'InstanceRetired', pool: 'reasoners', instance: 1, reason: 'error', message: 'it fell' },
];

/** @param {string} folder */
async function importPools(folder) {
  const begun = Date.now() - 10_000;
  const lines = poolEvents.map((event, i) => ({
    position: i + 1,
    frame: true,
    time: new Date(begun + 1000 * i).toISOString(),
    ...event,
  }));
  const text = [{ ...header, events: lines.length }, ...lines].map((line) => JSON.stringify(line));
  await writeFile(join(folder, 'pools.jsonl'), `${text.join('\n')}\n`);
  await run(command(), [
    'log',
    'import',
    join(folder, 'pools.jsonl'),
    '--dir',
    join(folder, 'log'),
  ]);
}

const components = `[parser]
folder = "parser"
[[parser.implementation]]
name = "native"
kind = "program"
artifact = "run.sh"
probe = ["true"]
`;
/** @param {string} name @param {number} gib */
const model = (name, gib) =>
  `[${name}]\nbytes = "${gib} GiB"\nload = ["true"]\nunload = ["true"]\n`;

/** The scripted Vulkan driver of the tests (tests/gpu_driver). @param {string} folder */
async function scriptGpus(folder) {
  const driver = join(dirname(command()), 'libalmanac_test_gpu.so');
  const manifest = join(folder, 'driver.json');
  await writeFile(
    manifest,
    JSON.stringify({
      file_format_version: '1.0.0',
      ICD: { library_path: driver, api_version: '1.1.0' },
    }),
  );
  const gpus = join(folder, 'gpus');
  const gib = 2 ** 30;
  await writeFile(
    gpus,
    `enumerate 0\ngpu 1 2 budget ok Scripted\n` + `heap ${8 * gib} local ${gib} ${6 * gib}\n`,
  );
  return {
    VK_DRIVER_FILES: manifest,
    VK_ICD_FILENAMES: manifest,
    NODEVICE_SELECT: '1',
    ALMANAC_TEST_GPUS: gpus,
  };
}

/** @param {Daemon} daemon */
async function fill(daemon) {
  const commands = [
    { name: 'count lines', shell: 'echo 42 lines', tags: ['demo'] },
    { name: 'report', shell: 'echo done', after: ['count lines'] },
    { name: 'broken import', shell: 'echo no such file >&2; exit 3' },
  ];
  await daemon.ask('POST', '/v1/tasks', commands.map((each) => JSON.stringify(each)).join('\n'));
  await daemon.submit({ label: 'embed chapter 1', kind: 'embed', payload: 'one', queue: 'gpu' });
  await daemon.submit({ label: 'embed chapter 2', kind: 'embed', payload: 'two', queue: 'gpu' });
  await daemon.submit({ label: 'later', kind: 'embed', payload: 'x', queue: 'gpu', delay: '2h' });
  await daemon.ask('POST', '/v1/circuits/search-api/force', {
    to: 'forced_open',
    reason: 'outage',
  });
  await daemon.ask('POST', '/v1/memories', {
    kind: 'note',
    content: 'The sea is blue in the morning.',
    tags: ['sea'],
    user: 'ann',
  });
  await daemon.work('embed', { outcome: 'success', result: 'vector' });
}

/** Waits until as many tasks are in a state. @param {Daemon} daemon */
export async function untilCount(daemon, state = 'failed', count = 1) {
  const seen = await fetch(`${daemon.address}/v1/events?from=1`, {
    headers: { Authorization: `Bearer ${daemon.token}` },
  });
  if (!seen.body) throw new Error('no events come');
  for await (const _ of seen.body) {
    const page = await daemon.ask('GET', `/v1/tasks?state=${state}&limit=1000`);
    if (page.items.length >= count) return;
  }
}

/** @returns {Promise<Daemon>} */
export async function makeWorld() {
  const folder = await makeFolder();
  const log = join(folder, 'log');
  await importPools(folder);
  await mkdir(join(folder, 'parser'));
  await Promise.all([
    writeFile(join(folder, 'parser', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 }),
    writeFile(join(folder, 'components.toml'), components),
    writeFile(join(folder, 'models.toml'), model('llama', 2) + model('whisper', 1)),
  ]);
  const dir = ['--dir', log];
  await run(command(), ['schedule', 'add', ...dir, 'nightly', 'daily at 02:30', '--', 'true']);
  await run(command(), ['model', 'add', ...dir, join(folder, 'models.toml')]);
  await run(command(), [
    'context',
    'set',
    ...dir,
    '--user',
    'ann',
    '--preference',
    'language=en',
    '--turn',
    'user:Hello',
    '--turn',
    'assistant:Good morning',
  ]);
  const repository = join(folder, 'archive');
  await run(command(), ['snapshot', 'create', ...dir, '--repository', repository]);
  const daemon = await Daemon.start({
    folder,
    config:
      'gpu_watch = true\ncomponents = "components.toml"\n' +
      `[snapshots]\nrepositories = ["${repository}"]\n`,
    environment: await scriptGpus(folder),
  });
  await fill(daemon);
  await untilCount(daemon);
  return daemon;
}
