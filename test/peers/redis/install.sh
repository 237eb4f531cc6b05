#!/usr/bin/env bash
# Prints the path of redis-server, 6.2 or newer. Where there is none it comes from Debian: installed as root, else
# unpacked under $PEERS_HOME, which changes nothing in the system.
set -euo pipefail
PEERS_HOME=${PEERS_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla-peers}
place=$PEERS_HOME/redis
if command -v redis-server; then exit 0; fi
if [ -x "$place/redis-server" ]; then echo "$place/redis-server"; exit 0; fi
if [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server; } > /dev/null
  command -v redis-server
  exit 0
fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mapfile -t packages < <(apt-get -s --no-install-recommends install redis-server redis-tools | awk '/^Inst /{print $2}')
(cd "$work" && apt-get -q download "${packages[@]}" && for each in *.deb; do dpkg-deb -x "$each" root; done) >&2
mkdir -p "$place/lib"
find "$work/root" -name '*.so*' -exec cp -P {} "$place/lib/" \;
cp "$work"/root/usr/bin/redis-check-rdb "$place/redis-server.bin"
printf '#!/bin/sh\nLD_LIBRARY_PATH=%s/lib exec %s/redis-server.bin "$@"\n' "$place" "$place" > "$place/redis-server"
chmod +x "$place/redis-server"
echo "$place/redis-server"
