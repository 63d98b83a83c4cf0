#!/bin/sh
# Makes a log of recorded image-generation requests (genai_requests.csv of the public Alibaba trace
# v2026-GenAI) as an engine would have written it then: each request a task, enqueued and started
# when it arrived, in the queue of its kind, tagged with its model and its user group, and ended when
# and as it did. docs/guides/time-travel.md looks into it.
#
#   examples/genai_log.sh genai_requests.csv | almanac log import - --dir build/requests
set -eu
export LC_ALL=C TZ=UTC

if [ $# -ne 1 ] || [ ! -r "$1" ]; then
  echo "usage: genai_log.sh REQUESTS.csv" >&2
  exit 2
fi

# 1. rows in order of arrival  2. a line for each event: second, 0 to 2, task …  3. in order of time,
# ends before beginnings  4. as JSON; a start's position is its lease
tail -n +2 "$1" | tr -d '\r' | sort -s -t, -k1,1 |
awk -F, -v OFS=, '
  {
    second = $1; gsub(/[-:]/, " ", second); second = mktime(second)
    print second, 1, NR, $2, $10, $5
    if ($3 != "PENDING") print second, 2, NR
    if ($3 == "SUCCEED" || $3 == "FAILED") print second + int($4), 0 + (int($4) < 1) * 3, NR, $3
  }' |
sort -s -t, -k1,1n -k2,2n |
awk -F, '
  function event(type, fields) {
    hour = int($1 / 3600)
    lines[++count] = sprintf("{\"position\":%d%s,\"time\":\"%s\",\"type\":\"%s\"%s}", count,
                             hour == last_hour ? "" : ",\"frame\":true",
                             strftime("%Y-%m-%dT%H:%M:%S.000000Z", $1), type, fields)
    last_hour = hour
  }
  NR == 1 { event("EngineStarted", ",\"version\":\"0.1.0\",\"process\":1,\"slots\":1000") }
  $2 == 1 {
    event("TaskEnqueued", sprintf(",\"task\":%d,\"label\":\"request-%d\",\"kind\":\"generate\"," \
          "\"queue\":\"%s\",\"attempts_max\":1,\"tags\":[\"%s\",\"%s\"]", $3, $3, $4, $5, $6))
  }
  $2 == 2 {
    event("TaskStarted", ",\"task\":" $3 ",\"attempt\":1")
    lease[$3] = count
  }
  $4 == "SUCCEED" {
    event("TaskSucceeded", ",\"task\":" $3 ",\"lease\":" lease[$3] ",\"status\":\"succeeded\"")
  }
  $4 == "FAILED" {
    event("TaskFailed", ",\"task\":" $3 ",\"lease\":" lease[$3] ",\"status\":\"error\"")
  }
  END {
    printf "{\"almanac\":\"log\",\"format\":1,\"timeline\":\"%032d\",\"events\":%d}\n", 1, count
    for (i = 1; i <= count; ++i) print lines[i]
  }'
