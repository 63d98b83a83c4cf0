// How the page comes to a browser, and how a visitor comes in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Visit } from './browser.js';
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

test('a wrong token is refused with a sentence, a right one opens the page', async () => {
  const visit = await Visit.begin(browser, daemon);
  const { page } = visit;
  await page.goto(daemon.address);
  await page.getByLabel('Token').fill('almanac_wrong');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('alert').getByText('the token is not known').waitFor();
  await page.getByLabel('Token').fill(daemon.token);
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.ok(!page.url().includes('almanac_'), 'a token must not be in the address');
  await visit.end();
});

test('the files of the page carry a strict policy and are not sent twice', async () => {
  for (const path of ['/', '/page/page.js', '/page/page.css', '/page/icon.svg']) {
    const first = await fetch(daemon.address + path);
    assert.equal(first.status, 200, path);
    const policy = first.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
    assert.equal(first.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(first.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(first.headers.get('content-encoding'), 'gzip');
    assert.ok((await first.text()).length > 100);
    const etag = first.headers.get('etag') ?? '';
    const second = await fetch(daemon.address + path, { headers: { 'If-None-Match': etag } });
    assert.equal(second.status, 304, path);
    const other = await fetch(daemon.address + path, { headers: { 'If-None-Match': '"x"' } });
    assert.equal(other.status, 200, path);
    await other.arrayBuffer();
  }
});

test('the page asks nobody but its own daemon', async () => {
  const visit = await Visit.begin(browser, daemon);
  const foreign = /** @type {string[]} */ ([]);
  visit.page.on('request', (request) => {
    if (!request.url().startsWith(daemon.address)) foreign.push(request.url());
    if (request.url().includes(daemon.token)) foreign.push('the token in an address');
  });
  await visit.open();
  await visit.sees('Each second');
  assert.deepEqual(foreign, []);
  assert.deepEqual(visit.complaints, []);
  await visit.end();
});

test('the page is there in a moment', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open();
  await visit.page.reload();
  await visit.sees('Each second');
  const times = await visit.page.evaluate(() => {
    const [entry] = performance.getEntriesByType('navigation');
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return {
      loaded: /** @type {PerformanceNavigationTiming} */ (entry).loadEventEnd,
      painted: paint?.startTime ?? 0,
    };
  });
  console.log(
    `page loaded in ${times.loaded.toFixed(0)} ms, ` +
      `first painted after ${times.painted.toFixed(0)} ms (aim: under 300)`,
  );
  assert.ok(times.loaded > 0);
  await visit.end();
});
