// What the page computes, without a browser.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';

/** @type {string} */
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-parts-'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A module of src/ as node reads it. @param {string} path @returns {Promise<any>} */
async function load(path) {
  const outfile = join(folder, `${path.replaceAll('/', '_')}.mjs`);
  const entryPoints = [`src/${path}`];
  await build({ entryPoints, outfile, bundle: true, format: 'esm', preserveSymlinks: true });
  return await import(outfile);
}

const minute = 60_000;
const begun = Date.parse('2026-11-22T10:00:00Z');
/** @param {number} minutes */
const at = (minutes) => new Date(begun + minutes * minute).toISOString();

/** Ten events in the first minute, then none for an hour, then ten in a minute. */
const timeline = {
  first: 1,
  last: 20,
  first_time: at(0),
  last_time: at(62),
  buckets: [
    { first: 1, last: 10, time: at(0), failed: 0 },
    { first: 11, last: 20, time: at(61), failed: 2 },
  ],
};

test('on both scales the ends are the ends, and a position leads back to itself', async () => {
  const { eventScale, timeScale } = await load('time/scale.ts');
  for (const scale of [eventScale(1, 20), timeScale(timeline, 20)]) {
    assert.equal(scale.positionAt(0), 1);
    assert.equal(scale.positionAt(1), 20);
    assert.equal(scale.positionAt(-3), 1);
    assert.equal(scale.positionAt(7), 20);
    let before = 0;
    for (let position = 1; position <= 20; position += 1) {
      const share = scale.shareOf(position);
      assert.ok(share >= before, 'the scale never goes back');
      assert.equal(scale.positionAt(share), position);
      before = share;
    }
  }
});

test('by time an hour without events is nearly all of the width', async () => {
  const { timeScale } = await load('time/scale.ts');
  const scale = timeScale(timeline, 20);
  assert.ok(scale.shareOf(11) > 0.98);
  assert.ok(scale.shareOf(5) < 0.5);
});

test('bars tell how much went on each second, however long a bucket is', async () => {
  const { densities, eventScale } = await load('time/scale.ts');
  const [quiet, busy] = densities(timeline, eventScale(1, 20));
  assert.equal(quiet.rate, 10 / (61 * 60));
  assert.equal(busy.rate, 10 / 60);
  assert.equal(busy.failed, 2);
  assert.equal(quiet.to, busy.from);
});

test('a timeline of one event is no division by zero', async () => {
  const { densities, timeAt, timeScale } = await load('time/scale.ts');
  const bucket = { first: 1, last: 1, time: at(0) };
  const one = { first: 1, last: 1, first_time: at(0), last_time: at(0), buckets: [bucket] };
  const scale = timeScale(one, 1);
  assert.equal(scale.positionAt(0.5), 1);
  assert.ok(Number.isFinite(densities(one, scale)[0].rate));
  assert.equal(timeAt(one, scale, 0), at(0));
});

test('rates forget what is older than two minutes, also after a long silence', async () => {
  const { Rates, secondsKept } = await load('live/rates.ts');
  const rates = new Rates();
  rates.count('TaskEnqueued', 1_000_000);
  rates.count('TaskSucceeded', 1_000_500);
  const [all, submitted, succeeded] = rates.at(1_001_000).lines;
  assert.equal(all.values.at(-1), 2);
  assert.equal(submitted.values.at(-1), 1);
  assert.equal(succeeded.values.at(-1), 1);
  const later = rates.at(1_000_000 + 1000 * (secondsKept + 5)).lines[0];
  assert.deepEqual(new Set(later.values), new Set([0]));
});

test('events are whole however their text is cut', async () => {
  const { messagesIn } = await load('live/messages.ts');
  const text =
    'retry: 1000\n\nid: 1\nevent: A\ndata: {"a":1}\n\n: here\n\nid: 2\ndata: {"b":2}\n\n';
  for (let cut = 0; cut <= text.length; cut += 1) {
    const first = messagesIn(text.slice(0, cut));
    const second = messagesIn(first.rest + text.slice(cut));
    assert.deepEqual([...first.messages, ...second.messages], ['{"a":1}', '{"b":2}']);
    assert.equal(second.rest, '');
  }
});

test('a difference is its leaves, each before and after', async () => {
  const { changesIn } = await load('views/changes.ts');
  const rows = changesIn({ state: ['ready', null], terms: { owner: [null, 'ann'] } }, '7');
  assert.deepEqual(rows, [
    { what: '7', field: 'state', before: 'ready', after: null },
    { what: '7', field: 'terms owner', before: null, after: 'ann' },
  ]);
});

test('a task runs from a start to what ended that attempt', async () => {
  const { spansOf } = await load('views/spans.ts');
  const types = [
    'TaskEnqueued',
    'TaskStarted',
    'TaskAttemptFailed',
    'TaskStarted',
    'TaskSucceeded',
  ];
  const events = types.map((type, i) => ({ position: i + 1, time: at(i), type }));
  const kinds = spansOf(events).map((/** @type {{ kind: string }} */ span) => span.kind);
  assert.deepEqual(kinds, ['waits', 'runs', 'waits', 'runs']);
});

test('sizes and times are told as people read them', async () => {
  const { bytes, duration, oneLine, spaced } = await load('parts/text.ts');
  assert.equal(bytes(1536), '1.5 KiB');
  assert.equal(bytes(null), 'unknown');
  assert.equal(duration(999), '999 µs');
  assert.equal(duration(90e6), '1.5 min');
  assert.equal(spaced('TaskAttemptFailed'), 'task attempt failed');
  assert.equal(oneLine('x'.repeat(200), 10), `${'x'.repeat(9)}…`);
});
