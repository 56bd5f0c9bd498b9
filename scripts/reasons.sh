#!/bin/sh
# Runs all tests in a build that counts lines, and names the reasons for `exact: false` that none of them reached.
# The counters are in the mapped file itself, so that those of a daemon which a test kills are there too.
set -eu

swift=${SWIFT:-swift}
scratch=.build-coverage
counts=$PWD/$scratch/counts
reasons=$PWD/$scratch/reasons
# The tools must be of the compiler's version.
tools=$(dirname "$(readlink -f "$(command -v "$swift")")")

rm -rf "$counts" "$reasons"
mkdir -p "$counts"
"$swift" build --build-tests --enable-code-coverage --scratch-path "$scratch" \
    -Xswiftc -Xllvm -Xswiftc -runtime-counter-relocation
status=0
LLVM_PROFILE_FILE=$counts/%m%c.profraw USAGED_REASONS=$reasons USAGED_TEST_ENGINE=required \
    SWIFT_DETERMINISTIC_HASHING=1 "$swift" test --skip-build --scratch-path "$scratch" "$@" || status=$?

products=$scratch/debug
"$tools/llvm-profdata" merge --failure-mode=all -o "$counts/all.profdata" "$counts"/*.profraw
"$tools/llvm-cov" export -format=lcov -instr-profile "$counts/all.profdata" \
    "$products/usagedPackageTests.xctest" -object "$products/usaged" -object "$products/usage-client" >"$counts/all.lcov"

awk -v root="$PWD/" '
    FNR == NR {
        if (/^SF:/) { file = substr($0, 4); sub(root, "", file) }
        else if (/^DA:/) { split(substr($0, 4), part, ","); counted[file ":" part[1]] += part[2] }
        next
    }
    { split($0, part, ":"); all++; if (!counted[part[1] ":" part[2]]) { print "not reached: " $0; missed++ } }
    END { print all - missed " of " all " reasons reached"; exit missed > 0 }
' "$counts/all.lcov" "$reasons" || status=1
exit "$status"
