#!/bin/sh
# Builds the fuzz targets and runs each of them for FUZZ_SECONDS, or those that FUZZ_TARGETS names.
#
# What the fuzzer learns is kept in .build-fuzz/corpus and helps the next run. It stops at the first input that crashes,
# breaks a property, or takes too much time or memory.
set -eu
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}
build=.build-fuzz
program=$build/debug/fuzz

# Optimized, but still a debug build: the targets test what modules keep to themselves.
USAGED_FUZZ=1 ${SWIFT:-swift} build --product fuzz --sanitize=fuzzer --scratch-path $build -Xswiftc -O

# The store of the target `docker` is written anew for each input.
[ -z "${USAGED_TEST_SCRATCH:-}" ] && [ -w /dev/shm ] && export USAGED_TEST_SCRATCH=/dev/shm
# Swift's own report of a crash would come before the fuzzer can save the input.
export SWIFT_BACKTRACE=enable=no

mkdir -p $build/findings
for target in ${FUZZ_TARGETS:-$(ls Fuzz/Corpus)}; do
    mkdir -p "$build/corpus/$target"
    log=$build/findings/$target.log
    echo "fuzzing $target for $seconds s"
    if FUZZ_TARGET=$target $program -max_total_time="$seconds" -max_len=4096 -timeout=30 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$build/findings/$target-" \
        "$build/corpus/$target" "Fuzz/Corpus/$target" >"$log" 2>&1; then
        # The last figures: what was covered, and how many inputs ran.
        grep -ao 'cov: [0-9]* ft: [0-9]* corp: [^ ]*' "$log" | tail -n 1
        grep -aE 'number_of_executed_units|average_exec_per_sec|peak_rss' "$log" | sed 's/^stat:://'
    else
        grep -aE -A 12 'Fatal error|ERROR: libFuzzer' "$log" | head -n 40 >&2 || true
        found=$(LC_ALL=C sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        cat >&2 <<END

$target: a finding; the whole log is $log
Run it again:   FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no $program ${found:-FILE}
Make it small:  FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no $program -minimize_crash=1 -runs=10000 ${found:-FILE}
Keep it:        copy the file into Fuzz/Corpus/$target, where \`make test\` runs it as well
END
        exit 1
    fi
done
