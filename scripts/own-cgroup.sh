#!/bin/sh
# Becomes a command in control groups of its own, below those of the caller, so that a systemd in it manages none of
# another's; needs root. They are removed by name when every process in them has ended.
#
#   own-cgroup.sh run NAME COMMAND [ARGUMENT...]
#   own-cgroup.sh remove NAME
set -eu

action=${1:?usage: own-cgroup.sh run|remove NAME [COMMAND...]}
name=${2:?usage: own-cgroup.sh run|remove NAME [COMMAND...]}
shift 2

# The caller's groups, one for each hierarchy that is mounted in the usual place.
groups() {
    while IFS=: read -r _ controllers path; do
        case "$controllers" in
        '')
            base=/sys/fs/cgroup
            [ -f "$base/cgroup.controllers" ] || base=/sys/fs/cgroup/unified
            ;;
        name=*) base=/sys/fs/cgroup/${controllers#name=} ;;
        *) base=/sys/fs/cgroup/$controllers ;;
        esac
        if [ -f "$base${path%/}/cgroup.procs" ]; then echo "$base${path%/}"; fi
    done </proc/self/cgroup
}

case "$action" in
run)
    for group in $(groups); do
        mkdir "$group/$name"
        # A group of cpuset takes nobody before it has processors, and systemd does not use it.
        { echo $$ >"$group/$name/cgroup.procs"; } 2>/dev/null || rmdir "$group/$name"
    done
    exec "$@"
    ;;
remove)
    for group in $(groups); do
        if [ -d "$group/$name" ]; then find "$group/$name" -depth -type d -exec rmdir {} +; fi
    done
    ;;
*) exit 2 ;;
esac
