#!/bin/bash
# SPDX-License-Identifier: MIT
# The units: systemd understands every line of them, and the program does with their capabilities.
# shellcheck source=checks.sh
. "$(dirname "$0")/checks.sh"

unit_of() { # name, program: the installed unit, with the program of the build folder
    sed "s|^ExecStart=[^ ]*|ExecStart=$BUILD/$2|; /^Documentation=/d" "$BUILD/packaging/$1.service" >"$scratch/$1.service"
}

# Exposed as far as systemd-analyze security says, and no more: 30 is what it prints as 3.0.
expect_unit() { # most, unit, drop-ins...
    local most=$1 unit=$scratch/whole/${2##*/}
    shift
    mkdir -p "$scratch/whole"
    cat "$@" >"$unit"
    expect_status 0 systemd-analyze verify "$unit"
    expect_empty "$scratch/err"
    expect_status 0 systemd-analyze security --offline=true --threshold="$most" "$unit"
    expect_status 1 systemd-analyze security --offline=true --threshold=$((most - 1)) "$unit" # docs/security.md says so
}

drop_ins=$SOURCE/packaging/systemd
for pair in ebpf-telemetry:ebpf_telemetry imds-tracker:imds-tracker; do
    name=${pair%:*} program=${pair#*:}
    unit_of "$name" "$program"
    expect_unit 30 "$scratch/$name.service"
    # Less exposed: without CAP_SYS_ADMIN where the kernel allows it, without network.
    expect_unit 27 "$scratch/$name.service" "$drop_ins/without-sys-admin.conf"
    expect_unit 21 "$scratch/$name.service" "$drop_ins/local-outputs.conf"
    expect_unit 18 "$scratch/$name.service" "$drop_ins"/{local-outputs,without-sys-admin}.conf
    # Under its AppArmor profile, which systemd-analyze does not count.
    expect_unit 30 "$scratch/$name.service" "$BUILD/packaging/apparmor.conf"
    expect_text "$scratch/whole/$name.service" "AppArmorProfile=%N"

    # Nothing but what CapabilityBoundingSet= has, as setpriv spells it.
    capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$scratch/$name.service" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
    [ -n "$capabilities" ] || fail "$name.service does not limit capabilities"
    runs_with() { # capabilities, command before it...
        local capabilities=$1
        shift
        expect_status 0 "$@" setpriv --bounding-set "-all,$capabilities" --inh-caps=-all --no-new-privs \
            "$BUILD/$program" --nice 0 --duration 1 -q -o "$scratch/events"
        expect_text "$scratch/err" "info: reporting"
        ! grep -F "capabilities from now on" "$scratch/err" | grep -F CAP_SYS_ADMIN || fail "$program keeps CAP_SYS_ADMIN"
    }
    runs_with "$capabilities"
    runs_with "$capabilities" unshare --net # where all is local
    # Debian's kernels refuse perf events to CAP_PERFMON: there the program says what it lacks.
    if setpriv --bounding-set -all,+perfmon --inh-caps=-all "$BUILD/$program" --probe 2>/dev/null | grep -qF 'refuses perf events'; then
        echo "not tried without CAP_SYS_ADMIN: this kernel needs it"
    else
        runs_with "${capabilities/+sys_admin,/}"
    fi
done
echo "units: all as it should be"
