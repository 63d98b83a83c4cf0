// The time slider over everything: what the page shows of the past is what was.
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { openBrowser, Visit, watchReads } from './browser.js';
import { Daemon } from './daemon.js';

/** @type {Daemon} */
let daemon;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Visit} */
let visit;
/** @type {number} */
let submitted;
/** @type {number} */
let worked;

before(async () => {
  daemon = await Daemon.start();
  browser = await openBrowser();
  const lines = Array.from({ length: 12 }, (_, i) =>
    JSON.stringify({ kind: 'chapter', label: `chapter ${i + 1}`, payload: 'x' }),
  );
  await daemon.ask('POST', '/v1/tasks', lines.join('\n'));
  submitted = await daemon.position();
  for (let i = 0; i < 5; i += 1) await daemon.work('chapter', { outcome: 'success' });
  await daemon.work('chapter', { outcome: 'permanent_failure', message: 'torn page' });
  // What comes of it by itself, a moment later.
  await daemon.untilEvent('LaneBlocked');
  worked = await daemon.position();
});
after(async () => {
  await browser?.close();
  await daemon?.stop();
});
beforeEach(async () => {
  visit = await Visit.begin(browser, daemon);
});
afterEach(async () => {
  assert.deepEqual(visit.complaints, []);
  await visit.end();
});

/** Waits until the overview counts so. @param {Record<string, number>} counts by state */
async function counts(counts) {
  for (const [state, count] of Object.entries(counts)) {
    await visit.page
      .locator(`[data-count="${state}"]`)
      .getByText(String(count), { exact: true })
      .waitFor();
  }
}

const pastReads = [
  'overview',
  'tasks',
  'queues',
  'schedules',
  'circuits',
  'pools',
  'components',
  'gpu',
  'models',
  'memories',
  'contexts',
  'limits',
  'stats',
  'recommend',
];
const slider = () => visit.page.getByRole('slider', { name: 'Moment' });
/** What the address says, as the page has it: what the browser was told of it comes later. */
const inAddress = async (/** @type {string} */ name) =>
  Number(
    await visit.page.evaluate(
      (of) => new URLSearchParams(location.hash.split('?')[1] ?? '').get(of) ?? 0,
      name,
    ),
  );
/** Where the page stands; 0 = the present. */
const standing = () => inAddress('at');

test('counts of the past are those that were, and those of the present come back', async () => {
  await visit.open(`#/overview?at=${submitted}`);
  await counts({ ready: 12, succeeded: 0, failed: 0 });
  await visit.page.locator('#moment').getByText(`event ${submitted} of`).waitFor();
  await visit.page.getByRole('button', { name: 'Live', exact: true }).click();
  await counts({ ready: 6, succeeded: 5, failed: 1 });
  assert.equal(await standing(), 0);
});

test('every read of a view in the past names its moment', async () => {
  const without = /** @type {string[]} */ ([]);
  visit.page.on('request', (request) => {
    const url = new URL(request.url());
    const isRead = new RegExp(`^/v1/(${pastReads.join('|')})`);
    if (isRead.test(url.pathname) && url.searchParams.get('at') !== String(submitted)) {
      without.push(request.url());
    }
  });
  await visit.open(`#/overview?at=${submitted}`);
  for (const view of [
    'tasks',
    'task/1',
    'queues',
    'schedules',
    'circuits',
    'pools',
    'components',
    'gpu',
    'memories',
    'contexts',
    'limits',
  ]) {
    await visit.go(`#/${view}?at=${submitted}`);
    await visit.page.locator('main [aria-busy="false"]').first().waitFor();
  }
  assert.deepEqual(without, []);
});

test('dragging shows each moment in all views, as the daemon tells it', async () => {
  await visit.open();
  await counts({ succeeded: 5 });
  const box = await slider().boundingBox();
  assert.ok(box);
  const y = box.y + box.height / 2;
  await visit.page.mouse.move(box.x + box.width * 0.9, y);
  await visit.page.mouse.down();
  for (const share of [0.8, 0.7, 0.6, 0.5]) {
    await visit.page.mouse.move(box.x + box.width * share, y);
  }
  await visit.page.mouse.up();
  const at = await standing();
  assert.ok(at > 1 && at < worked, `it stands at ${at}`);
  const was = await daemon.ask('GET', `/v1/overview?at=${at}`);
  await counts({
    ready: was.tasks.ready,
    running: was.tasks.running,
    succeeded: was.tasks.succeeded,
  });
  await visit.go(`#/tasks?at=${at}&state=ready`);
  await visit.page.waitForFunction(
    (count) => document.querySelectorAll('main tbody tr').length === count,
    was.tasks.ready,
  );
});

test('a drag asks for one moment at a time, and ends where it was let go', async () => {
  // In the past, and never to its end: the present is read again by itself.
  await visit.open(`#/overview?at=${worked}`);
  await counts({ succeeded: 5 });
  const watch = watchReads(visit);
  // The first answer comes when the drag is over.
  let letGo = () => {};
  const isOver = new Promise((resolve) => {
    letGo = () => resolve(0);
  });
  await visit.page.route('**/v1/overview?at=*', async (route) => {
    await isOver;
    await route.continue();
  });
  const box = await slider().boundingBox();
  assert.ok(box);
  const moves = 150;
  const y = box.y + box.height / 2;
  await visit.page.mouse.move(box.x + box.width * 0.9, y);
  await visit.page.mouse.down();
  for (let i = 0; i < moves; i += 1) {
    await visit.page.mouse.move(box.x + box.width * (0.9 - (0.6 * (i % 50)) / 50), y);
  }
  await visit.page.mouse.move(box.x + box.width / 2, y);
  await visit.page.mouse.up();
  assert.equal(watch.asked('/v1/overview'), 1);
  letGo();
  const shown = Number(await slider().getAttribute('aria-valuenow'));
  await visit.page.waitForFunction((at) => location.hash.includes(`at=${at}`), shown);
  const was = await daemon.ask('GET', `/v1/overview?at=${shown}`);
  await counts({ ready: was.tasks.ready, succeeded: was.tasks.succeeded });
  assert.deepEqual(watch.crowded(), []);
  assert.deepEqual(watch.givenUp, []);
});

