# shellcheck shell=dash
# SPDX-License-Identifier: MIT
# Runs in a guest of build-scripts/vm-test.sh, under busybox, on the kernel in question:
# asks the program what this kernel can, and runs the tests on every tier it takes.
# /t/settings has, from the command line: tiers, filter, seconds, rounds, and the share of the program's tests.
# Results go to /results.
# shellcheck disable=SC1091,SC2154 # build-scripts/vm-test.sh writes it
. /t/settings

config='' # of the kernel tests and, through the environment, the program tests
if [ -e /t/offsets.conf ]; then
    config=/etc/ebpf-telemetry/offsets.conf # where the program looks by itself
    mkdir -p /etc/ebpf-telemetry
    cp /t/offsets.conf $config
    export EBT_CONFIG=$config
fi

# Results must get out before the host ends the guest.
remaining() {
    echo $((seconds - 20 - $(cut -d. -f1 /proc/uptime)))
}

step() { # name, command
    local name=$1
    shift
    echo "$name"
    case $1 in
    /*) timeout -s KILL "$(remaining)" "$@" ;;
    *) "$@" ;;
    esac >"/results/$name.log" 2>&1
    echo $? >"/results/$name.status"
    tail -n 30 "/results/$name.log"
}

export EBT_RACE_ROUNDS="$rounds" # of two threads
export EBT_SLOW=1                # processes that are looked at stay for longer
uname -r >/results/release

echo "probe"
/t/ebpf_telemetry --probe -f json >/results/probe.json 2>/results/probe.log
echo $? >/results/probe.status
cat /results/probe.log
if [ "$(cat /results/probe.status)" != 0 ]; then
    echo "no tier can run on this kernel"
    exit
fi

# A failure that the tests' own results do not tell of: the end of a crashed program.
note_failure() { # name
    [ "$(cat "/results/$1.status")" -le 1 ] || echo "$1, status $(cat "/results/$1.status")" >>/results/statuses
}

# The offsets of the BTF, or of the config that was given, against discovery.
compare_offsets() {
    if [ -n "$config" ]; then
        cp $config /results/offsets.conf
    else
        /t/get_offsets >/results/offsets.conf || return 1
    fi
    /t/get_offsets --check /results/offsets.conf
}

step check compare_offsets
note_failure check
step kernel_tests /t/kernel_tests --tiers="$tiers" ${config:+--offsets=$config} --gtest_filter="$filter" \
    --gtest_output=json:/results/kernel_tests.json
note_failure kernel_tests
# Losses, limits and full buffers are provoked by storms, which take minutes each under emulation, and more
# memory than a guest has; that at full speed sends by HTTP, too, which the static programs cannot.
if [ "$program" != none ]; then
    export GTEST_SHARD_INDEX=${program%/*} GTEST_TOTAL_SHARDS=${program#*/}
    step program_tests /t/program_tests --gtest_output=json:/results/program_tests.json \
        --gtest_filter='-*Losses*:*Shedding*:*Limits*:*EndsInTimeWithAFullBuffer:*AtFullSpeed*'
    note_failure program_tests
    unset GTEST_SHARD_INDEX GTEST_TOTAL_SHARDS
fi
# Those of imds-tracker that need no other programs, but for curl, in the tiers that this kernel takes, and those of
# callers' stacks. Offsets that were found above need not be found again each time.
export EBT_TIERS="$tiers"
[ ! -s /results/offsets.conf ] || export EBT_CONFIG=/results/offsets.conf
imds='*OwnClientCallsOfEither.*:*OwnClientCalls.ReportTheEnd/raw_tp'
[ ! -x /usr/bin/curl ] || imds="$imds:*/Table.Curl/*:*/Stack.*:StackOff.*:StackText.*" # it has a C library beside it
step imds_tests /t/imds_kernel_tests --gtest_filter="$imds" \
    --gtest_output=json:/results/imds_tests.json
note_failure imds_tests
# Their expectations stand beside them.
export EBT_CASES=/t EBT_TIERS="$case_tiers"
step case_tests /t/case_tests --gtest_output=json:/results/case_tests.json
note_failure case_tests
