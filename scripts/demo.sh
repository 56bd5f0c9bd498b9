#!/bin/sh
# Shows usaged at work on the story of the post that measured image layers by hand. `make demo` builds first.
#
# Makes a store of about 230 MB in a temporary directory, runs usaged on it with a socket and a state of its own,
# and removes everything at the end. It needs no engine and no root, and changes nothing else.
#
#   STORE=PATH       looks at that store of Docker instead, as STORE=/var/lib/docker; reads it only. Uses sudo
#                    where the directory is not the caller's own. STORE=KIND=PATH for one of another kind.
#   PACE=SECONDS     how long to pause before each heading; 1.5 on a terminal, 0 otherwise.
#   TMPDIR           where the temporary directory is made; /var/tmp otherwise.
#   BIN              where the executables are; .build/release otherwise.
set -eu

cd "$(dirname "$0")/.."
STORE=${STORE:-}
BIN=$(cd "${BIN:-.build/release}" && pwd) || exit 1

die() {
    echo "demo: $*" >&2
    exit 1
}

for name in usaged usage-client demo-store; do
    [ -x "$BIN/$name" ] || die "$BIN/$name is missing; run: make build"
done
case "$STORE" in
/*) STORE=docker=$STORE ;;
esac
case "$STORE" in
'') ;;
*=/*)
    [ -d "${STORE#*=}" ] || die "${STORE#*=} is no directory that can be seen from here; name one as STORE=/var/lib/docker"
    if [ "$(id -u)" -ne 0 ] && [ "$(stat -c %u "${STORE#*=}")" != "$(id -u)" ]; then
        command -v sudo >/dev/null || die "reading ${STORE#*=} needs root; run make demo as root, or install sudo"
        echo "Reading ${STORE#*=} needs root: sudo runs the demo."
        exec sudo env "PATH=$PATH" "STORE=$STORE" "PACE=${PACE:-}" "BIN=$BIN" "TMPDIR=${TMPDIR:-}" sh "$PWD/scripts/demo.sh"
    fi
    ;;
*) die "STORE=$STORE is neither an absolute path, as /var/lib/docker, nor KIND=PATH, as docker=/var/lib/docker" ;;
esac

bold= plain= dim= colour=never
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    esc=$(printf '\033')
    bold="$esc[1m" dim="$esc[2m" plain="$esc[0m" colour=always
fi
[ -n "${PACE:-}" ] || { if [ -t 1 ]; then PACE=1.5; else PACE=0; fi; }

work= daemon= feed= json_feed= interrupted=

# Ends a process that was started here, and waits until it has ended: 20 seconds for an orderly end.
stop() {
    kill -TERM "$1" 2>/dev/null || return 0
    (
        tries=0
        while [ "$tries" -lt 200 ] && kill -0 "$1" 2>/dev/null; do
            tries=$((tries + 1))
            sleep 0.1
        done
        kill -KILL "$1" 2>/dev/null || :
    ) &
    watcher=$!
    wait "$1" 2>/dev/null && ended=0 || ended=$?
    kill "$watcher" 2>/dev/null || :
    wait "$watcher" 2>/dev/null || :
    return "$ended"
}

finish() {
    status=$?
    trap '' INT TERM HUP PIPE
    trap - EXIT
    for pid in $feed $json_feed $daemon; do stop "$pid" || :; done
    if [ "$status" -ne 0 ] && [ -z "$interrupted" ] && [ -n "$work" ] && [ -s "$work/usaged.log" ]; then
        printf '\ndemo: failed; usaged said:\n' >&2
        tail -n 20 "$work/usaged.log" >&2
    fi
    cd /
    [ -z "$work" ] || rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'interrupted=yes; exit 130' INT
trap 'interrupted=yes; exit 143' TERM
trap 'interrupted=yes; exit 129' HUP
trap 'interrupted=yes; exit 141' PIPE

work=$(mktemp -d "${TMPDIR:-/var/tmp}/usaged-demo.XXXXXX") || die "no temporary directory; set TMPDIR"
cd "$work"
export USAGED_SOCKET="$work/usaged.sock"
PATH="$BIN:$PATH"
store=$work/docker

heading() {
    sleep "$PACE"
    printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
    shift
    for line in "$@"; do printf '%s\n' "   $line"; done
    echo
}

typed() { printf '%s$%s %s\n' "$dim" "$plain" "$*"; }

# Prints a command as one would type it, and runs it.
run() {
    typed "$@"
    "$@"
}

# Repeats a command until it succeeds: until_true SECONDS WHAT COMMAND [ARGUMENT...]
until_true() {
    deadline=$(($(date +%s) + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "$daemon" 2>/dev/null || die "usaged has ended"
        [ "$(date +%s)" -lt "$deadline" ] || die "waited in vain for $what"
        sleep 0.05
    done
}

has() { # has PATTERN COMMAND [ARGUMENT...]: whether its output holds the pattern
    pattern=$1
    shift
    "$@" | grep -q -e "$pattern"
}

measured() { usage-client status --json | grep -v '"progress":{' | grep -q '"state":"'; }

start_daemon() { # start_daemon KIND=PATH
    usaged --config usaged.yaml --socket usaged.sock --state state --store "$1" \
        >usaged.log 2>&1 &
    daemon=$!
    until_true 30 "the socket of usaged" usage-client status
}

if [ -n "$STORE" ]; then
    : >usaged.yaml
    heading "usaged on $STORE" "It reads the store's files and directories, and writes nothing there."
    start_daemon "$STORE"
    until_true 600 "the first look at every layer" measured
    run usage-client status
    heading "The images"
    run usage-client images
    heading "The images as a tree"
    run usage-client tree
    heading "Where the used bytes of the disk went"
    run usage-client df
    exit 0
fi

free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
[ "$free" -ge 307200 ] || die "$work has $((free / 1024)) MB free and the demo needs 300; set TMPDIR to another place"

printf '%s\n' "The post \"Docker - Part 4\" explained image layers by measuring a disk by hand," \
    "with df, docker images and docker inspect. Here usaged does it by itself, and" \
    "live, on a store with the post's figures: zigiweb, 227.9 MB, which was built on" \
    "ubuntu:14.04, 188.3 MB. Everything is in $work" "and is removed at the end."

heading "A store, and the daemon on it" "One alert rule: a container that grows by more than 10 MB within a minute."
cat >usaged.yaml <<'RULE'
alerts:
  - name: growth-demo
    kind: growth
    limit: 10MB
    window: 1m
RULE
run demo-store build docker
typed 'export USAGED_SOCKET=$PWD/usaged.sock'
typed 'usaged --config usaged.yaml --socket usaged.sock --state state --store docker=$PWD/docker &'
start_daemon "docker=$store"
until_true 30 "an exact status" has '"exact":true' usage-client status --json
run usage-client status

heading "The images" "SIZE is up to and including the step, OWN the step alone."
run usage-client images

heading "docker images --tree, which Docker no longer has"
run usage-client tree

heading "How zigiweb came to be 227.9 MB" "The base is itself built of steps. One appended line cost 1615 bytes:" \
    "the whole file was copied up."
run usage-client history zigiweb
has '"virtual_size_bytes":227877825' usage-client inspect zigiweb --json || die "zigiweb has not the post's size"

heading "Remember this moment"
run usage-client mark before

heading "A container is made" "Its own layer is all that it adds to the disk."
run demo-store container docker web1 zigiweb | tee upper
upper=$(tail -n 1 upper)
[ -d "$upper" ] || die "no upper directory was made"
until_true 10 "the container" has '"name":"web1"' usage-client containers --json
until_true 10 "an exact status" has '"exact":true' usage-client status --json
run usage-client containers

heading "20 MB are written in it, and the feed tells as they come"
typed 'usage-client feed &'
typed "dd if=/dev/urandom bs=4M count=1 >>${upper#"$work/"}/big   # five times"
usage-client feed --json >feed.json 2>&1 &
json_feed=$!
until_true 10 "the feed" grep -q '"type":"snapshot"' feed.json
usage-client feed --color "$colour" >feed 2>&1 &
feed=$!
until_true 10 "the feed" grep -q snapshot feed
tail -n +1 -f -s 0.1 --pid="$feed" feed &
shown=$!
for part in 1 2 3 4 5; do
    dd if=/dev/urandom bs=4M count=1 iflag=fullblock status=none >>"$upper/big"
    sleep 0.4
done
until_true 10 "the 20 MB in the feed" grep -q '"size_bytes":20971520,"state"' feed.json
told() { [ "$(grep -c /big feed)" -ge "$(grep '"type":"usage"' feed.json | grep -c /big)" ]; }
until_true 10 "the 20 MB in the feed" told
until_true 10 "the alert in the feed" grep -q '"type":"alert"' feed.json
stop "$feed" || :
feed=
wait "$shown" || :
stop "$json_feed" || :
json_feed=

heading "The same as a program reads it" "Two events of usage-client feed --json, one JSON object a line:"
grep '"type":"usage"' feed.json | tail -n 1
grep '"type":"alert"' feed.json | head -n 1

heading "Who takes what now" "du must say the same."
run usage-client containers
echo
run du -sx --block-size=1 "${upper#"$work/"}" | sed '$s/[[:space:]].*//'
run usage-client containers --bytes
same() {
    usage-client containers --json | grep -q "\"disk_bytes\":$(du -sx --block-size=1 "$upper" | cut -f 1),"
}
until_true 10 "du and usaged to agree" same

heading "What changed since the mark, and what df moved"
run usage-client since before

heading "The alert"
run usage-client alerts
has '"state":"firing"' usage-client alerts --json || die "no alert fires"

heading "One line for a monitoring system"
status=0
run usage-client check || status=$?
echo "exit status $status (1: WARNING)"
[ "$status" -eq 1 ] || die "check did not warn"

heading "Where the used bytes of the disk went"
run usage-client df

ended=0
stop "$daemon" || ended=$?
daemon=
[ "$ended" -eq 0 ] || die "usaged ended with status $ended"
printf '\n%sDone.%s usaged is stopped, and %s is removed.\n' "$bold" "$plain" "$work"
