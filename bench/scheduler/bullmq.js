// Keeps so many jobs in flight: each that is done adds another one.
const { Queue, Worker } = require("bullmq");

const [port, inFlight, seconds] = process.argv.slice(2).map(Number);
const connection = { host: "127.0.0.1", port };

async function main() {
  const queue = new Queue("nothing", { connection });
  await queue.waitUntilReady();
  const options = { removeOnComplete: true };
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
