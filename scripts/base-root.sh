#!/bin/sh
# Writes a minimal Debian root as a tar file, for importing as a base image: base-root.sh OUT.tar [PACKAGE...]
#
# It is of this host's release and installs from the mirror and through the proxy that this host uses, so that
# `apt-get` works in a build of it. The packages are in it beside the essential ones. An OUT.tar that is already
# there is kept.
set -eu

out=${1:?usage: base-root.sh OUT.tar [PACKAGE...]}
shift
include=ca-certificates$(printf ',%s' "$@")
[ ! -s "$out" ] || exit 0

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || {
    echo "$0: /etc/os-release names no VERSION_CODENAME; Debian is needed" >&2
    exit 1
}

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/usaged-base.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"

# The host's own Debian archive: the first one that names the release.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n -e 's/^deb  *\(\[[^]]*\]  *\)\{0,1\}\([^ ]*\).*/\2/p' -e 's/^URIs: *\([^ ]*\).*/\1/p' |
    grep -v -e security -e updates | grep -m 1 '/debian/\{0,1\}$' || echo http://deb.debian.org/debian)

eval "$(apt-config shell proxy Acquire::http::Proxy)"
if [ -n "${proxy:-}" ] && [ "$proxy" != DIRECT ]; then
    http_proxy=$proxy
    export http_proxy
fi

if ! debootstrap --variant=minbase --include="${include%,}" "$codename" "$root" "$mirror" >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    exit 1
fi

# Only Debian's own sources: others may need keys or certificates that the root lacks.
rm -f "$root"/etc/apt/sources.list
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -f "$file" ] && grep -q '^[^#]*/debian' "$file" && ! grep '^[^#]*://' "$file" | grep -qv '/debian'; then
        cp "$file" "$root/etc/apt/${file#/etc/apt/}"
    fi
done
apt-config dump Acquire | grep -e '^Acquire::[a-z]*::Proxy' -e '^Acquire::Check-' >"$root/etc/apt/apt.conf.d/90host" || true

rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar --numeric-owner --one-file-system -C "$root" -cf "$work/root.tar" .
# The name appears with whole content or not at all.
cp "$work/root.tar" "$out.$$"
mv "$out.$$" "$out"
