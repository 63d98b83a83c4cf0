// Keeps so many jobs in flight: each that is done adds another one.
const { Queue, Worker } = require("bullmq");

const [port, inFlight, seconds] = process.argv.slice(2).map(Number);
const connection = { host: "127.0.0.1", port };

// One job after the other: how long until a waiting worker has it.
async function measureIdle(queue, options) {
  const times = [];
  let begun;
  let ended;
  const worker = new Worker("nothing", async () => times.push(process.hrtime.bigint() - begun), {
    connection,
  });
  await worker.waitUntilReady();
  worker.on("completed", () => ended());
  for (let i = 0; i < seconds; ++i) {
    const end = new Promise((resolve) => (ended = resolve));
    begun = process.hrtime.bigint();
    queue.add("job", {}, options);
    await end;
  }
  times.sort((a, b) => (a < b ? -1 : 1));
  console.log(Number(times[times.length >> 1]) / 1000);
  process.exit(0);
}

async function main() {
  const queue = new Queue("nothing", { connection });
  await queue.waitUntilReady();
  const options = { removeOnComplete: true };
  if (process.argv[5] === "idle") return measureIdle(queue, options);
  const worker = new Worker("nothing", async () => "done", { connection, concurrency: inFlight });
  await worker.waitUntilReady();
  let done = 0;
  worker.on("completed", () => {
    ++done;
    queue.add("job", {}, options);
  });
  const began = Date.now();
  for (let i = 0; i < inFlight; ++i) queue.add("job", {}, options);
  setTimeout(() => {
    console.log(done / ((Date.now() - began) / 1000));
    process.exit(0);
  }, seconds * 1000);
}

main();
