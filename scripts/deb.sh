#!/bin/sh
# Builds the Debian package of executables that are there, and prints its path and size:
#   deb.sh [--toolchain-runtime] --binaries DIR --output DIR
#
#   --toolchain-runtime   the executables load the Swift runtime from a toolchain, as those of a debug build do. The
#                         package depends on nothing for it, and is good for tests alone.
#   SOURCE_DATE_EPOCH     the time of its files, in seconds since 1970; that of the last commit otherwise.
#   DEBEMAIL, DEBFULLNAME the maintainer; that of packaging/debian/control otherwise.
#
# The same executables make the same package, byte for byte, with the same versions of the tools.
set -eu
umask 022
export LC_ALL=C TZ=UTC

die() {
    echo "deb: $*" >&2
    exit 1
}
usage() {
    echo "usage: $0 [--toolchain-runtime] --binaries DIR --output DIR" >&2
    exit 2
}

binaries= output= runtime=linked
while [ $# -gt 0 ]; do
    case "$1" in
    --binaries | --output)
        [ $# -ge 2 ] || usage
        if [ "$1" = --binaries ]; then binaries=$2; else output=$2; fi
        shift 2
        ;;
    --toolchain-runtime)
        runtime=toolchain
        shift
        ;;
    *) usage ;;
    esac
done
[ -n "$binaries" ] && [ -n "$output" ] || usage
binaries=$(cd "$binaries" && pwd)
mkdir -p "$output"
output=$(cd "$output" && pwd)
cd "$(dirname "$0")/.."

for program in dpkg-deb dpkg-shlibdeps dpkg-gencontrol dpkg-parsechangelog strip; do
    command -v "$program" >/dev/null || die "$program is missing; run: scripts/deps.sh deb"
done
for name in usaged usage-client usaged-notify; do
    [ -x "$binaries/$name" ] || die "$binaries/$name is missing; run: make build"
done

source=packaging/debian
version=$(dpkg-parsechangelog -l "$source/changelog" -S Version)
for name in usaged usage-client; do
    said=$("$binaries/$name" --version)
    [ "${said##* }" = "${version%-*}" ] || die "$source/changelog is about $version, and $binaries/$name says $said"
done
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null ||
    dpkg-parsechangelog -l "$source/changelog" -S Timestamp)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d "${TMPDIR:-/var/tmp}/usaged-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/debian/usaged
mkdir -p "$tree/DEBIAN"

BINARIES=$binaries PREFIX=/usr DESTDIR=$tree scripts/install.sh install

doc=$tree/usr/share/doc/usaged
install -m 0644 "$source/copyright" "$doc/copyright"
gzip -9 -n -c "$source/changelog" >"$doc/changelog.Debian.gz"
# Debian has the text once for all.
ln -sf ../../common-licenses/Apache-2.0 "$doc/LICENSE"
if [ -f "$source/lintian-overrides" ]; then
    install -D -m 0644 "$source/lintian-overrides" "$tree/usr/share/lintian/overrides/usaged"
fi

units=$(cd systemd && echo *.service *.socket)
default_units=$(sed -n 's/^enable //p' systemd/usaged.preset | tr '\n' ' ')
for script in postinst prerm postrm; do
    sed -e "s/@UNITS@/$units/" -e "s/@DEFAULT_UNITS@/${default_units% }/" "$source/$script" >"$tree/DEBIAN/$script"
    chmod 0755 "$tree/DEBIAN/$script"
done
(cd "$tree" && find etc -type f | sort | sed 's|^|/|') >"$tree/DEBIAN/conffiles"
(cd "$tree" && find usr -type f | sort | xargs -d '\n' md5sum) >"$tree/DEBIAN/md5sums"

# Both tools look for debian/control where they are run.
cp "$source/control" "$source/changelog" "$work/debian/"
if [ -n "${DEBEMAIL:-}" ]; then
    sed -i "s|^Maintainer: .*|Maintainer: ${DEBFULLNAME:-usaged maintainers} <$DEBEMAIL>|" "$work/debian/control"
fi
missing=
if [ "$runtime" = toolchain ]; then missing=--ignore-missing-info; fi
(
    cd "$work"
    # shellcheck disable=SC2086
    dpkg-shlibdeps $missing -Tdebian/substvars debian/usaged/usr/sbin/usaged \
        debian/usaged/usr/bin/usage-client debian/usaged/usr/libexec/usaged-notify
    dpkg-gencontrol -pusaged -Tdebian/substvars -fdebian/files -Pdebian/usaged
) >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "no control file; were the executables built by make build?"
}

package=$(sed -n '1s/ .*//p' "$work/debian/files")
# A package of the same name may be being read.
dpkg-deb --root-owner-group --build "$tree" "$work/$package" >/dev/null
mv "$work/$package" "$output/.$package.$$"
mv "$output/.$package.$$" "$output/$package"
printf '%s  %s bytes\n' "$output/$package" "$(stat -c %s "$output/$package")"
