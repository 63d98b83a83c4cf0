#!/bin/sh
# Jobs per second through BullMQ on a Redis that syncs every write.
#   bullmq.sh FOLDER PORT IN_FLIGHT SECONDS
#   bullmq.sh FOLDER PORT 1 COUNT idle      microseconds from adding a job to its start, p50
set -eu
here=$(dirname "$(readlink -f "$0")")
folder=$1 port=$2
modules=$here/../../build/bench_npm
mkdir -p "$folder" "$modules"
[ -d "$modules/node_modules/bullmq" ] ||
  npm install --silent --prefix "$modules" bullmq@5 >/dev/null
redis-server --port "$port" --dir "$folder" --save '' --appendonly yes --appendfsync always \
  --maxmemory-policy noeviction >/dev/null &
trap 'kill $!' EXIT
NODE_PATH=$modules/node_modules node "$here/bullmq.js" "$port" "$3" "$4" "${5:-rate}"
