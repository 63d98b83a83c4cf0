// That nobody is kept out, as far as axe-core sees: in every view, of the present and of the past.
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

/** Nothing but colours is otherwise in the dark. */
const themes = /** @type {const} */ ([
  ['light', []],
  ['dark', ['color-contrast']],
]);

for (const [theme, rules] of themes) {
  test(`axe-core finds nothing serious in the ${theme} theme`, async () => {
    const visit = await Visit.begin(browser, daemon, { colorScheme: theme });
    const found = /** @type {string[]} */ ([]);
    await visit.open();
    for (const [place, title, texts] of expectations) {
      await visit.arrive(place, title, texts);
      found.push(...(await visit.barriers(rules)).map((barrier) => `${place}: ${barrier}`));
    }
    assert.deepEqual(found, []);
    const shown = await visit.page.evaluate(() => document.documentElement.dataset.theme);
    assert.equal(shown, theme);
    await visit.end();
  });
}
