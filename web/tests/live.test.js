// The present as it happens: ten thousand events leave the page smooth, and what it shows is right.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Visit, watchFrames } from './browser.js';
import { Daemon } from './daemon.js';

/** @type {Daemon} */
let daemon;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  daemon = await Daemon.start();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await daemon?.stop();
});

const eventsMany = 10_000;
const batch = 100;

/** @param {number} count */
const tasks = (count) =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ kind: 'bulk', label: `bulk ${i}`, payload: 'x' }),
  ).join('\n');

test('10,000 live updates are counted, read sparingly, and leave the page smooth', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open();
  await visit.page.locator('.connection.live').waitFor();
  const slowest = await watchFrames(visit);
  let asked = 0;
  visit.page.on('request', (request) => {
    if (request.url().includes('/v1/overview')) asked += 1;
  });
  const begun = Date.now();
  for (let i = 0; i < eventsMany / batch; i += 1) {
    await daemon.ask('POST', '/v1/tasks', tasks(batch));
  }
  await visit.page.locator('[data-count="ready"]').getByText('10,000').waitFor();
  await visit.page.getByText(/1\d,\d\d\d events seen/).waitFor();
  const seconds = (Date.now() - begun) / 1000;
  const frame = await slowest();
  const rows = await visit.page.locator('main tr').count();
  console.log(
    `10,000 events in ${seconds.toFixed(1)} s: ${asked} reads of the overview, ` +
      `the slowest frame ${frame.toFixed(0)} ms`,
  );
  assert.ok(asked <= 4 * seconds + 4, `${asked} reads in ${seconds} s`);
  assert.ok(frame < 2000, `a frame took ${frame} ms`);
  assert.ok(rows < 200, `the page holds ${rows} rows`);
  assert.deepEqual(visit.complaints, []);
  await visit.end();
});

test('what happens is seen without a reload, wherever it comes from', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open('#/tasks?queue=fresh');
  await visit.sees('No task is like that.');
  await daemon.submit({ kind: 'seen', label: 'brand new', queue: 'fresh', payload: 'x' });
  await visit.sees('brand new');
  await daemon.work('seen', { outcome: 'success' });
  await visit.page.locator('main tbody').getByText('succeeded').waitFor();
  await visit.end();
});

test('the log follows while that is wanted, and stands still when it is not', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open('#/log?type=TaskEnqueued');
  await visit.page.getByLabel('Follow').waitFor();
  await daemon.submit({ kind: 'x', label: 'first seen', payload: 'x' });
  await visit.sees(/label first seen/);
  await visit.page.getByLabel('Follow').uncheck();
  // The slider's line is read again because of the same events, and less often than the log is.
  for (const label of ['never seen', 'nor this one']) {
    const told = visit.page.waitForResponse('**/v1/timeline*');
    await daemon.submit({ kind: 'x', label, payload: 'x' });
    await told;
  }
  // Or one behind it: what was asked for meanwhile is on record too.
  await visit.page.waitForFunction(
    (position) => {
      const text = document.querySelector('#moment')?.textContent ?? '';
      const [, shown = ''] = /event ([\d,]+)/.exec(text) ?? [];
      return Number(shown.replaceAll(',', '')) >= position;
    },
    await daemon.position(),
  );
  assert.equal(await visit.page.getByText('label never seen').count(), 0);
  await visit.page.getByLabel('Follow').check();
  await visit.sees('label never seen');
  await visit.end();
});

test('what few events are is looked for part by part, and how far is told', async () => {
  const visit = await Visit.begin(browser, daemon);
  /** @type {string[]} */
  const asked = [];
  const found = { position: 7, time: new Date().toISOString(), type: 'TaskHeld', task: 1 };
  const parts = new Map([
    ['', { items: [], next: '200001' }],
    ['200001', { items: [], next: '100001' }],
    ['100001', { items: [found], next: '5' }],
  ]);
  await visit.page.route('**/v1/log?*type=TaskHeld*', async (route) => {
    const page = new URL(route.request().url()).searchParams.get('page') ?? '';
    asked.push(page);
    const body = JSON.stringify(parts.get(page));
    await route.fulfill({ contentType: 'application/json', body });
  });
  await visit.open('#/log?type=TaskHeld');
  await visit.sees('Looked back to event 5.');
  await visit.sees('TaskHeld');
  assert.deepEqual([...new Set(asked)], ['', '200001', '100001']);
  await visit.page.unroute('**/v1/log?*type=TaskHeld*');
  await visit.end();
});

test('a daemon that is gone is told, and its return is noticed', async () => {
  const folder = daemon.folder;
  const visit = await Visit.begin(browser, daemon);
  await visit.open('#/queues');
  await visit.page.locator('.connection.live').waitFor();
  const address = new URL(daemon.address).host;
  await daemon.end();
  await visit.page.locator('.connection.lost').waitFor();
  await visit.page.locator('#moment').getByText('Cut off: ').waitFor();
  daemon = await Daemon.start({ folder, listen: address, token: daemon.token });
  await visit.page.locator('.connection.live').waitFor();
  await visit.page.locator('#moment').getByText('Live: ').waitFor();
  await visit.end();
});

test('a token that is revoked leads back to the gate, which says why', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open('#/queues');
  await visit.page.locator('.connection.live').waitFor();
  await visit.page.route('**/v1/events*', (route) =>
    route.fulfill({
      status: 401,
      contentType: 'application/problem+json',
      body: JSON.stringify({ code: 'refused', detail: 'the token has expired', next: 'x' }),
    }),
  );
  await visit.page.reload();
  await visit.page.getByRole('alert').getByText('the token has expired').waitFor();
  await visit.end();
});
