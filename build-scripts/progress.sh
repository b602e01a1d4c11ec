# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# How far something is that takes long: on a terminal a bar below what is printed, else a line for each step. To be
# sourced; everything goes to standard error.

progress_name=${0##*/}

progress_is_bar() {
    [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]
}

# Draws the bar: steps done, steps in all, words.
progress_bar() {
    local width=24 done=$1 all=$2 filled text
    [ "$all" -gt 0 ] || all=1
    [ "$done" -le "$all" ] || done=$all
    filled=$((width * done / all))
    text=$(printf '%*s' "$filled" '' | tr ' ' '#')$(printf '%*s' $((width - filled)) '' | tr ' ' '.')
    text="$progress_name: [$text] $done/$all $3"
    printf '\r\033[K%s' "${text:0:$(($(tput cols 2>/dev/null || echo 80) - 1))}" >&2
}

# One step of several has begun: its number, how many there are, words.
progress_step() {
    if progress_is_bar; then
        progress_bar $(($1 - 1)) "$2" "$3"
    else
        echo "$progress_name: $3 ($1 of $2)" >&2
    fi
}

# Takes the bar away, before something else is printed or at the end.
progress_clear() {
    ! progress_is_bar || printf '\r\033[K' >&2
}

# A build, whose output goes to a file: words, file, command. The bar follows ninja's [3/40] and make's [ 7%].
progress_build() {
    local words=$1 log=$2 line
    shift 2
    if ! progress_is_bar; then
        echo "$progress_name: $words" >&2
        "$@" >"$log" 2>&1
        return
    fi
    progress_bar 0 100 "$words"
    "$@" 2>&1 | tee "$log" | while IFS= read -r line; do
        if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
            progress_bar "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "$words"
        elif [[ $line =~ ^\[\ *([0-9]+)%\] ]]; then
            progress_bar "${BASH_REMATCH[1]}" 100 "$words"
        fi
    done
    local status=${PIPESTATUS[0]}
    progress_clear
    return "$status"
}

# A command whose lines on standard error end with "(3 of 12)" where a step begins: on a terminal they move the
# bar, and its other lines stand above it. For scripts with pipefail.
progress_follow() {
    local line step='^(.*) \(([0-9]+) of ([0-9]+)\)$' done=0 all=1 words='' status=0
    if ! progress_is_bar; then
        "$@"
        return
    fi
    {
        "$@" 2>&1 >&3 | while IFS= read -r line; do
            progress_clear
            if [[ $line =~ $step ]]; then
                words=${BASH_REMATCH[1]} done=$((BASH_REMATCH[2] - 1)) all=${BASH_REMATCH[3]}
            else
                printf '%s\n' "$line" >&2
            fi
            progress_bar "$done" "$all" "$words"
        done
    } 3>&1 || status=$?
    progress_clear
    return "$status"
}
