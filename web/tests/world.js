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

/**
 * The log it is restored from: what became of a pool.
 * @param {string} folder @param {string} old
 */
async function importPools(folder, old) {
  const begun = Date.now() - 10_000;
  const lines = poolEvents.map((event, i) => ({
    position: i + 1,
    frame: true,
    time: new Date(begun + 1000 * i).toISOString(),
    ...event,
  }));
  const text = [{ ...header, events: lines.length }, ...lines].map((line) => JSON.stringify(line));
  await writeFile(join(folder, 'pools.jsonl'), `${text.join('\n')}\n`);
  await run(command(), ['log', 'import', join(folder, 'pools.jsonl'), '--dir', old]);
}

/**
 * The log of the world: one that was restored to a moment behind which two tasks went on, so that
 * they are under review.
 * @param {string} folder @param {string} log @param {string} repository
 */
async function restoreLog(folder, log, repository) {
  const old = join(folder, 'old');
  await importPools(folder, old);
  const dir = ['--dir', old];
  for (const label of ['send letters', 'print letters']) {
    await run(command(), ['submit', ...dir, '--name', label, '--', 'true']);
  }
  const { stdout } = await run(command(), [
    'log',
    'cat',
    ...dir,
    '--type',
    'TaskEnqueued',
    '--json',
  ]);
  const submitted = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).position);
  await run(command(), ['run', ...dir]);
  const archive = ['--repository', repository];
  await run(command(), ['snapshot', 'create', ...dir, ...archive]);
  const at = String(Math.max(...submitted));
  await run(command(), ['snapshot', 'restore', '--at', at, '--to', log, ...archive]);
}

const components = `[parser]
folder = "parser"
[[parser.implementation]]
name = "native"
kind = "program"
artifact = "run.sh"
probe = ["true"]
`;
const gib = 2 ** 30;

/** What the scripted driver says while so much is in use by us. @param {number} own */
const gpuScript = (own) =>
  `enumerate 0\ngpu 1 2 budget ok Scripted\nheap ${8 * gib} local ${own} ${6 * gib}\n`;

/**
 * Loaded, it takes memory of the GPU.
 * @param {string} folder @param {string} name @param {number} size
 */
function model(folder, name, size) {
  const command = (/** @type {string} */ state) =>
    JSON.stringify(['cp', join(folder, `gpus.${state}`), join(folder, 'gpus')]);
  const [load, unload] = [command(name), command('idle')];
  return `[${name}]\nbytes = "${size} GiB"\nload = ${load}\nunload = ${unload}\n`;
}

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
  await Promise.all([
    writeFile(gpus, gpuScript(gib)),
    writeFile(`${gpus}.idle`, gpuScript(gib)),
    writeFile(`${gpus}.llama`, gpuScript(3 * gib)),
    writeFile(`${gpus}.whisper`, gpuScript(2 * gib)),
  ]);
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
    embedding: [1, 0, 0],
  });
  await daemon.ask('POST', '/v1/memories', {
    kind: 'note',
    content: 'The ocean is deep.',
    tags: ['sea', 'depth'],
    embedding: [0.9, 0.1, 0],
  });
  await daemon.ask('POST', '/v1/memories', {
    kind: 'note',
    content: 'Bread is baked at night.',
    embedding: [0, 0.2, 1],
  });
  await daemon.ask('PUT', '/v1/groups/letters');
  await daemon.submit({ label: 'letter a', kind: 'letter', payload: 'a', group: 'letters' });
  await daemon.submit({ label: 'letter b', kind: 'letter', payload: 'b', group: 'letters' });
  await daemon.submit({ label: 'post them', kind: 'post', payload: 'x', after_group: 'letters' });
  await daemon.work('letter', { outcome: 'success' });
  // On record as refused.
  await fetch(`${daemon.address}/v1/tasks`, { headers: { Authorization: 'Bearer wrong' } });
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
  const repository = join(folder, 'archive');
  await restoreLog(folder, log, repository);
  await mkdir(join(folder, 'parser'));
  await Promise.all([
    writeFile(join(folder, 'parser', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 }),
    writeFile(join(folder, 'components.toml'), components),
    writeFile(join(folder, 'models.toml'), model(folder, 'llama', 2) + model(folder, 'whisper', 1)),
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
