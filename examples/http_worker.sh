#!/bin/sh
# A worker in another process, of a shell and curl: it leases tasks of kind "greet", says while it
# works that it lives, and tells what each has come to. What is in quotes here must need none: for
# payloads with quotes or backslashes take jq in place of sed.
#
#   sh examples/http_worker.sh work/daemon/http.sock [TASKS]
set -eu
socket=$1 left=${2:--1}

post() { # path, members
  curl -sS --fail-with-body --unix-socket "$socket" -H Content-Type:application/json \
    "http://localhost$1" -d "{$2}"
}
text() { printf %s "$leased" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
number() { printf %s "$leased" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

beat() { # three times in each lease time
  while sleep 10; do post /v1/leases/heartbeat "\"leases\": [{$lease}]"; done
}

work() { echo "Hello, $1!"; }

while [ "$left" -ne 0 ]; do
  leased=$(post /v1/leases \
    '"worker": "greeter", "kinds": ["greet"], "tasks_max": 1, "lease_time": "30s"')
  [ -n "$(number task)" ] || continue # none in time
  lease="\"task\": $(number task), \"token\": \"$(text token)\""
  beat >/dev/null 2>&1 &
  if result=$(work "$(text payload)"); then told="\"result\": \"$result\""; else told='"outcome": "failure"'; fi
  kill $!
  post /v1/leases/result "$lease, $told"
  left=$((left - 1))
done
