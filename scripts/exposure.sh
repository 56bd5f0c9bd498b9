#!/bin/sh
# Prints the exposure that systemd sees in usaged's units, with each optional drop-in, and in those of programs that
# one runs beside it, as Debian packages them: exposure.sh [--own]
#
#   --own   usaged's alone; otherwise packages that are not installed are downloaded to read their units.
set -eu
export LC_ALL=C

cd "$(dirname "$0")/.."
others=yes
case "${1:-}" in
'') ;;
--own) others= ;;
*)
    echo "usage: $0 [--own]" >&2
    exit 2
    ;;
esac
command -v systemd-analyze >/dev/null || {
    echo "exposure: systemd-analyze is missing; it comes with systemd" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# row TITLE UNIT-FILE
row() {
    said=$(systemd-analyze security --offline=true --no-pager "$2" 2>"$work/errors" |
        sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]* [A-Z]*\).*/\1/p')
    [ -n "$said" ] || {
        cat "$work/errors" >&2
        exit 1
    }
    printf '%-60s %4s  %s\n' "$1" "${said% *}" "${said#* }"
}

printf '%-60s %s\n' "unit" "exposure, 0 (best) to 10"
for unit in systemd/*.service; do
    name=${unit##*/}
    mkdir -p "$work/$name.alone"
    cp "$unit" "$work/$name.alone/"
    row "$name" "$work/$name.alone/$name"
done
for dropin in systemd/*.conf; do
    place=$work/${dropin##*/}
    mkdir -p "$place/usaged.service.d"
    cp systemd/usaged.service "$place/"
    cp "$dropin" "$place/usaged.service.d/"
    row "usaged.service with ${dropin##*/}" "$place/usaged.service"
done
[ -n "$others" ] || exit 0

for line in prometheus-node-exporter:prometheus-node-exporter containerd:containerd docker.io:docker; do
    package=${line%:*} name=${line#*:}.service root=
    # Of the package, not what an operator made of it.
    if ! dpkg -L "$package" >/dev/null 2>&1; then
        root=$work/$package
        mkdir "$root"
        (cd "$root" && apt-get -qq download "$package" >/dev/null 2>&1 && dpkg -x ./*.deb .) || {
            echo "$name ($package cannot be downloaded)"
            continue
        }
    fi
    for place in "$root/usr/lib/systemd/system/$name" "$root/lib/systemd/system/$name"; do
        if [ -f "$place" ]; then
            mkdir "$work/$name"
            cp "$place" "$work/$name/"
            row "$name ($package)" "$work/$name/$name"
            break
        fi
    done
done
