#!/bin/bash
# Measures usaged beside du on a generated store. `make bench` builds first; it takes less than a minute after that.
#
#   FILES=NUMBER   files in the container's upper directory; 100000 otherwise. They are symbolic links, see below.
#   TMPDIR         where the store is made; /var/tmp otherwise.
#   BIN            where the executables are; .build/release otherwise.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "$0")/.."
bin=$(cd "${BIN:-.build/release}" && pwd)
files=${FILES:-100000}
runs=5 requests=50

die() {
    echo "bench: $*" >&2
    exit 1
}

for name in usaged usage-client demo-store; do
    [[ -x $bin/$name ]] || die "$bin/$name is missing; run: make build"
done
[[ $files =~ ^[0-9]+$ ]] && ((files >= 1000 && files % 1000 == 0)) || die "FILES=$files is no multiple of 1000"

daemon= work=
stop() {
    [[ -n $daemon ]] || return 0
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" || true
    daemon=
}
finish() {
    status=$?
    trap '' INT TERM HUP PIPE
    stop
    if ((status == 1)) && [[ -s $work/usaged.log ]]; then tail -n 20 "$work/usaged.log" >&2; fi
    [[ -z $work ]] || rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'exit 141' PIPE

work=$(mktemp -d "${TMPDIR:-/var/tmp}/usaged-bench.XXXXXX")
store=$work/docker
export USAGED_SOCKET=$work/usaged.sock
: >"$work/usaged.yaml"
daemon_command=("$bin/usaged" --config "$work/usaged.yaml" --socket "$USAGED_SOCKET" --state "$work/state"
    --store "docker=$store")
status_command=("$bin/usage-client" status)
du_command=(du -s "$store/overlay2")

now() { echo "${EPOCHREALTIME/./}"; } # microseconds

# The middle one of the numbers, one a line.
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
milliseconds() { awk -v us="$1" 'BEGIN { printf "%.1f ms", us / 1000 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }

# Starts the daemon, and sets `took` to the microseconds until an answer was exact.
start() {
    local begin deadline=$((SECONDS + 60)) answer
    rm -f "$USAGED_SOCKET"
    begin=${EPOCHREALTIME/./}
    "${daemon_command[@]}" >"$work/usaged.log" 2>&1 &
    daemon=$!
    while :; do
        if [[ -S $USAGED_SOCKET ]] && answer=$("${status_command[@]}" --json 2>/dev/null) &&
            [[ $answer == *'"exact":true'* ]]; then break; fi
        ((SECONDS < deadline)) || die "usaged was not exact within 60 s"
        kill -0 "$daemon" 2>/dev/null || die "usaged has ended"
        sleep 0.002
    done
    took=$((${EPOCHREALTIME/./} - begin))
}
measure_du() {
    local begin=${EPOCHREALTIME/./}
    "${du_command[@]}" >/dev/null
    took=$((${EPOCHREALTIME/./} - begin))
}

"$bin/demo-store" build "$store"
upper=$("$bin/demo-store" container "$store" bench zigiweb)
# Regular files that were written within the last 320 s are looked at again for each answer, because a file system
# may still change their blocks. The tree stands for one that is older, so all but 100 files are symbolic links.
for part in {0..9}; do
    mkdir -p "$work/seed/$part"
    seq 100 | split -l 1 -a 2 - "$work/seed/$part/file-"
done
cp -r "$work/seed/0" "$upper/regular"
for ((copy = 0; copy < files / 1000; copy++)); do cp -rs "$work/seed" "$upper/$copy"; done
sync -f "$upper"
inodes=$(find "$store/overlay2" | wc -l)

cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
echo "$(nproc) CPUs${cpu:+ ($cpu)}, Linux $(uname -r), $(stat -f -c %T "$store"), $inodes inodes"
echo "(symbolic links for the most part), page cache warm"
echo "usaged:  usaged --config EMPTY --socket SOCKET --state DIR --store docker=STORE"
echo "status:  usage-client status"
echo "du:      du -s STORE/overlay2"
echo

measure_du # Warms the cache.
du_times=() first_times=() restart_times=() request_times=() empty_times=() client_times=()
full_command=("${daemon_command[@]}")
mkdir "$work/empty"
daemon_command=("${daemon_command[@]:0:7}" --store "plain=$work/empty")
for ((run = 0; run < runs; run++)); do
    rm -rf "$work/state"
    start
    empty_times+=("$took")
    stop
done
daemon_command=("${full_command[@]}")
for ((request = 0; request < requests; request++)); do
    begin=${EPOCHREALTIME/./}
    "$bin/usage-client" --version >/dev/null
    client_times+=($((${EPOCHREALTIME/./} - begin)))
done
for ((run = 0; run < runs; run++)); do
    measure_du
    du_times+=("$took")
    rm -rf "$work/state"
    start
    first_times+=("$took")
    stop
    start
    restart_times+=("$took")
    if ((run == runs - 1)); then
        disk=$("${status_command[@]}" --json | grep -o '"disk_bytes":[0-9]*,"engine":"docker","growth"' | grep -o '[0-9]*')
        said=$(du -sx --block-size=1 "$upper" | cut -f 1)
        [[ $disk == "$said" ]] || die "usaged says $disk bytes and du $said"
        for ((request = 0; request < requests; request++)); do
            begin=${EPOCHREALTIME/./}
            "${status_command[@]}" >/dev/null
            request_times+=($((${EPOCHREALTIME/./} - begin)))
        done
        memory=$(sed -n 's/^VmRSS:[^0-9]*//p' "/proc/$daemon/status")
    fi
    stop
done
du=$(printf '%s\n' "${du_times[@]}" | median)
first=$(printf '%s\n' "${first_times[@]}" | median)
restart=$(printf '%s\n' "${restart_times[@]}" | median)
request=$(printf '%s\n' "${request_times[@]}" | median)

row() { printf '%-56s %10s %12s\n' "$1" "$2" "${3:-}"; }
row "median" "time" "ratio to du"
row "du -s, $runs runs" "$(milliseconds "$du")" 1
row "first scan: start of usaged until exact, $runs runs" "$(milliseconds "$first")" "$(ratio "$first" "$du")"
row "restart with the cache until exact, $runs runs" "$(milliseconds "$restart")" "$(ratio "$restart" "$du")"
row "usage-client status, start to exit, $requests runs" "$(milliseconds "$request")" "$(ratio "$request" "$du")"
row "start of usaged on an empty store until exact, $runs runs" "$(milliseconds "$(printf '%s\n' "${empty_times[@]}" | median)")"
row "usage-client --version, start to exit, $requests runs" "$(milliseconds "$(printf '%s\n' "${client_times[@]}" | median)")"
echo
for name in usaged usage-client; do
    strip -o "$work/stripped" "$bin/$name"
    echo "$name has $(stat -c %s "$work/stripped") bytes, stripped"
done
echo "usaged and du agree on the container to the byte ($disk); memory of usaged: $memory"
