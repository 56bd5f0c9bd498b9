#!/bin/sh
# Runs ExactnessTests with twenty seeds for each configuration and keeps what they found in the table of
# Documentation/exactness.md. USAGED_TEST_SEEDS=17,4711 takes these seeds, and leaves the table alone.
set -eu

page=Documentation/exactness.md
rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT

status=0
USAGED_TEST_ALL=1 USAGED_EXACTNESS_ROWS=$rows SWIFT_DETERMINISTIC_HASHING=1 \
    "${SWIFT:-swift}" test --skip-build --filter 'ExactnessTests\.ExactnessTests' || status=$?

[ -z "${USAGED_TEST_SEEDS:-}" ] || exit "$status"
[ -n "$(ls "$rows")" ] || {
    echo "exactness: nothing could be tried here, the table stays as it is" >&2
    exit "$status"
}
table=$rows/table
{
    echo "Made by \`make exactness\` on $(date -u +%F), Linux $(uname -r | cut -d- -f1), $(nproc) processors."
    echo
    echo "| layer | seeds | operations | events read | overflows | looks at everything | comparisons | corrections by audits | differences |"
    echo "|---|---|---|---|---|---|---|---|---|"
    for row in $(cd "$rows" && ls | grep '^[0-9]*$' | sort -n); do cat "$rows/$row"; done
} >"$table"
sed -i -e "/<!-- exactness: begin -->/,/<!-- exactness: end -->/{/<!-- exactness: begin -->/{p;r $table
};/<!-- exactness: end -->/!d}" "$page"
cat "$table"
exit "$status"
