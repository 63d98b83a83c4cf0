#!/bin/sh
# Messages per second through a quorum queue of RabbitMQ: published, delivered and acknowledged.
#   rabbitmq.sh FOLDER PORT IN_FLIGHT SECONDS
#   rabbitmq.sh FOLDER PORT 1 COUNT idle    microseconds from publishing to delivery, p50
set -eu
here=$(dirname "$(readlink -f "$0")")
folder=$1 port=$2
modules=$here/../../build/bench_npm
server=$(ls /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server)
mkdir -p "$folder" "$modules"
[ -d "$modules/node_modules/amqplib" ] ||
  npm install --silent --prefix "$modules" amqplib@0.10 >/dev/null
export HOME="$folder" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((port + 1))
export RABBITMQ_NODENAME="almanac-bench-$port@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
export RABBITMQ_NODE_PORT="$port" RABBITMQ_DIST_PORT=$((port + 2))
export RABBITMQ_MNESIA_BASE="$folder" RABBITMQ_LOG_BASE="$folder"
export RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins"
export RABBITMQ_CONFIG_FILE="$folder/none" RABBITMQ_PID_FILE="$folder/pid"
"$server" >"$folder/out" 2>&1 &
trap 'kill "$(cat "$folder/pid")"; wait; epmd -port "$ERL_EPMD_PORT" -kill >/dev/null 2>&1 || true' EXIT
NODE_PATH=$modules/node_modules node "$here/rabbitmq.js" "$port" "$3" "$4" "${5:-rate}"
