#!/bin/bash
# SPDX-License-Identifier: MIT
# Completion knows every option of each program's --help and none besides, in bash and in zsh.
# shellcheck source=checks.sh
. "$(dirname "$0")/checks.sh"
# shellcheck source=../../packaging/completion/ebpf_telemetry.bash
. "$SOURCE/packaging/completion/ebpf_telemetry.bash"

declare -A paths=([ebpf_telemetry]=$BUILD/ebpf_telemetry [imds-tracker]=$BUILD/imds-tracker
    [get_offsets]=$BUILD/get_offsets/get_offsets)

options_of() { # program: the options of its --help, long and short
    expect_status 0 "$1" --help
    sed '/^Examples:/,$d' "$scratch/out" | grep -E '^ +-' |
        sed -E 's/^ +(-. \[ )?(--[a-z-]+).*/\1\n\2/; s/ \[ //g' | grep . | sort -u
}

completed() { # program, word, word before it: what bash offers
    _ebpf_telemetry "$1" "$2" "$3"
    printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

for program in "${!paths[@]}"; do
    path=${paths[$program]}
    options_of "$path" >"$scratch/options"
    [ "$(wc -l <"$scratch/options")" -ge 8 ] || fail "--help of $program is not understood"
    completed "$path" '' "$program" >"$scratch/completed"
    diff "$scratch/options" "$scratch/completed" || fail "bash does not complete what $program has"
done

# What follows an option.
program=${paths[ebpf_telemetry]}
[ "$(completed "$program" --ti "$program")" = --tier ] || fail "--ti is not completed"
[ "$(completed "$program" raw_tp_n --tier)" = raw_tp_noloops ] || fail "tiers are not completed"
[ "$(completed "$program" j -f)" = json ] || fail "formats are not completed"
for tier in $(completed "$program" '' --tier); do # those that the program takes
    expect_status 0 "$program" --tier "$tier" --list-syscalls
done
for format in $(completed "$program" '' --format); do
    expect_status 0 "$program" -f "$format" --list-syscalls
done
COMP_WORDS=(ebpf_telemetry '') COMP_CWORD=1
for command in report top; do
    completed "$program" ${command:0:2} ebpf_telemetry | grep -qx $command || fail "the command $command is not completed"
    "$program" $command --help | grep -q "^Usage: ebpf_telemetry $command " || fail "$command has no help of its own"
done
cd "$scratch"
touch some.rules
COMP_WORDS=(ebpf_telemetry report so) COMP_CWORD=2
[ "$(completed "$program" so report)" = some.rules ] || fail "files of a command are not completed"
COMP_WORDS=() COMP_CWORD=0
[ "$(completed "$program" so -r)" = some.rules ] || fail "files are not completed"
[ -z "$(completed "$program" '' --duration)" ] || fail "a number is completed"

# zsh: _arguments gets every option.
command -v zsh >/dev/null || {
    echo "completion: bash as it should be; there is no zsh"
    exit 0
}
for program in "${!paths[@]}"; do
    path=${paths[$program]}
    options_of "$path" >"$scratch/options"
    # shellcheck disable=SC2016 # for zsh to expand
    zsh -f -c 'words=("$2"); _arguments() { print -rl -- ${(@)@:#(-s|:)} }
               complete_it() { source "$1"; }; complete_it "$1"' zsh "$SOURCE/packaging/completion/_ebpf_telemetry" "$path" |
        sed -E 's/^\*(-+[a-zA-Z-]+)\[.*/\1/' | sort -u >"$scratch/completed"
    diff "$scratch/options" "$scratch/completed" || fail "zsh does not complete what $program has"
done
echo "completion: all as it should be"
