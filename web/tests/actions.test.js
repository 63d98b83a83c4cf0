// Every change that the page can make: it asks first, does what it says, and does it to the daemon.
import assert from 'node:assert/strict';
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

/**
 * Presses a button, answers its question, and waits until it is said to be done.
 * @param {string} name
 * @param {Record<string, string>} [fields] by label
 * @param {import('playwright-core').Locator} [within]
 */
async function act(name, fields = {}, within = visit.page.locator('main')) {
  await within.getByRole('button', { name, exact: true }).first().click();
  const dialog = visit.page.getByRole('dialog');
  await dialog.waitFor();
  for (const [label, value] of Object.entries(fields)) {
    const field = dialog.getByLabel(label);
    if (await field.evaluate((element) => element.tagName === 'SELECT')) {
      await field.selectOption(value);
    } else {
      await field.fill(value);
    }
  }
  await dialog.getByRole('button', { name, exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
}

/** @param {number} id */
const stateOf = async (id) => (await daemon.ask('GET', `/v1/tasks/${id}`)).state;

/** @param {string} text */
const row = (text) => visit.page.locator('main tbody tr').filter({ hasText: text });

test('a task is paused, let go on and cancelled, and the page follows', async () => {
  const id = await daemon.submit({ kind: 'never', payload: 'x', label: 'to be stopped' });
  await visit.show(`task/${id}`, `Task ${id}`);
  await act('Pause', { 'Reason, for the log': 'lunch' });
  await visit.page.getByRole('button', { name: 'Resume' }).waitFor();
  assert.equal(await stateOf(id), 'held');
  await act('Resume');
  await visit.page.getByRole('button', { name: 'Cancel' }).waitFor();
  assert.equal(await stateOf(id), 'ready');
  await act('Cancel', { 'Reason, for the log': 'no need' });
  await visit.page.getByRole('status').getByText(`Cancel task ${id}`).waitFor();
  assert.equal(await stateOf(id), 'cancelled');
  await visit.sees('no need');
});

test('a failed task is retried from its row', async () => {
  await visit.show('tasks?state=failed', 'Tasks');
  await act('Retry', {}, row('broken import'));
  const { attempts } = await daemon.ask('GET', '/v1/tasks/5');
  assert.ok(attempts >= 0);
  const events = await daemon.ask('GET', '/v1/log?type=TaskRedriven');
  assert.equal(events.items.length, 1);
});

test('nothing is done when one leaves it, by button or Escape', async () => {
  const id = await daemon.submit({ kind: 'never', payload: 'x' });
  await visit.show(`task/${id}`, `Task ${id}`);
  await visit.page.getByRole('button', { name: 'Cancel' }).click();
  await visit.page.getByRole('button', { name: 'Leave it' }).click();
  await visit.page.getByRole('dialog').waitFor({ state: 'hidden' });
  await visit.page.getByRole('button', { name: 'Cancel' }).click();
  await visit.page.getByRole('dialog').waitFor();
  await visit.page.keyboard.press('Escape');
  await visit.page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.equal(await stateOf(id), 'ready');
});

test('a queue is paused, let go on, and gets slots', async () => {
  await visit.show('queues', 'Queues');
  const queue = async () => await daemon.ask('GET', '/v1/queues/gpu');
  await act('Pause', {}, row('gpu'));
  await row('gpu').getByText('paused').waitFor();
  assert.equal((await queue()).paused, true);
  await act('Resume', {}, row('gpu'));
  await row('gpu').getByText('open to work').waitFor();
  assert.equal((await queue()).paused, false);
  await act('Slots', { Slots: '3' }, row('gpu'));
  assert.equal((await queue()).slots, 3);
});

test('a schedule is paused, let go on and removed', async () => {
  await visit.show('schedules', 'Schedules');
  await act('Pause', {}, row('nightly'));
  await row('nightly').getByText('paused').waitFor();
  await act('Resume', {}, row('nightly'));
  await row('nightly').getByText('active').waitFor();
  await act('Remove', {}, row('nightly'));
  await visit.sees('Nothing is enqueued again and again.');
  assert.equal((await daemon.ask('GET', '/v1/schedules')).items.length, 0);
});

test('a circuit is forced to what was chosen', async () => {
  await visit.show('circuits', 'Circuits');
  await act('Force', { To: 'closed', 'Reason, for the log': 'it is back' }, row('search-api'));
  await row('search-api')
    .getByText(/✓ closed$/)
    .waitFor();
  assert.equal((await daemon.ask('GET', '/v1/circuits/search-api')).state, 'closed');
});

test('components are checked, diagnosed, fixed and built anew', async () => {
  await visit.show('components', 'Components');
  for (const name of ['Check', 'Diagnose', 'Fix', 'Build anew']) await act(name);
  await visit.page.getByRole('status').getByText('Build all components anew').waitFor();
});

test('a memory is forgotten', async () => {
  await visit.show('memories', 'Memories');
  await act('Forget', {}, row('The sea is blue'));
  await row('The sea is blue').waitFor({ state: 'detached' });
  const { items } = await daemon.ask('GET', '/v1/memories?text=sea');
  assert.equal(items.length, 0);
});

test('what a restore holds runs again, or does not, as somebody decides', async () => {
  await visit.show('reviews', 'Reviews');
  await act('Run again', {}, row('send letters'));
  await row('send letters').waitFor({ state: 'detached' });
  await act('Skip', {}, row('print letters'));
  await visit.sees('No task is under review');
  const { items } = await daemon.ask('GET', '/v1/log?type=TaskReleased,TaskAccepted');
  assert.deepEqual(
    items
      .filter((/** @type {any} */ { task }) => task <= 2)
      .map((/** @type {any} */ { task, type }) => [task, type]),
    [
      [1, 'TaskReleased'],
      [2, 'TaskAccepted'],
    ],
  );
});

test('a group is closed, and cancelled with its tasks', async () => {
  await visit.show('groups', 'Groups');
  await act('Close', {}, row('letters'));
  await row('letters').getByText('closed').waitFor();
  await visit.show('groups/letters', 'Group letters');
  await act(
    'Cancel',
    { 'Reason, for the log': 'nobody writes' },
    visit.page.locator('main > p, main .read > p'),
  );
  await visit.page.locator('.facts').getByText('cancelled').first().waitFor();
  const group = await daemon.ask('GET', '/v1/groups/letters');
  assert.deepEqual([group.state, group.live, group.cancelled], ['cancelled', 0, 1]);
});

test('a model is loaded, pinned, unloaded and removed, and refusals are told', async () => {
  await visit.show('model/llama', 'Model llama');
  const model = async () => await daemon.ask('GET', '/v1/models/llama');
  await act('Load', { 'Wait no longer than': '20s' });
  await visit.page.locator('.facts').getByText('resident').waitFor();
  await act('Pin');
  await visit.page.getByRole('button', { name: 'Unpin' }).waitFor();
  assert.equal((await model()).pinned, true);
  await act('Priority', { Priority: '7' });
  assert.equal((await model()).priority, 7);
  await visit.page.getByRole('button', { name: 'Remove' }).click();
  const dialog = visit.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await dialog.getByRole('alert').getByText('unload it first').waitFor();
  await visit.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  visit.complaints = visit.complaints.filter((each) => !each.includes('Failed to load resource'));
  await act('Unpin');
  await act('Unload', { 'Wait no longer than': '20s' });
  await visit.page.locator('.facts').getByText('absent').waitFor();
  await act('Remove');
  const { items } = await daemon.ask('GET', '/v1/models');
  assert.deepEqual(
    items.map((/** @type {any} */ each) => each.model),
    ['whisper'],
  );
  await visit.page.locator('main [role=alert]').first().waitFor();
  visit.complaints = visit.complaints.filter((each) => !each.includes('Failed to load resource'));
});

test('what is refused is told in the dialog, with what to do next', async () => {
  const id = await daemon.submit({ kind: 'never', payload: 'x' });
  await visit.show(`task/${id}`, `Task ${id}`);
  await visit.page.getByRole('button', { name: 'Pause' }).click();
  await daemon.ask('POST', `/v1/tasks/${id}/cancel`, {});
  await visit.page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await visit.page.getByRole('dialog').getByRole('alert').waitFor();
  await visit.page.keyboard.press('Escape');
  visit.complaints = visit.complaints.filter((each) => !each.includes('Failed to load resource'));
});

test('nothing of the past can be changed', async () => {
  const position = await daemon.position();
  await visit.show(`tasks?state=ready&at=${position - 1}`, 'Tasks');
  await visit.sees('embed chapter 2');
  const buttons = await visit.page.locator('main .actions button').all();
  assert.ok(buttons.length > 0);
  for (const button of buttons) assert.equal(await button.isDisabled(), true);
});
