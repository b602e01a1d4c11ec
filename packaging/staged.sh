# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What both kinds of packages do with a staged folder: sourced by deb/finish.sh and rpm/finish.sh.
packaging=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Files of options and rules and how logs are rotated, which deb/conffiles names.
add_configuration() { # staged folder of the programs
    local program
    for program in ebpf-telemetry imds-tracker; do
        mkdir -p "$1/etc/$program/conf.d"
        cp "$packaging/conf/$program.conf" "$1/etc/$program/"
        install -D -m 644 "$packaging/logrotate/$program" "$1/etc/logrotate.d/$program"
    done
    install -D -m 644 "$1/usr/share/ebpf_telemetry/rules/syscalls.rules" "$1/etc/ebpf-telemetry/rules.d/50-default.rules"
}

# The same modes and times whoever makes the package, and when.
settle() { # staged folder, mode of shared libraries
    find "$1" -type d -exec chmod 755 {} +
    find "$1" -type f -perm /u+x -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
    find "$1" -name '*.so*' -type f -exec chmod "$2" {} +
    find "$1" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" {} +
}
