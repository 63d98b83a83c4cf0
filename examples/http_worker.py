# A worker in another process, in Python's standard library alone: it leases tasks of kind "greet",
# says while it works that it lives, and tells what each has come to.
#
#   python3 examples/http_worker.py work/daemon/http.sock [TASKS]
import http.client, json, socket, sys, threading


class Almanac(http.client.HTTPConnection):  # over the daemon's Unix socket
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])

    def post(self, path, **members):
        self.request("POST", path, json.dumps(members), {"Content-Type": "application/json"})
        answer = self.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(json.loads(text)["detail"])
        return json.loads(text) if text else None


def beat(lease, done):  # three times in each lease time
    daemon = Almanac("localhost")
    while not done.wait(10):
        daemon.post("/v1/leases/heartbeat", leases=[lease])


def work(task):
    return "Hello, " + task["payload"] + "!"


daemon = Almanac("localhost")
left = int(sys.argv[2]) if len(sys.argv) > 2 else -1
while left != 0:
    for task in daemon.post("/v1/leases", worker="greeter", kinds=["greet"], lease_time="30s")["tasks"]:
        lease, done = {"task": task["task"], "token": task["token"]}, threading.Event()
        threading.Thread(target=beat, args=(lease, done), daemon=True).start()
        try:
            daemon.post("/v1/leases/result", **lease, result=work(task))
        except Exception as error:
            daemon.post("/v1/leases/result", **lease, outcome="failure", message=str(error))
        done.set()
        left -= 1
