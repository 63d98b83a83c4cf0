// Headless Chromium, and the page of a daemon in it. What the page says to the console, or throws,
// is kept: a test that passes has heard nothing.
import { chromium } from 'playwright-core';
import { readFile } from 'node:fs/promises';

const axePath = new URL('../node_modules/axe-core/axe.min.js', import.meta.url);

export async function openBrowser() {
  return await chromium.launch({
    executablePath: process.env.ALMANAC_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

/** In the page: each rule that is broken badly, and by what. @param {string[]} rules */
async function findBarriers(rules) {
  const options = { resultTypes: ['violations'], ...(rules.length > 0 ? { runOnly: rules } : {}) };
  // @ts-expect-error: it is there once its source has run
  const found = await axe.run(document, options);
  const bad = found.violations.filter((/** @type {any} */ each) =>
    ['serious', 'critical'].includes(each.impact),
  );
  return JSON.stringify(
    bad.map((/** @type {any} */ { id, nodes }) => {
      const places = nodes.slice(0, 3).map((/** @type {any} */ node) => node.html);
      return `${id}: ${places.join(' ')}`;
    }),
  );
}

export class Visit {
  /**
   * @param {import('playwright-core').BrowserContext} context
   * @param {import('playwright-core').Page} page
   * @param {import('./daemon.js').Daemon} daemon
   */
  constructor(context, page, daemon) {
    this.context = context;
    this.page = page;
    this.daemon = daemon;
    /** @type {string[]} */
    this.complaints = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  /**
   * A fresh tab that has not shown its token yet.
   * @param {import('playwright-core').Browser} browser
   * @param {import('./daemon.js').Daemon} daemon
   * @param {import('playwright-core').BrowserContextOptions} [options]
   */
  static async begin(browser, daemon, options = {}) {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      bypassCSP: false,
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    return new Visit(context, page, daemon);
  }

  /** To a view, with the token in its place. @param {string} [hash] */
  async open(hash = '#/overview') {
    await this.page.addInitScript(
      (token) => sessionStorage.setItem('almanac.token', token),
      this.daemon.token,
    );
    await this.page.goto(`${this.daemon.address}/${hash}`);
    await this.page.locator('main h1').waitFor();
    return this;
  }

  /** Within the page that is open, until it has turned there. @param {string} hash */
  async go(hash) {
    await this.page.evaluate(
      (to) =>
        new Promise((resolve) => {
          const before = location.href;
          location.hash = to;
          if (location.href === before) return resolve(0);
          // Behind what listens already, and what that has rendered.
          addEventListener('hashchange', () => setTimeout(resolve), { once: true });
        }),
      hash,
    );
  }

  /** A view of this name, when it has its heading. @param {string} name @param {string} title */
  async show(name, title) {
    await this.go(`#/${name}`);
    await this.page.getByRole('heading', { level: 1, name: title }).waitFor();
  }

  /** Waits until a text is somewhere in the view. @param {string | RegExp} text */
  async sees(text) {
    await this.page.locator('main').getByText(text).first().waitFor();
  }

  /**
   * To a place of the page, until it shows what it has to.
   * @param {string} place
   * @param {RegExp} title
   * @param {(string | RegExp)[]} texts
   */
  async arrive(place, title, texts) {
    await this.go(`#/${place}`);
    await this.page.getByRole('heading', { level: 1, name: title }).waitFor();
    for (const text of texts) await this.sees(text);
  }

  /**
   * What axe-core finds that is serious or critical.
   * @param {readonly string[]} rules that are asked for; none = all
   */
  async barriers(rules = []) {
    const source = await readFile(axePath, 'utf8');
    // Through the debugger's door: the page's own policy lets no foreign script in.
    const session = await this.context.newCDPSession(this.page);
    await session.send('Runtime.evaluate', { expression: source });
    const { result } = await session.send('Runtime.evaluate', {
      expression: `(${findBarriers})(${JSON.stringify(rules)})`,
      awaitPromise: true,
      returnByValue: true,
    });
    await session.detach();
    return /** @type {string[]} */ (JSON.parse(result.value));
  }

  /** How far the page can be moved sideways: 0 where all of it fits. */
  async overflow() {
    return await this.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
  }

  async end() {
    await this.context.close();
  }
}

/** @param {import('playwright-core').Request} request */
const isRead = (request) => new URL(request.url()).pathname.startsWith('/v1/');

/**
 * Of a page from now on: how many reads of each path were under way at once, how often each was
 * asked for, and what came.
 * @param {Visit} visit
 */
export function watchReads(visit) {
  /** @type {Map<string, { now: number, most: number, all: number }>} */
  const paths = new Map();
  const givenUp = /** @type {string[]} */ ([]);
  /** @param {import('playwright-core').Request} request */
  const of = (request) => {
    const { pathname } = new URL(request.url());
    const found = paths.get(pathname) ?? { now: 0, most: 0, all: 0 };
    paths.set(pathname, found);
    return found;
  };
  visit.page.on('request', (request) => {
    if (!isRead(request)) return;
    const found = of(request);
    found.now += 1;
    found.all += 1;
    found.most = Math.max(found.most, found.now);
  });
  /** @param {import('playwright-core').Request} request */
  const end = (request) => {
    if (isRead(request)) of(request).now -= 1;
  };
  visit.page.on('requestfinished', end);
  visit.page.on('requestfailed', (request) => {
    end(request);
    if (isRead(request)) givenUp.push(request.url());
  });
  return {
    /** Those that were asked for again while an answer was on its way. */
    crowded: () =>
      [...paths].filter(([, { most }]) => most > 1).map(([path, { most }]) => `${path}: ${most}`),
    /** Those that nobody waited for to the end: the daemon answered them all the same. */
    givenUp,
    asked: (/** @type {string} */ path) => paths.get(path)?.all ?? 0,
    total: () => [...paths.values()].reduce((sum, { all }) => sum + all, 0),
  };
}

/** Keeps in the page what its slowest frame was from now on. @param {Visit} visit */
export async function watchFrames(visit) {
  await visit.page.evaluate(() => {
    const kept = /** @type {any} */ (window);
    kept.slowestFrame = 0;
    let last = performance.now();
    const look = (/** @type {number} */ now) => {
      kept.slowestFrame = Math.max(kept.slowestFrame, now - last);
      last = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  return async () =>
    await visit.page.evaluate(() => Number(/** @type {any} */ (window).slowestFrame));
}
