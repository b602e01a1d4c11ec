# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# bash completion for ebpf_telemetry, imds-tracker and get_offsets. The options are those of the program's own
# --help, so that they are the ones of the version that is installed.

# Prints each option of a program: "-o FILE" and "--output FILE", a line each, or without a word if it takes none.
_ebpf_telemetry_options() {
    local line short='^ +-(.) \[ --([a-z-]+) \]( \[?=?([A-Z]+))?' long='^ +--([a-z-]+)( \[?=?([A-Z]+))?'
    while IFS= read -r line; do
        [[ $line != Examples:* ]] || break
        if [[ $line =~ $short ]]; then
            printf '%s\n' "-${BASH_REMATCH[1]}${BASH_REMATCH[4]:+ ${BASH_REMATCH[4]}}" \
                "--${BASH_REMATCH[2]}${BASH_REMATCH[4]:+ ${BASH_REMATCH[4]}}"
        elif [[ $line =~ $long ]]; then
            printf '%s\n' "--${BASH_REMATCH[1]}${BASH_REMATCH[3]:+ ${BASH_REMATCH[3]}}"
        fi
    done < <("$1" --help 2>/dev/null)
}

# Prints the commands of a program, which stand in its --help behind its own name.
_ebpf_telemetry_commands() {
    "$1" --help 2>/dev/null | sed -n '/^With recorded events/,/^$/s/^  ebpf_telemetry \([a-z]*\) .*/\1/p'
}

# Prints the values that an option takes, where those are few words.
_ebpf_telemetry_values() {
    case $2 in
    -f | --format) "$1" --help | tr '\n' ' ' | sed -n 's/.*one of \([^;]*\);.*/\1/p' | tr -s ', ' '\n' ;;
    --tier) printf '%s\n' tp raw_tp_sub4096 raw_tp_noloops raw_tp ;;
    --on-tampering) printf '%s\n' repair end ;;
    --log-level) printf '%s\n' trace debug info warning error fatal ;;
    --colour) printf '%s\n' auto always never ;;
    esac
}

_ebpf_telemetry() {
    local program=$1 word=$2 before=$3 options value=''
    options=$(_ebpf_telemetry_options "$program")
    COMPREPLY=()
    local commands command=${COMP_WORDS[1]-}
    commands=$(_ebpf_telemetry_commands "$program")
    if [[ ${COMP_CWORD-0} -gt 1 && -n $command && " ${commands//$'\n'/ } " == *" $command "* ]]; then
        compopt -o filenames 2>/dev/null # of recorded events
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    if [[ ${COMP_CWORD-0} -eq 1 && $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
        [[ -z $word || ${#COMPREPLY[@]} -eq 0 ]] || return
    fi
    [[ $before != -* ]] || value=$(sed -n "s/^$before //p" <<<"$options")
    case $value in
    '')
        mapfile -O "${#COMPREPLY[@]}" -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 <<<"$options")" -- "$word")
        ;;
    FILE | PATH | CONF | DIR)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "$(_ebpf_telemetry_values "$program" "$before")" -- "$word")
        ;;
    esac
}

complete -F _ebpf_telemetry ebpf_telemetry imds-tracker get_offsets
