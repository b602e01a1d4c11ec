#!/bin/bash
# SPDX-License-Identifier: MIT
# Does docs/performance.md say what its tables do, and is it noticed where it does not?
set -euo pipefail

page=$(mktemp -d)
trap 'rm -rf "$page"' EXIT
tool=$SOURCE/build-scripts/pages/performance.py
mkdir "$page/performance"

fail() {
    echo "page_test.sh: $*" >&2
    exit 1
}

fresh() {
    cp "$SOURCE/docs/performance.md" "$page/page.md"
}

# refuses WHY TEXT: the check fails and names that.
refuses() {
    ! "$tool" check "$page/page.md" >"$page/out" 2>&1 || fail "nothing is noticed: $1"
    grep -qF -- "$2" "$page/out" || fail "$1: the message does not say so: $(cat "$page/out")"
}

fresh
"$tool" check "$page/page.md" || fail "the page says what its tables do not"

# In the column json of the table of events a second.
awk -F ' [|] ' -v OFS=' | ' '/^Million events a second/ { is_there = 1 }
    is_there && /^[|] events of / { for (i = 1; i <= NF; i++) if ($i == "json") column = i }
    is_there && /^[|] openat / { $column = "123.4"; is_there = 0 }
    { print }' "$page/page.md" >"$page/other.md"
mv "$page/other.md" "$page/page.md"
refuses "another figure in a table" "where the tables give '123.4'"

# A report with these tables makes the words say so.
sed '1,/^<!-- measured/d' "$page/page.md" >"$page/report.md"
"$tool" make "$page" "$page/page.md" || fail "the words were not made anew"
"$tool" check "$page/page.md" || fail "the words that were made differ from the tables"
grep -q -- '-->123.4<!--/--> million openat' "$page/page.md" || fail "the new figure is not in the words"

fresh
sed -i '0,/-->[0-9.]*<!--\/-->/s//-->77.7<!--\/-->/' "$page/page.md"
refuses "another figure in the words" "says '77.7'"

fresh
sed -i 's/^| strace | .*/| strace | +1 | +1 | +1 | +1 | +1 | +1 |/' "$page/page.md"
refuses "a claim that does not hold" "no longer true"

fresh
sed -i '/^| auditd |/d' "$page/page.md"
refuses "a row that is missing" "row 'auditd'"
