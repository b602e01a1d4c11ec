#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the fuzzers of test/fuzz and runs each for a bounded time under the sanitizers, as many at a time as
# there are processors.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

usage() {
    cat <<'END'
usage: build-scripts/fuzz.sh [--seconds N] [--jobs N] [--build-only] [NAME...]
  --seconds N   of CPU time for each fuzzer (default 60)
  --jobs N      so many at a time (default: the number of processors)
  --build-only  do not run them
  NAME          decoder, format, rules ...; default: all
What is found is in build-sanitize/found, what covers more than the corpus in build-sanitize/corpus.
END
    exit "$1"
}

seconds=60 jobs=$(nproc) build_only=no names=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds | --jobs)
        [ $# -gt 1 ] || usage 2 >&2
        [ "$1" = --seconds ] && seconds=$2 || jobs=$2
        shift
        ;;
    --build-only) build_only=yes ;;
    -h | --help) usage 0 ;;
    -*) usage 2 >&2 ;;
    *) names+=("$1") ;;
    esac
    shift
done
if [ ${#names[@]} = 0 ]; then
    mapfile -t names < <(sed -n 's/^add_fuzzer(\([a-z]*\).*/\1/p' test/fuzz/CMakeLists.txt)
fi

folder=build-sanitize
if ! { cmake -G Ninja -S . -B $folder -C build-scripts/sanitized.cmake &&
    cmake --build $folder --target "${names[@]/%/_fuzz}"; } >$folder.log 2>&1; then
    cat $folder.log
    exit 1
fi
rm -f $folder.log
[ $build_only = no ] || exit 0

# Two take the same records.
corpus_of() { # name
    case $1 in
    decoder | format) echo test/fuzz/corpus/records ;;
    *) echo test/fuzz/corpus/"$1" ;;
    esac
}

# So many seconds of CPU time, however busy the machine is: it ends by itself when it gets SIGUSR1.
fuzz() { # program, its arguments...
    "$@" -handle_usr1=1 &
    local fuzzer=$! used
    while used=$(ps -o cputimes= -p $fuzzer); do
        [ "$used" -lt "$seconds" ] || kill -USR1 $fuzzer
        sleep 1
    done
    wait $fuzzer
}

run() { # name
    local name=$1 log=$folder/found/$1.log start=$SECONDS
    local corpora=("$folder/corpus/$name") # new inputs go into the first
    mkdir -p "${corpora[0]}"
    corpora+=("$(corpus_of "$name")")
    if fuzz $folder/"$name"_fuzz -rss_limit_mb=4096 -timeout=120 -print_final_stats=1 \
        -artifact_prefix=$folder/found/"$name"- "${corpora[@]}" >"$log" 2>&1; then
        printf '%s: %s inputs in %d s, nothing found\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" $((SECONDS - start))
    else
        tail -n 60 "$log"
        printf '%s: FAILED; the input is in %s/found\n' "$name" $folder
        return 1
    fi
}

mkdir -p $folder/found
status=0
for name in "${names[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n || status=1
    done
    run "$name" &
done
while [ "$(jobs -p | wc -l)" -gt 0 ]; do
    wait -n
    case $? in
    0) ;;
    127) break ;; # none is left
    *) status=1 ;;
    esac
done
exit $status
