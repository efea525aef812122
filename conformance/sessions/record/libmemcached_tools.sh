#!/bin/sh
# The command-line tools of libmemcached, in text: each is a client of its own.
set -eu
server="$HOST:$PORT"
files=$(mktemp -d)
trap 'rm -r "$files"' EXIT
cd "$files"
printf 'the first file\n' >first
printf 'second\r\n' >second
memcping --servers="$server"
memccp --servers="$server" --flags=3 first second
memccat --servers="$server" first second >seen
cat first second | tr -d '\r\n' >expected
tr -d '\r\n' <seen | cmp - expected
memcexist --servers="$server" first
! memcexist --servers="$server" third
memctouch --servers="$server" --expire=100 first
memcstat --servers="$server" >/dev/null
memcrm --servers="$server" second
! memccat --servers="$server" second 2>/dev/null
memcflush --servers="$server"
! memcexist --servers="$server" first
