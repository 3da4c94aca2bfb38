#!/usr/bin/env bash
# Calls every route of a running API with what its own OpenAPI document allows and forbids, and fails on any 5xx.
# It changes things: only for a demo. Needs python3; installs schemathesis into a folder of its own.
#   scripts/fuzz-api.sh [SECONDS]        (a home that runs: DURASYNC_HOME, .durasync by default)
set -euo pipefail
seconds="${1:-60}"
home="${DURASYNC_HOME:-.durasync}"
tools="$home/cache/schemathesis"
[ -x "$tools/bin/st" ] || { python3 -m venv "$tools" && "$tools/bin/pip" install -q schemathesis==4.32.5; }
url="$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).apiUrl' "$home/runtime.json")"
exec "$tools/bin/st" run "$url/openapi.json" --header "Authorization: Bearer $(cat "$home/admin-token")" \
  --rate-limit 9/s --checks not_a_server_error --phases examples,coverage,fuzzing --max-time "$seconds" --request-timeout 20 \
  --exclude-path /api/events
