// Every view: that it shows what there is, with nothing said to the console, on narrow screens too;
// and the ways from one to another.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Visit } from './browser.js';
import { expectations } from './places.js';
import { makeWorld } from './world.js';

/** @type {import('./daemon.js').Daemon} */
let daemon;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  daemon = await makeWorld();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await daemon?.stop();
});

test('every view shows what there is', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open();
  for (const [place, title, texts] of expectations) {
    await visit.arrive(place, title, texts);
  }
  assert.deepEqual(visit.complaints, []);
  await visit.end();
});

test('every view fits a screen of 360 pixels', async () => {
  const visit = await Visit.begin(browser, daemon, { viewport: { width: 360, height: 740 } });
  const wide = /** @type {string[]} */ ([]);
  await visit.open();
  for (const [place, title, texts] of expectations) {
    await visit.arrive(place, title, texts);
    if ((await visit.overflow()) > 0) wide.push(place);
  }
  assert.deepEqual(wide, []);
  await visit.end();
});

test('what is wrong in an expression is pointed at', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open('#/tasks?where=queue+%3D%3D+mail');
  const shown = await visit.page.getByRole('alert').locator('pre').innerText();
  assert.equal(shown, `queue == mail\n${' '.repeat(9)}^`);
  await visit.go('#/log?type=TaskFaild');
  await visit.sees("did you mean 'TaskFailed'?");
  await visit.go('#/overview');
  await visit.sees('None has come since this page was opened.');
  await visit.end();
});

test('the switch of the theme is stronger than the system, and is remembered', async () => {
  const visit = await Visit.begin(browser, daemon, { colorScheme: 'light' });
  await visit.open();
  const theme = () => visit.page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), 'light');
  await visit.page.getByLabel('Theme').selectOption('dark');
  assert.equal(await theme(), 'dark');
  await visit.page.reload();
  await visit.sees('Each second');
  assert.equal(await theme(), 'dark');
  await visit.end();
});

test('tasks are filtered and paged by the server', async () => {
  const lines = Array.from({ length: 120 }, (_, i) =>
    JSON.stringify({
      kind: 'later',
      label: `page task ${i}`,
      queue: 'paged',
      payload: 'x',
      priority: i === 7 ? 7 : 0,
    }),
  );
  await daemon.ask('POST', '/v1/tasks', lines.join('\n'));
  const visit = await Visit.begin(browser, daemon);
  const asked = /** @type {string[]} */ ([]);
  visit.page.on('request', (request) => asked.push(request.url()));
  await visit.open('#/tasks?queue=paged');
  await visit.sees('page task 49');
  assert.equal(await visit.page.locator('main tbody tr').count(), 50);
  await visit.page.getByRole('button', { name: 'Next page' }).click();
  await visit.sees('page task 50');
  assert.equal(await visit.page.getByText('page task 49').count(), 0);
  await visit.page.getByLabel('where').fill('priority > 5 && attempts == 0');
  await visit.page.getByLabel('where').press('Enter');
  await visit.sees('page task 7');
  await visit.page.waitForFunction(() => document.querySelectorAll('main tbody tr').length === 1);
  assert.ok(asked.some((url) => url.includes('where=priority')));
  await visit.page.getByLabel('where').fill('priority >');
  await visit.page.getByLabel('where').press('Enter');
  await visit.page.getByRole('alert').waitFor();
  await visit.end();
});

test('all of it can be reached by keyboard, and what has the focus is seen', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open();
  const { page } = visit;
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  const names = new Set();
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    const { name, outline } = await page.evaluate(() => {
      const element = document.activeElement ?? document.body;
      const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
      const isPage = element !== document.body;
      return {
        name: isPage ? name.trim() : '',
        outline: isPage ? getComputedStyle(element).outlineStyle : 'that of the browser',
      };
    });
    names.add(name);
    if (name) assert.equal(outline, 'solid', `the focus on '${name}' is not seen`);
  }
  for (const name of ['Moment', 'Keys', 'Overview', 'Tasks', 'Log', 'Pause']) {
    assert.ok(
      [...names].some((each) => each.includes(name)),
      `the key Tab never comes to ${name}`,
    );
  }
  await visit.end();
});

test('an address leads to its view, with the moment and the filter', async () => {
  const visit = await Visit.begin(browser, daemon);
  await visit.open('#/tasks?state=failed&at=30');
  assert.equal(await visit.page.getByLabel('State').inputValue(), 'failed');
  await visit.page.locator('#moment').getByText('event 30 of').waitFor();
  await visit.go('#/nothing');
  await visit.sees('There is no such view');
  await visit.end();
});

// Behind all others: its task is in the way of who counts.
test('words of tables are whole, and what is one long word is cut to fit', async () => {
  const words = ['TaskSucceeded', 'count lines'];
  const visit = await Visit.begin(browser, daemon);
  await visit.open('#/task/3');
  await visit.sees(words[0] ?? '');
  const heights = () =>
    visit.page.evaluate(() =>
      [...document.querySelectorAll('td[data-name="Event"], td[data-name="Time"]')].map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getClientRects().length;
      }),
    );
  assert.deepEqual([...new Set(await heights())], [1], 'on one line each');
  await daemon.submit({ kind: 'nobody', label: 'W'.repeat(180), queue: 'q'.repeat(100) });
  await visit.go('#/tasks?kind=nobody');
  await visit.sees('W'.repeat(180));
  const beyond = await visit.page.evaluate(() =>
    [...document.querySelectorAll('.table')].map((each) => each.scrollWidth - each.clientWidth),
  );
  assert.ok(Math.max(...beyond) < 40, `${beyond}`);
  await visit.end();
});

test('a name that turns the direction of what is written turns itself alone', async () => {
  const label = 'bill\u202efdp.exe';
  const id = await daemon.submit({ kind: 'turned', queue: 'turned', label });
  const visit = await Visit.begin(browser, daemon);
  for (const place of ['#/tasks?queue=turned', `#/task/${id}`]) {
    await visit.open(place);
    const named = visit.page.locator('bdi', { hasText: 'bill' }).first();
    assert.equal(await named.textContent(), label, place);
  }
  await visit.end();
});
