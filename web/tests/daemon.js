// A daemon of the tests' own: `almanac serve` on a free port, in a folder that is gone with it.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** The `almanac` command of this build. */
export function command() {
  const path = process.env.ALMANAC_BIN;
  if (!path) throw new Error('ALMANAC_BIN names the command; ctest sets it');
  return resolve(path);
}

/**
 * Each line of its output that begins with one of these words and a space, as soon as it is there.
 * @param {NodeJS.ReadableStream} output
 * @param {string[]} words
 * @returns {Promise<Map<string, string>>}
 */
function linesWith(output, words) {
  return new Promise((resolve, reject) => {
    const found = new Map();
    const lines = createInterface({ input: output });
    lines.on('line', (line) => {
      const space = line.indexOf(' ');
      const word = line.slice(0, space);
      if (words.includes(word)) found.set(word, line.slice(space + 1));
      if (found.size === words.length) resolve(found);
    });
    lines.on('close', () => reject(new Error('the daemon has ended before it said where it is')));
  });
}

export const makeFolder = () => mkdtemp(join(tmpdir(), 'almanac-page-'));

export class Daemon {
  /**
   * @param {import('node:child_process').ChildProcess} child
   * @param {string} folder
   * @param {string} address
   * @param {string} token
   */
  constructor(child, folder, address, token) {
    this.child = child;
    this.folder = folder;
    this.address = address;
    this.token = token;
  }

  /**
   * @param {{ folder?: string, config?: string, listen?: string, token?: string,
   *   environment?: NodeJS.ProcessEnv }} options the folder with what is there already, more of its
   * file, where it listens, who may ask, what its environment has beside
   */
  static async start({
    folder = '',
    config = '',
    listen = '127.0.0.1:0',
    token = '',
    environment = {},
  } = {}) {
    folder ||= await makeFolder();
    // Of its own: what the daemon makes may be shown once and never again.
    token ||= `almanac_${randomBytes(32).toString('hex')}`;
    await writeFile(join(folder, 'tokens'), `${token}\n`, { mode: 0o600 });
    const file = join(folder, 'almanac.toml');
    await writeFile(
      file,
      `[http]\nlisten = "${listen}"\ntoken_file = "tokens"\n[engine]\nslots = 2\n${config}`,
    );
    const child = spawn(command(), ['serve', '--dir', join(folder, 'log'), '--config', file], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, ...environment },
    });
    const lines = await linesWith(child.stdout, ['http']);
    return new Daemon(child, folder, lines.get('http') ?? '', token);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body] JSON; a text is JSON Lines
   * @returns {Promise<any>}
   */
  async ask(method, path, body) {
    const isLines = typeof body === 'string';
    const response = await fetch(this.address + path, {
      method,
      headers: {
        Authorization: `Bearer ${this.token}`,
        ...(body === undefined
          ? {}
          : { 'Content-Type': isLines ? 'application/x-ndjson' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isLines ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** The number of one new task. @param {object} task */
  async submit(task) {
    return (await this.ask('POST', '/v1/tasks', task)).id;
  }

  async position() {
    return (await this.ask('GET', '/v1')).position;
  }

  /**
   * Leases one task of a kind as a worker would, and ends it.
   * @param {string} kind
   * @param {object} result
   */
  async work(kind, result) {
    const { tasks } = await this.ask('POST', '/v1/leases', {
      worker: 'test',
      kinds: [kind],
      tasks_max: 1,
      wait: '10s',
    });
    const [{ task: id, token }] = tasks;
    await this.ask('POST', '/v1/leases/result', { task: id, token, ...result });
    return id;
  }

  /** Until there is an event of a type, whether it has come already or not. @param {string} type */
  async untilEvent(type) {
    const response = await fetch(`${this.address}/v1/events?from=1&type=${type}`, {
      headers: { Authorization: `Bearer ${this.token}` },
    });
    if (!response.body) throw new Error('no events come');
    const text = new TextDecoder();
    for await (const bytes of response.body) {
      if (text.decode(bytes).includes(`"type":"${type}"`)) return;
    }
  }

  /** Its folder stays. */
  async end() {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }

  async stop() {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}
