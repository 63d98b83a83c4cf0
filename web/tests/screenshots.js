// The pictures of the README and the guide: node tests/screenshots.js FOLDER
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser, Visit } from './browser.js';
import { makeWorld, untilCount } from './world.js';

const folder = process.argv[2];
if (!folder) throw new Error('name the folder of the pictures');
await mkdir(folder, { recursive: true });

/** So that charts have something to draw. @param {import('./daemon.js').Daemon} daemon */
async function work(daemon) {
  const lines = Array.from({ length: 60 }, (_, i) =>
    JSON.stringify({
      label: `chapter ${i + 1}`,
      queue: i % 3 === 0 ? 'reports' : 'chapters',
      priority: i % 5,
      shell: i % 9 === 4 ? 'exit 1' : 'sleep 0.1',
    }),
  );
  await daemon.ask('POST', '/v1/tasks', lines.join('\n'));
  await untilCount(daemon, 'succeeded', 50);
}

/** Each picture: its name, the theme, the width, the place, what has to be seen. */
const pictures = /** @type {const} */ ([
  ['overview', 'light', 1280, 'overview', 'Waits and runs'],
  ['overview-dark', 'dark', 1280, 'overview', 'Waits and runs'],
  ['task', 'light', 1280, 'task/3', 'TaskSucceeded'],
  ['past', 'light', 1280, 'tasks?at=120&a=40&b=120', 'chapter 1'],
  ['difference', 'light', 1280, 'difference?a=40&b=120&at=120', 'tasks'],
  ['narrow', 'dark', 360, 'queues', 'chapters'],
]);

const [daemon, browser] = await Promise.all([makeWorld(), openBrowser()]);
try {
  const begun = work(daemon);
  for (const [name, theme, width, place, text] of pictures) {
    const visit = await Visit.begin(browser, daemon, {
      viewport: { width, height: width < 500 ? 740 : 800 },
      colorScheme: theme,
    });
    await visit.open(`#/${place === 'overview' ? place : 'overview'}`);
    await begun;
    await visit.go(`#/${place}`);
    await visit.sees(text);
    await visit.page.waitForFunction(() => !document.querySelector('main [aria-busy="true"]'));
    await visit.page.screenshot({ path: join(folder, `${name}.png`) });
    await visit.end();
  }
} finally {
  await browser.close();
  await daemon.stop();
}
