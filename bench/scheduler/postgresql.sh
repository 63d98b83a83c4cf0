#!/bin/sh
# Jobs per second through a table of PostgreSQL, taken with FOR UPDATE SKIP LOCKED; each of the three
# steps commits for itself, and a commit waits for the disk.
#   postgresql.sh FOLDER PORT IN_FLIGHT SECONDS
set -eu
folder=$1 port=$2 clients=$3 seconds=$(echo "$4" | awk '{ print int($1 + 0.999) }')
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
run() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
mkdir -p "$folder"
if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; fi
trap 'run "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1' EXIT
run "$bin/initdb" -D "$folder/data" -A trust >/dev/null
run "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" start \
  -o "-p $port -k $folder -c listen_addresses= -c max_connections=$((clients + 10)) \
      -c fsync=on -c synchronous_commit=on" >/dev/null
run "$bin/psql" -q -h "$folder" -p "$port" postgres -c "
  CREATE TABLE job (id bigserial PRIMARY KEY, state text NOT NULL, payload text);
  CREATE INDEX ready ON job (id) WHERE state = 'ready'"
cat >"$folder/job.sql" <<'END'
INSERT INTO job (state, payload) VALUES ('ready', 'nothing');
UPDATE job SET state = 'running' WHERE id = (SELECT id FROM job WHERE state = 'ready'
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id \gset
UPDATE job SET state = 'done' WHERE id = :id;
END
run "$bin/pgbench" -h "$folder" -p "$port" -n -c "$clients" -j 2 -T "$seconds" \
  -f "$folder/job.sql" postgres | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
