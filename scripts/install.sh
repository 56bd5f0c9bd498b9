#!/bin/sh
# Puts what was built where the system looks for it, or removes that again: install.sh install|uninstall
#
#   BINARIES   where the executables are; .build/release otherwise.
#   PREFIX     /usr otherwise. What names a place below /usr is rewritten for another one.
#   DESTDIR    a directory that stands for the root of the system; none otherwise.
set -eu
umask 022

cd "$(dirname "$0")/.."
action=${1:-}
case "$action" in
install | uninstall) ;;
*)
    echo "usage: $0 install|uninstall" >&2
    exit 2
    ;;
esac
binaries=${BINARIES:-.build/release}
prefix=${PREFIX:-/usr}
destdir=${DESTDIR:-}

if [ "$action" = install ]; then
    for name in usaged usage-client usaged-notify; do
        [ -x "$binaries/$name" ] || {
            echo "$0: there is no $binaries/$name; run: make build" >&2
            exit 1
        }
    done
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# put MODE FILE TARGET
put() {
    case "$action" in
    install) install -D -m "$1" "$2" "$destdir$3" ;;
    uninstall) rm -f "$destdir$3" ;;
    esac
}
# fill MODE TARGET COMMAND...: TARGET holds what the command prints.
fill() {
    mode=$1 target=$2
    shift 2
    if [ "$action" = install ]; then "$@" >"$work/text"; fi
    put "$mode" "$work/text" "$target"
}
# executable NAME DIRECTORY, stripped.
executable() {
    put 0755 "$binaries/$1" "$2/$1"
    if [ "$action" = install ]; then
        strip --strip-unneeded --remove-section=.comment --remove-section=.note "$destdir$2/$1"
    fi
}
# To be sourced, so without the line that names an interpreter.
bash_completion() {
    "$binaries/$1" --generate-completion-script bash | sed '1{/^#!/d}'
}
placed() {
    sed -e "s|/usr/sbin/usaged|$prefix/sbin/usaged|" -e "s|/usr/bin/usage-client|$prefix/bin/usage-client|" \
        -e "s|/usr/share/doc|$prefix/share/doc|" "$1"
}

# Another root's are not running here.
running=
if [ -z "$destdir" ] && [ -d /run/systemd/system ]; then running=yes; fi
# Before the files go, or nothing could stop them.
if [ "$action" = uninstall ] && [ -n "$running" ]; then
    for unit in systemd/*.service systemd/*.socket; do
        [ ! -e "$prefix/lib/systemd/system/${unit##*/}" ] || systemctl disable --now --quiet "${unit##*/}"
    done
fi

executable usaged "$prefix/sbin"
executable usage-client "$prefix/bin"
executable usaged-notify "$prefix/libexec"
for unit in systemd/*.service systemd/*.socket; do
    fill 0644 "$prefix/lib/systemd/system/${unit##*/}" placed "$unit"
done
put 0644 systemd/usaged.preset "$prefix/lib/systemd/system-preset/80-usaged.preset"
put 0644 systemd/usaged.sysusers "$prefix/lib/sysusers.d/usaged.conf"
fill 0644 "$prefix/lib/systemd/catalog/usaged.catalog" placed systemd/usaged.catalog

for page in Documentation/man/*.[1-8]; do
    fill 0644 "$prefix/share/man/man${page##*.}/${page##*/}.gz" gzip -9 -n -c "$page"
done
for name in usaged usage-client; do
    fill 0644 "$prefix/share/bash-completion/completions/$name" bash_completion "$name"
    fill 0644 "$prefix/share/zsh/vendor-completions/_$name" "$binaries/$name" --generate-completion-script zsh
    fill 0644 "$prefix/share/fish/vendor_completions.d/$name.fish" "$binaries/$name" --generate-completion-script fish
done

doc=$prefix/share/doc/usaged
for page in README.md CONTRIBUTING.md LICENSE Documentation/*.md etc/usaged/usaged.yaml; do
    put 0644 "$page" "$doc/$page"
done
for dropin in systemd/*.conf; do
    fill 0644 "$doc/$dropin" placed "$dropin"
done

case "$action" in
install)
    # One that is there may be changed.
    [ -e "$destdir/etc/usaged/usaged.yaml" ] || put 0644 etc/usaged/usaged.yaml /etc/usaged/usaged.yaml
    install -d -m 0755 "$destdir/etc/usaged/conf.d"
    ;;
uninstall)
    if [ -n "$running" ]; then
        systemctl daemon-reload
        rm -rf /run/usaged
    fi
    if [ -d "$destdir$doc" ]; then find "$destdir$doc" -depth -type d -empty -delete; fi
    for left in "$destdir/etc/usaged" "$destdir/var/lib/usaged"; do
        [ ! -d "$left" ] || echo "left: $left"
    done
    ;;
esac
