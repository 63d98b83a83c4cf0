// Many tasks: no view reads them all, lists come in pages, and the slider stays smooth. By day some
// thousands; ALMANAC_PAGE_TASKS=1000000 makes as many, and the figures are printed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Visit, watchFrames, watchReads } from './browser.js';
import { Daemon } from './daemon.js';

const count = Number(process.env.ALMANAC_PAGE_TASKS ?? 20_000);
const batch = 20_000;
/** Of one answer: a page of a list, or the slider's line. */
const bytesMax = 100_000;
const rowsMax = 220;

/** @type {Daemon} */
let daemon;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Visit} */
let visit;

/** @param {number} first @param {number} end */
function tasks(first, end) {
  const lines = [];
  for (let i = first; i < end; i += 1) {
    lines.push(
      JSON.stringify({
        kind: i % 10 === 3 ? 'render' : 'bulk',
        label: `one of many ${i}`,
        queue: `queue ${i % 7}`,
        payload: 'x',
        priority: i % 100,
        ...(i % 1000 === 5 ? { tags: ['rare'] } : {}),
        ...(i % 50 === 0 ? { delay: '5h' } : {}),
      }),
    );
  }
  return lines.join('\n');
}

before(async () => {
  daemon = await Daemon.start();
  for (let i = 0; i < count; i += batch) {
    await daemon.ask('POST', '/v1/tasks', tasks(i, Math.min(count, i + batch)));
  }
  for (let i = 0; i < 3; i += 1) await daemon.work('render', { outcome: 'permanent_failure' });
  for (let i = 0; i < 9; i += 1) await daemon.work('render', { outcome: 'success' });
  browser = await openBrowser();
  visit = await Visit.begin(browser, daemon);
  // The first look at the past of a long log takes its time.
  if (count > batch) visit.page.setDefaultTimeout(60_000);
  await visit.open();
});
after(async () => {
  assert.deepEqual(visit?.complaints, []);
  await browser?.close();
  await daemon?.stop();
});

const places = [
  'overview',
  'tasks',
  'tasks?state=failed',
  'tasks?state=running',
  'tasks?tag=rare',
  'tasks?where=priority+%3E+98+%26%26+failures+%3E+0',
  `task/${count - 7}`,
  'next',
  'groups',
  'reviews',
  'queues',
  'schedules',
  'limits',
  'circuits',
  'pools',
  'components',
  'gpu',
  'memories',
  'contexts',
  'log',
  'log?type=TaskFailed',
  'audit',
  'snapshots',
  'bisect?when=tasks.failed+%3E+1',
];

const settled = () =>
  visit.page.waitForFunction(
    () => document.querySelector('main h1') && !document.querySelector('main [aria-busy="true"]'),
  );

/** How long a view takes, now or at a moment. @param {string} place */
async function look(place) {
  const begun = performance.now();
  await visit.go(`#/${place}`);
  await settled();
  const rows = await visit.page.locator('main tr').count();
  assert.ok(rows <= rowsMax, `${place} holds ${rows} rows`);
  return performance.now() - begun;
}

test(`every view of ${count} tasks reads a page, now and in the past`, async () => {
  const large = /** @type {string[]} */ ([]);
  visit.page.on('requestfinished', async (request) => {
    if (!request.url().includes('/v1/')) return;
    const { responseBodySize: bytes } = await request.sizes();
    if (bytes > bytesMax) large.push(`${request.url()}: ${bytes} bytes`);
  });
  const half = Math.floor((await daemon.position()) / 2);
  const told = [];
  for (const place of places) {
    const now = await look(place);
    const then = await look(`${place}${place.includes('?') ? '&' : '?'}at=${half}`);
    told.push(`${now.toFixed(0)} and ${then.toFixed(0)} ms ${place}`);
  }
  console.log(`views of ${count} tasks, now and at event ${half}:\n  ${told.join('\n  ')}`);
  assert.deepEqual(large, []);
  visit.complaints = visit.complaints.filter((each) => !each.includes('Failed to load resource'));
});

test('a reload shows the counts in a moment', async () => {
  await visit.show('overview', 'Overview');
  await visit.page.reload();
  await visit.page.locator('[data-count="failed"]').getByText('3').waitFor();
  const times = await visit.page.evaluate(() => {
    const [entry] = performance.getEntriesByType('navigation');
    const [overview] = performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.includes('/v1/overview'));
    return {
      loaded: /** @type {PerformanceNavigationTiming} */ (entry).loadEventEnd,
      told: /** @type {PerformanceResourceTiming} */ (overview).responseEnd,
    };
  });
  console.log(
    `${count} tasks: loaded in ${times.loaded.toFixed(0)} ms, ` +
      `counts told after ${times.told.toFixed(0)} ms (aim: under 300)`,
  );
  const ready = await visit.page.locator('[data-count="ready"]').textContent();
  const is = await daemon.ask('GET', '/v1/overview');
  assert.equal(Number(ready?.replaceAll(',', '')), is.tasks.ready);
});

test('a drag over all of it asks for one moment at a time', async () => {
  await look('overview');
  const slider = visit.page.getByRole('slider', { name: 'Moment' });
  const box = await slider.boundingBox();
  assert.ok(box);
  const watch = watchReads(visit);
  const slowest = await watchFrames(visit);
  const y = box.y + box.height / 2;
  const begun = performance.now();
  await visit.page.mouse.move(box.x + box.width * 0.99, y);
  await visit.page.mouse.down();
  for (let i = 0; i < 100; i += 1) {
    await visit.page.mouse.move(box.x + box.width * (0.95 - (0.9 * i) / 100), y);
  }
  await visit.page.mouse.up();
  const seconds = (performance.now() - begun) / 1000;
  await settled();
  const at = Number(await slider.getAttribute('aria-valuenow'));
  const was = await daemon.ask('GET', `/v1/overview?at=${at}`);
  await visit.page
    .locator('[data-count="ready"]')
    .getByText(new Intl.NumberFormat('en').format(was.tasks.ready), { exact: true })
    .waitFor();
  console.log(
    `a drag of ${seconds.toFixed(1)} s over ${count} tasks: ${watch.total()} reads, ` +
      `${watch.asked('/v1/overview')} of the overview, ` +
      `the slowest frame ${(await slowest()).toFixed(0)} ms`,
  );
  assert.deepEqual(watch.crowded(), []);
  assert.deepEqual(watch.givenUp, []);
});

test('pages of a list are cut by the server, to the last one', async () => {
  const asked = /** @type {string[]} */ ([]);
  visit.page.on('request', (request) => asked.push(request.url()));
  await look('tasks?tag=rare');
  const all = Math.ceil((count - 5) / 1000);
  let seen = await visit.page.locator('main tbody tr').count();
  const next = visit.page.getByRole('button', { name: 'Next page' });
  for (let pages = 1; pages < 5 && seen < all; pages += 1) {
    const first = await visit.page.locator('main tbody tr').first().textContent();
    await next.click();
    await visit.page.waitForFunction(
      (before) => document.querySelector('main tbody tr')?.textContent !== before,
      first,
    );
    seen += await visit.page.locator('main tbody tr').count();
  }
  assert.equal(seen, Math.min(all, 250));
  const reads = asked.filter((url) => url.includes('/v1/tasks?'));
  assert.ok(reads.every((url) => url.includes('limit=50')));
});
