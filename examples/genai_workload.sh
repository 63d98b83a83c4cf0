#!/bin/sh
# Makes a workload of recorded image-generation requests (genai_requests.csv of the public Alibaba
# trace v2026-GenAI): one task for each request, in order of arrival, in the queue of its kind,
# tagged with its model. What failed in the trace fails on its first attempt here and then succeeds.
#
#   examples/genai_workload.sh genai_requests.csv 100 | almanac run - --dir build/genai
set -eu
export LC_ALL=C

usage() {
  cat >&2 <<'END'
usage: genai_workload.sh REQUESTS.csv [COUNT]
  Prints a workload in JSON Lines for almanac: all requests, or the first COUNT to arrive.
END
  exit 2
}

fail() {
  echo "genai_workload.sh: $*" >&2
  exit 1
}

[ $# -eq 1 ] || [ $# -eq 2 ] || usage
requests=$1
count=${2:-0}
case $count in *[!0-9]*) usage ;; esac
[ $# -eq 1 ] || [ "$count" -gt 0 ] || usage
if [ ! -f "$requests" ] || [ ! -r "$requests" ]; then fail "cannot read '$requests'"; fi

# The number of the column with this heading.
column() {
  awk -F, -v heading="$1" '
    { sub(/\r$/, ""); for (i = 1; i <= NF; ++i) if ($i == heading) { print i; found = 1 } exit }
    END { exit !found }' "$requests" || fail "'$requests' has no column '$1'"
}
arrival=$(column gmt_create)
kind=$(column predict_type)
status=$(column predict_status)
model=$(column checkpoint_model_version_id)

# Rows are not in order of arrival; those that arrived in the same second keep the file's order.
awk -F, -v OFS=, -v arrival="$arrival" -v kind="$kind" -v status="$status" -v model="$model" '
  { sub(/\r$/, "") }
  NR > 1 && NF { print $arrival, $kind, $status, $model }' "$requests" |
sort -s -t, -k1,1 |
awk -F, -v count="$count" '
  function quoted(text) {
    gsub(/\\/, "\\\\&", text)
    gsub(/"/, "\\\"", text)
    return "\"" text "\""
  }
  BEGIN { print "{\"workload\":{\"name\":\"genai_requests\"}}" }
  count && NR > count { next }
  {
    printf "{\"name\":\"request-%d\",\"queue\":%s", NR, quoted($2)
    if ($3 == "FAILED")
      printf ",\"shell\":%s,\"attempts\":3,\"backoff\":\"10ms\",\"backoff_max\":\"50ms\"",
             quoted("test \"$ALMANAC_ATTEMPT\" -gt 1")
    else
      printf ",\"command\":[\"/bin/true\"]"
    if ($4 != "") printf ",\"tags\":[%s]", quoted($4)
    print "}"
  }'
