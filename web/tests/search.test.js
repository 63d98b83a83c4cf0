// Looking for something: memories by what they say, are and are like; since when something is so;
// who asked for what.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser, Visit } from './browser.js';
import { makeWorld } from './world.js';

/** @type {import('./daemon.js').Daemon} */
let daemon;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Visit} */
let visit;

before(async () => {
  daemon = await makeWorld();
  browser = await openBrowser();
  visit = await Visit.begin(browser, daemon);
  await visit.open();
});
after(async () => {
  assert.deepEqual(visit?.complaints, []);
  await browser?.close();
  await daemon?.stop();
});

const field = (/** @type {string} */ name) => visit.page.locator(`main form [name="${name}"]`);
const submit = async (/** @type {string} */ name) =>
  await visit.page.locator('main form').getByRole('button', { name, exact: true }).click();

/** Waits until the table has these rows, in their order. @param {string[]} texts */
async function rows(texts) {
  await visit.page.waitForFunction((wanted) => {
    const shown = [...document.querySelectorAll('main tbody tr')];
    const busy = document.querySelector('main .read')?.getAttribute('aria-busy') === 'true';
    return (
      !busy &&
      shown.length === wanted.length &&
      wanted.every((text, i) => shown[i]?.textContent?.includes(text))
    );
  }, texts);
}

const [sea, ocean, bread] = ['The sea is blue', 'The ocean is deep', 'Bread is baked'];

test('memories are filtered by text, kind, tag, user and time, all of them together', async () => {
  await visit.show('memories', 'Memories');
  await rows([bread, ocean, sea]);
  await field('tag').fill('sea');
  await submit('Search');
  await rows([ocean, sea]);
  await field('text').fill('deep');
  await submit('Search');
  await rows([ocean]);
  await field('text').fill('');
  await field('user').fill('ann');
  await field('kind').fill('note');
  await submit('Search');
  await rows([sea]);
  await submit('Clear');
  await rows([bread, ocean, sea]);
  await field('since').fill('2001-02-03T04:05:06');
  await submit('Search');
  await rows([bread, ocean, sea]);
  await field('until').fill('2001-02-04T04:05:06');
  await submit('Search');
  await visit.sees('Nothing like that is remembered.');
  await submit('Clear');
});

test('memories like a vector come by how like they are, beside the other filters', async () => {
  await visit.show('memories', 'Memories');
  await visit.page.getByText('By a vector').click();
  await field('vector').fill('0 0.1 1');
  await submit('Search');
  await rows([bread, ocean, sea]);
  assert.match((await visit.page.locator('main tbody tr').first().textContent()) ?? '', /99\.\d %/);
  await field('tag').fill('sea');
  await submit('Search');
  await rows([ocean, sea]);
  await field('vector').fill('[0.1, what]');
  await submit('Search');
  await visit.page.getByRole('alert').getByText("'what', in place 2, is no number.").waitFor();
  await field('vector').fill('[0.1, 1]');
  await submit('Search');
  await visit.sees('Nothing like that is remembered.');
  await submit('Clear');
  await rows([bread, ocean, sea]);
});

test('a file has the vector too', async () => {
  await visit.show('memories', 'Memories');
  const file = join(daemon.folder, 'vector.json');
  await writeFile(file, '[1, 0.3, 0]');
  await visit.page.getByText('By a vector').click();
  await visit.page.locator('input[type="file"]').setInputFiles(file);
  await visit.page.waitForFunction(
    () => document.querySelector('textarea')?.value === '[1, 0.3, 0]',
  );
  await submit('Search');
  await rows([ocean, sea, bread]);
  await submit('Clear');
});

test('what is similar to an entry is one press away, and has an address', async () => {
  await visit.show('memories', 'Memories');
  await rows([bread, ocean, sea]);
  const row = visit.page.locator('main tbody tr').filter({ hasText: sea });
  await row.getByRole('button', { name: 'Similar' }).click();
  await rows([sea, ocean, bread]);
  assert.match(await visit.page.evaluate(() => location.hash), /like=1/);
  await visit.page.getByRole('button', { name: 'Without that' }).click();
  await rows([bread, ocean, sea]);
});

test('since when something is so is found, and leads to that moment', async () => {
  await visit.show('bisect', 'Since when');
  await field('when').fill('tasks.failed > 0');
  await submit('Find');
  await visit.sees('It holds since');
  const { position } = await daemon.ask('GET', '/v1/bisect?when=tasks.failed%3E0');
  await visit.page.locator('main p').getByRole('button').first().click();
  await visit.page.locator('#moment').getByText(`event ${position} of`).waitFor();
  const [event] = (await daemon.ask('GET', `/v1/log?from=${position}&to=${position}`)).items;
  assert.equal(event.type, 'TaskFailed');
  await visit.page.getByRole('button', { name: 'Live', exact: true }).click();
  await field('to').fill(String(position - 1));
  await submit('Find');
  await visit.page.locator('main [role=alert]').getByText('it does not hold').waitFor();
  await field('when').fill('tasks.fialed > 0');
  await submit('Find');
  await visit.page.locator('main [role=alert]').getByText('tasks.failed').waitFor();
  visit.complaints = visit.complaints.filter((each) => !each.includes('Failed to load resource'));
});

test('who asked for what is told of one alone, and of a moment of the past', async () => {
  await visit.show('audit', 'Audit');
  await visit.sees('unknown token (401)');
  await visit.page.locator('main').getByRole('button', { name: 'line 1' }).first().click();
  await visit.page.getByText('unknown token (401)').waitFor({ state: 'detached' });
  await visit.sees('POST /v1/tasks');
  await visit.show('audit?at=2', 'Audit');
  await visit.sees('Nobody was turned away.');
});
