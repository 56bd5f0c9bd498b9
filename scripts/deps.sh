#!/bin/sh
# Installs the Debian packages that building (`build`), testing (`test`), living a host's life (`soak`), packaging
# (`deb`), booting an old kernel (`kernel`) or measuring (`bench`, and `bench-quick` alone) needs, where they are missing.
set -eu

build="pkg-config libsystemd-dev libsqlite3-dev libcurl4-openssl-dev"
deb="dpkg-dev binutils"
test="docker.io containerd podman buildah busybox-static debootstrap curl ca-certificates e2fsprogs xfsprogs btrfs-progs"
test="$test lintian mandoc systemd-container prometheus-alertmanager"
soak="curl util-linux"
kernel="curl qemu-system-x86 busybox-static cpio e2fsprogs"
quick="binutils strace valgrind"
bench="$quick docker.io containerd gdu ncdu e2fsprogs"

case "${1:-}" in
build) wanted=$build ;;
test) wanted="$build $deb $test" ;;
soak) wanted="$build $soak" ;;
deb) wanted="$build $deb" ;;
kernel) wanted="$build $kernel" ;;
bench) wanted="$build $bench" ;;
bench-quick) wanted="$build $quick" ;;
*)
    echo "usage: $0 build|test|soak|deb|kernel|bench|bench-quick" >&2
    exit 2
    ;;
esac

missing=
for package in $wanted; do
    # A client and an engine from elsewhere (Docker's own packages) serve as well.
    if [ "$package" = docker.io ] && command -v dockerd >/dev/null && command -v docker >/dev/null; then
        continue
    fi
    # Docker's own packages bring containerd under another name.
    if [ "$package" = containerd ] && command -v containerd >/dev/null && command -v ctr >/dev/null; then
        continue
    fi
    case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)" in
    *" installed") ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

# Since Debian 13 the client is a package of its own, which docker.io only recommends.
case "$missing" in
*docker.io*) if apt-cache show docker-cli >/dev/null 2>&1; then missing="$missing docker-cli"; fi ;;
esac

sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "$0: missing packages:$missing; install them as root, or install sudo" >&2
        exit 1
    }
    sudo=sudo
fi
echo "installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_missing() {
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y $missing
}
if ! { $sudo apt-get -qq update && install_missing; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
