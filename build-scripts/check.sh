#!/bin/bash
# SPDX-License-Identifier: MIT
# Checks the sources without building them, in a few seconds.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

usage() {
    cat <<'END'
usage: build-scripts/check.sh [--tidy changed|all|none]
Checks layers, file sizes, clang-format and shellcheck, and runs clang-tidy on the sources that
changed since this branch left main, or, on main, in the last commit.
END
    exit "$1"
}

tidy=changed
while [ $# -gt 0 ]; do
    case $1 in
    --tidy)
        [ $# -gt 1 ] || usage 2 >&2
        tidy=$2
        shift
        ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
case $tidy in changed | all | none) ;; *) usage 2 >&2 ;; esac

faults=()
check() { # name, command...
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "check.sh: $name: fine"
    else
        printf '%s\n' "$output"
        faults+=("$name")
    fi
}

git() {
    command git -c safe.directory="*" "$@" # under sudo the tree belongs to another user, which git refuses otherwise
}

# The files of a clone that git does not ignore.
sources() { # patterns
    git ls-files -co --exclude-standard -- "$@" 2>/dev/null | while read -r file; do
        [ ! -e "$file" ] || echo "$file"
    done
}

formatted() {
    sources '*.c' '*.cpp' '*.h' '*.hpp' | xargs -d '\n' clang-format --dry-run -Werror
}

shell_scripts() {
    sources '*.sh' '*.bash' .ci/run | xargs -d '\n' shellcheck -x -P SCRIPTDIR
}

# What mandoc warns of, and man as its users have it.
man_pages() {
    local page
    mandoc -Tlint -Wwarning packaging/man/*.[58] || return 1
    for page in packaging/man/*.[58]; do
        [ -z "$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)" ] || { man --warnings -l "$page" >/dev/null; return 1; }
    done
}

changed_since() {
    local main
    main=$(git rev-parse --verify -q origin/main || git rev-parse --verify -q main) || main=HEAD
    if git merge-base --is-ancestor HEAD "$main" 2>/dev/null; then
        git rev-parse --verify -q 'HEAD^' || git rev-parse HEAD
    else
        git merge-base HEAD "$main"
    fi
}

tidy_sources() {
    if [ "$tidy" = all ]; then
        sources '*.cpp'
    else
        { git diff --name-only --diff-filter=d "$(changed_since)" -- '*.cpp' && git ls-files -o --exclude-standard -- '*.cpp'; } | sort -u
    fi
}

# Runs clang-tidy on what this configuration compiles of these sources, each with its folder (EBT_UNITY): that takes
# as long as one source, most of it for the headers. Not on the kernel tests: clang 14 does not support
# std::source_location.
tidied() {
    local folder=build-tidy list
    cmake -S . -B $folder -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang \
        -DEBT_TESTS=ON -DEBT_BENCH=ON >$folder.log 2>&1 || { cat $folder.log && return 1; }
    rm -f $folder.log
    list=$(jq -r '.[].file' $folder/compile_commands.json | sort -u | grep '\.c[px][px]$' | while read -r file; do
        if [[ $file == */Unity/* ]]; then
            sed -n "s|^#include \"\(.*\)\"|\1 $file|p" "$file"
        else
            echo "$file $file"
        fi
    done | sort | join - <(tidy_sources | grep -v '^test/kernel/' | sed "s|^|$PWD/|" | sort) | cut -d ' ' -f 2 | sort -u)
    [ -n "$list" ] || return 0
    xargs -d '\n' -P "$(nproc)" -n 1 clang-tidy --quiet -p $folder <<<"$list" 2>/dev/null
}

if git rev-parse --git-dir >/dev/null 2>&1; then
    check clang-format formatted
    check shellcheck shell_scripts
else
    echo "check.sh: this is not a git clone: clang-format, shellcheck and clang-tidy are skipped" >&2
    tidy=none
fi
check "man pages" man_pages
check layers build-scripts/check-layers.py
check sizes build-scripts/check-sizes.py
check "docs/performance.md" build-scripts/pages/performance.py check
[ "$tidy" = none ] || check "clang-tidy ($tidy)" tidied

[ ${#faults[@]} = 0 ] || {
    printf 'check.sh: FAILED: %s\n' "${faults[@]}" >&2
    exit 1
}
