// The npm package faktory-worker, which lies in the folder named first, as a program that says its
// version and then does what lines say, each answered with one line:
//   push TYPE QUEUE RETRY ARGS…   a job, whose arguments are JSON; its jid
//   bulk TYPE N                   so many at once; how many were refused
//   work                          begins to work; its wid
//   wait N                        until so many jobs were done or have failed; which, in order
//   requeue                       all retries and the dead, now
//   info                          what is in the sets
//   later TYPE                    a job of tomorrow; its jid
//   stopped                       when the worker has ended as the server told it to
//   close                         of the producer
const [folder, port, password] = process.argv.slice(2);
const faktory = require(folder);
const { Worker } = require(folder + '/lib/worker');

const server = { host: '127.0.0.1', port: Number(port), password };
const worker = new Worker({
  ...server,
  concurrency: 3,
  beatInterval: 1,
  queues: ['critical', 'default'],
  labels: ['peer'],
});
const happened = [];
let onHappened = () => {};
const tell = (text) => {
  happened.push(text);
  onHappened();
};
const seen = new Map();
worker.register('Sum', (...parts) => {
  tell(`Sum ${JSON.stringify(parts)}`);
});
worker.register('FailsOnce', (text) => () => {
  const times = (seen.get(text) || 0) + 1;
  seen.set(text, times);
  if (times === 1) throw Object.assign(new Error(`not yet: ${text}`), { code: 'EAGAIN' });
});
worker.register('Context', () => (context) => {
  tell(`Context ${context.job.queue} ${JSON.stringify(context.job.custom)}`);
});
worker.use(async (context, next) => {
  await next();
  // Reached where nothing was thrown.
  if (context.job.jobtype === 'FailsOnce') {
    const { retry_count, remaining, message, errtype } = context.job.failure;
    tell(`FailsOnce after ${retry_count} ${remaining} ${errtype} ${message}`);
  }
});
worker.on('fail', ({ error }) => tell(`failed ${error.message}`));
const stop = worker.stop.bind(worker);
const stopped = new Promise((resolve) => {
  worker.stop = async () => {
    await stop();
    resolve();
  };
});

let producer;
const commands = {
  async push(type, queue, retry, ...args) {
    const job = producer.job(type, ...args.map((arg) => JSON.parse(arg)));
    job.queue = queue;
    job.retry = Number(retry);
    job.custom = { from: 'peer' };
    await job.push();
    return job.jid.length > 7 ? 'pushed' : job.jid;
  },
  async bulk(type, count) {
    const jobs = Array.from({ length: Number(count) }, (_, i) => producer.job(type, i));
    return Object.keys(await producer.pushBulk(jobs)).length;
  },
  async later(type) {
    const job = producer.job(type);
    job.at = new Date(Date.now() + 24 * 3600 * 1000);
    await job.push();
    return 'pushed';
  },
  async work() {
    await worker.work();
    return 'works';
  },
  async wait(count) {
    while (happened.length < Number(count)) await new Promise((resolve) => (onHappened = resolve));
    return happened.splice(0, Number(count)).join('; ');
  },
  async requeue() {
    await producer.retries.requeue();
    await producer.dead.requeue();
    return 'requeued';
  },
  async info() {
    const { faktory } = await producer.info();
    return JSON.stringify(faktory.sets);
  },
  async stopped() {
    await stopped;
    return 'stopped';
  },
  async close() {
    await producer.close();
    return 'closed';
  },
};

async function main() {
  console.log(`faktory-worker ${require(folder + '/package.json').version}`);
  const lines = require('readline').createInterface({ input: process.stdin });
  for await (const line of lines) {
    const [name, ...words] = line.split(' ');
    try {
      if (name === 'connect') {
        producer = await faktory.connect(server);
        console.log('connected');
      } else {
        console.log(String(await commands[name](...words)));
      }
    } catch (error) {
      console.log(`? ${error.message}`);
    }
  }
  process.exit(0);
}
main();
