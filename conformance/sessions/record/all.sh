#!/usr/bin/env bash
# Records every session anew: each client at its ordinary work, against a memcached of its own.
#
# Needs memcached-1.6.45 or another in MEMCACHED, touchstone in TOUCHSTONE, libmemcached-tools, and
#   pip install pymemcache pylibmc python-memcached aiomcache
#   npm install memcached
# in the Python of PYTHON and beside the Node of this folder.
set -euo pipefail
cd "$(dirname "$0")"
memcached=${MEMCACHED:-memcached-1.6.45}
touchstone=${TOUCHSTONE:-touchstone}
python=${PYTHON:-python3}
port=${PORT:-21811}

wait_for() {
    for _ in $(seq 100); do
        # A connection would be a client; only its listening is looked for.
        if ss -Hltn "sport = :$1" | grep -q .; then return; fi
        sleep 0.05
    done
    echo "nobody listens on port $1" >&2
    exit 1
}

# record NAME 'what it is' COMMAND...
record() {
    local name=$1 what=$2
    shift 2
    "$memcached" -u root -l 127.0.0.1 -p "$port" -t 2 &
    local server=$!
    wait_for "$port"
    rm -f "../$name.exchange"
    "$touchstone" record --fresh --listen "127.0.0.1:$((port + 1))" \
        --upstream "127.0.0.1:$port" --dialect memcached-1.6.45 "../$name.exchange" &
    local recorder=$!
    wait_for "$((port + 1))"
    HOST=127.0.0.1 PORT=$((port + 1)) "$@"
    kill -INT "$recorder"
    wait "$recorder"
    kill "$server"
    wait "$server" || true
    sed -i "1i # $what, recorded by record/$(basename "${*: -1}")." "../$name.exchange"
    chmod 644 "../$name.exchange"
}

version() { "$python" -c "import importlib.metadata as m; print('$1', m.version('$1'))"; }

record pymemcache "$(version pymemcache)" "$python" pymemcache_client.py
record pylibmc "$(version pylibmc), over libmemcached" "$python" pylibmc_client.py
record python_memcached "$(version python-memcached)" "$python" python_memcached_client.py
record aiomcache "$(version aiomcache)" "$python" aiomcache_client.py
record libmemcached_tools "the tools of $(memcstat --version | sed -n '1s/.*(\(.*\)).*/\1/p')" ./libmemcached_tools.sh
record memcached_npm "memcached 2.2.2 of npm" node memcached_client.mjs
