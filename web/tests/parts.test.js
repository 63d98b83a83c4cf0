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
  const { bytes, duration, isolated, oneLine, spaced } = await load('parts/text.ts');
  assert.equal(bytes(1536), '1.5 KiB');
  assert.equal(bytes(null), 'unknown');
  assert.equal(duration(999), '999 µs');
  assert.equal(duration(90e6), '1.5 min');
  assert.equal(spaced('TaskAttemptFailed'), 'task attempt failed');
  assert.equal(oneLine('x'.repeat(200), 10), `${'x'.repeat(9)}…`);
  assert.equal(isolated('a\u202eb'), '\u2068a\u202eb\u2069');
});

test('the part of a timeline that can be shown begins at its oldest state', async () => {
  const { eventScale, shownPart } = await load('time/scale.ts');
  assert.equal(shownPart(timeline), timeline);
  assert.equal(shownPart({ ...timeline, first_state: 1 }).buckets.length, 2);
  const part = shownPart({ ...timeline, first_state: 15 });
  assert.deepEqual([part.first, part.last, part.first_time], [15, 20, at(61)]);
  assert.deepEqual(
    part.buckets.map((/** @type {any} */ { first, last }) => [first, last]),
    [[15, 20]],
  );
  assert.equal(eventScale(part.first, part.last).positionAt(0), 15);
});

test('a vector is a list of JSON, or numbers with anything between', async () => {
  const { dimensionMax, vectorIn } = await load('views/vector.ts');
  for (const text of ['[1, -0.5, 2e-3]', '1 -0.5 0.002', '1,-0.5\n0.002\n', '1;-0.5;0.002']) {
    assert.deepEqual(vectorIn(text), { numbers: [1, -0.5, 0.002], error: '' });
  }
  assert.deepEqual(vectorIn('  '), { numbers: [], error: '' });
  for (const text of ['[]', '[1, two]', '1 NaN', '1 Infinity', '[[1]]']) {
    assert.notEqual(vectorIn(text).error, '', text);
  }
  assert.notEqual(vectorIn('1 '.repeat(dimensionMax + 1)).error, '');
});

test('waits and runs are counted of so many events, by steps', async () => {
  const { countedSince } = await load('views/counted.ts');
  assert.equal(countedSince(50_000), 0);
  assert.equal(countedSince(61_234), 10_000);
  assert.equal(countedSince(69_999), 10_000);
  assert.equal(countedSince(1_000_113), 950_000);
});

test('an address is written at once, and not more often than a browser takes', async () => {
  const { AddressWriter } = await load('time/address_writer.ts');
  const seen = /** @type {string[]} */ ([]);
  const last = '#/overview?at=499';
  const done = new Promise((resolve) => {
    const writer = new AddressWriter((/** @type {string} */ path) => {
      seen.push(path);
      if (path === last) resolve(0);
    });
    for (let i = 0; i < 500; i += 1) writer.write(`#/overview?at=${i}`);
  });
  assert.equal(seen[0], '#/overview?at=0');
  await done;
  assert.ok(seen.length < 60, `${seen.length} times`);
});
