// A worker in another process, in Node without packages: it leases tasks of kind "greet", says while
// it works that it lives, and tells what each has come to.
//
//   node examples/http_worker.mjs work/daemon/http.sock [TASKS]
// [guide]
import http from "node:http";

const [socketPath, tasks = "-1"] = process.argv.slice(2);
const headers = { "Content-Type": "application/json" };

function post(path, members) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path, method: "POST", headers }, async (answer) => {
      let text = "";
      for await (const part of answer.setEncoding("utf8")) text += part;
      const json = text ? JSON.parse(text) : null;
      answer.statusCode < 400 ? resolve(json) : reject(new Error(json.detail));
    });
    request.on("error", reject).end(JSON.stringify(members));
  });
}

async function work(task) {
  return `Hello, ${task.payload}!`;
}

async function run(task) {
  const lease = { task: task.task, token: task.token };
  const beat = () => post("/v1/leases/heartbeat", { leases: [lease] }).catch(console.error);
  const beating = setInterval(beat, 10_000); // three times in each lease time
  try {
    await post("/v1/leases/result", { ...lease, result: await work(task) });
  } catch (error) {
    await post("/v1/leases/result", { ...lease, outcome: "failure", message: String(error) });
  } finally {
    clearInterval(beating);
  }
}

for (let left = Number(tasks); left !== 0; ) {
  const wanted = { worker: "greeter", kinds: ["greet"], lease_time: "30s" };
  for (const task of (await post("/v1/leases", wanted)).tasks) {
    await run(task);
    left -= 1;
  }
}
// [guide]
