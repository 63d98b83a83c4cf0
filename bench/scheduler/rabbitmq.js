// Keeps so many messages in flight: each that is acknowledged has the next one published. A quorum
// queue delivers what its log has synced.
const amqp = require("amqplib");

const [port, inFlight, seconds] = process.argv.slice(2).map(Number);
const queue = "nothing";

async function connect(triesLeft) {
  try {
    return await amqp.connect(`amqp://127.0.0.1:${port}`);
  } catch (error) {
    if (triesLeft === 0) throw error;
    await new Promise((later) => setTimeout(later, 500)); // until it listens
    return connect(triesLeft - 1);
  }
}

// One message after the other: how long until a waiting consumer has it.
async function measureIdle(channel) {
  const times = [];
  let begun;
  let ended;
  await channel.consume(queue, (message) => {
    times.push(process.hrtime.bigint() - begun);
    channel.ack(message);
    ended();
  });
  for (let i = 0; i < seconds; ++i) {
    const end = new Promise((resolve) => (ended = resolve));
    begun = process.hrtime.bigint();
    channel.sendToQueue(queue, Buffer.from("nothing"), { persistent: true });
    await end;
  }
  times.sort((a, b) => (a < b ? -1 : 1));
  console.log(Number(times[times.length >> 1]) / 1000);
  process.exit(0);
}

async function main() {
  const connection = await connect(120);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.prefetch(inFlight);
  if (process.argv[5] === "idle") return measureIdle(channel);
  const publish = () => channel.sendToQueue(queue, Buffer.from("nothing"), { persistent: true });
  let done = 0;
  await channel.consume(queue, (message) => {
    channel.ack(message);
    ++done;
    publish();
  });
  const began = Date.now();
  for (let i = 0; i < inFlight; ++i) publish();
  setTimeout(() => {
    console.log(done / ((Date.now() - began) / 1000));
    process.exit(0);
  }, seconds * 1000);
}

main();
