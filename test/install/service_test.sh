#!/bin/bash
# SPDX-License-Identifier: MIT
# The units: systemd understands every line of them, and the program does with their capabilities.
# shellcheck source=checks.sh
. "$(dirname "$0")/checks.sh"

unit_of() { # name, program: the installed unit, with the program of the build folder
    sed "s|^ExecStart=[^ ]*|ExecStart=$BUILD/$2|; /^Documentation=/d" "$BUILD/packaging/$1.service" >"$scratch/$1.service"
}

for pair in ebpf-telemetry:ebpf_telemetry imds-tracker:imds-tracker; do
    name=${pair%:*} program=${pair#*:}
    unit_of "$name" "$program"
    expect_status 0 systemd-analyze verify "$scratch/$name.service"
    expect_empty "$scratch/err"
    expect_status 0 systemd-analyze security --offline=true --threshold=27 "$scratch/$name.service"

    # Without network it is less exposed.
    mkdir "$scratch/local"
    cat "$scratch/$name.service" "$SOURCE/packaging/systemd/local-outputs.conf" >"$scratch/local/$name.service"
    expect_status 0 systemd-analyze verify "$scratch/local/$name.service"
    expect_empty "$scratch/err"
    expect_status 0 systemd-analyze security --offline=true --threshold=20 "$scratch/local/$name.service"
    rm -r "$scratch/local"

    # Nothing but what CapabilityBoundingSet= has, as setpriv spells it.
    capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$scratch/$name.service" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
    [ -n "$capabilities" ] || fail "$name.service does not limit capabilities"
    # Where all is local, without network too.
    for network in "" "unshare --net"; do
        # shellcheck disable=SC2086 # nothing, or a command with its option
        expect_status 0 $network setpriv --bounding-set "-all,$capabilities" --inh-caps=-all --no-new-privs \
            "$BUILD/$program" --nice 0 --duration 1 -q -o "$scratch/events"
        expect_text "$scratch/err" "info: reporting"
    done
done
echo "units: all as it should be"