test('of a trimmed log the slider begins with the oldest state', async () => {
  const timeline = await daemon.ask('GET', '/v1/timeline?buckets=240');
  await visit.page.route('**/v1/timeline*', (route) =>
    route.fulfill({ json: { ...timeline, first_state: submitted } }),
  );
  await visit.open('#/overview?at=2');
  await visit.page.locator('#moment').getByText(`event ${submitted} of`).waitFor();
  await counts({ ready: 12, succeeded: 0 });
  assert.equal(await slider().getAttribute('aria-valuemin'), String(submitted));
  await slider().focus();
  await visit.page.keyboard.press('PageUp');
  await visit.page.keyboard.press('Home');
  assert.equal(await standing(), submitted);
  await visit.page.keyboard.press('ArrowLeft');
  assert.equal(await standing(), submitted);
});

test('by time the slider has the same ends, and leads to a moment of its time', async () => {
  await visit.open();
  await visit.page.getByLabel('Scale of the slider').selectOption('time');
  await visit.page.locator('.density rect').first().waitFor({ state: 'attached' });
  const timeline = await daemon.ask('GET', '/v1/timeline?buckets=240');
  const [from, to] = [Date.parse(timeline.first_time), Date.parse(timeline.last_time)];
  const box = await slider().boundingBox();
  assert.ok(box);
  await visit.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  // Each event has a part of the slider to itself: the half lies beside the one it leads to.
  const at = await standing();
  const { items } = await daemon.ask('GET', `/v1/log?from=${at - 1}&to=${at + 1}`);
  const half = (from + to) / 2;
  const pixels = (to - from) / box.width;
  assert.ok(Date.parse(items[0].time) <= half + pixels, 'behind the half');
  assert.ok(Date.parse(items.at(-1).time) >= half - pixels, 'before the half');
});

test('the slider is moved by keys: an event, to the first, to the present', async () => {
  await visit.open(`#/overview?at=${submitted}`);
  await counts({ ready: 12 });
  await slider().focus();
  await visit.page.keyboard.press('ArrowLeft');
  assert.equal(await standing(), submitted - 1);
  await visit.page.keyboard.press('ArrowRight');
  await visit.page.keyboard.press('ArrowRight');
  assert.equal(await standing(), submitted + 1);
  await visit.page.keyboard.press('Home');
  assert.equal(await standing(), 1);
  await counts({ ready: 0, succeeded: 0 });
  assert.match((await slider().getAttribute('aria-valuetext')) ?? '', /event 1 of/);
  await visit.page.keyboard.press('End');
  assert.equal(await standing(), 0);
  await counts({ succeeded: 5 });
  await visit.page.locator('body').click({ position: { x: 2, y: 2 } });
  const end = Number(await slider().getAttribute('aria-valuemax'));
  await visit.page.keyboard.press('[');
  assert.equal(await standing(), end - 1);
  await visit.page.keyboard.press('n');
  assert.equal(await standing(), 0);
});

test('two marked moments show what changed between them', async () => {
  await visit.open(`#/overview?at=${submitted}`);
  await counts({ ready: 12 });
  await visit.page.getByRole('button', { name: 'Mark A' }).click();
  await visit.page.getByRole('button', { name: 'Live', exact: true }).click();
  await counts({ succeeded: 5 });
  await visit.page.getByRole('button', { name: 'Mark B' }).click();
  await visit.page.getByRole('link', { name: 'What changed' }).click();
  await visit.sees('tasks: 6 changed');
  const change = visit.page
    .getByRole('region', { name: 'Changes of tasks' })
    .locator('tr')
    .filter({ hasText: 'state' });
  assert.equal(await change.count(), 6);
  await change
    .filter({ hasText: /ready.*failed/ })
    .first()
    .waitFor();
  assert.equal(await inAddress('a'), submitted);
  assert.ok((await inAddress('b')) >= worked);
});

test('play goes on from event to event until the present', async () => {
  const stations = new Set();
  await visit.open('#/overview?at=1');
  visit.page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === '/v1/overview') stations.add(Number(url.searchParams.get('at') ?? 0));
  });
  await visit.page.getByLabel('Events a second').selectOption('25');
  await visit.page.getByRole('button', { name: 'Play' }).click();
  await visit.page.locator('#moment').getByText('Live:').waitFor();
  await counts({ succeeded: 5, failed: 1 });
  const seen = [...stations].filter((each) => each > 0);
  assert.ok(seen.length >= 2, `it stood at ${seen}`);
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
});

test('a moment before a task was is told as such, and the way back is there', async () => {
  await visit.open('#/task/5?at=1');
  await visit.page.getByRole('alert').first().waitFor();
  visit.complaints = visit.complaints.filter((each) => !each.includes('Failed to load resource'));
  await visit.page.getByRole('button', { name: 'Live', exact: true }).click();
  await visit.sees('chapter 5');
});

test('a position in the log takes the page there', async () => {
  await visit.open('#/log?type=TaskSucceeded');
  const cell = visit.page.locator('main tbody tr').first().getByRole('button');
  const position = Number((await cell.textContent())?.replaceAll(',', ''));
  await cell.click();
  assert.equal(await standing(), position);
  await visit.page.locator('#moment').getByText('task succeeded').waitFor();
});
