# SPDX-License-Identifier: MIT
# Runs in a guest of build-scripts/vm-test.sh, under busybox, on the kernel in question:
# asks the program what this kernel can, and runs the kernel tests on every tier it takes.
# /t/settings, from the command line: tiers, filter, seconds. Results go to /results.
. /t/settings

config=
[ -e /t/offsets.conf ] && config=/t/offsets.conf

uname -r >/results/release
cut -d. -f1 /proc/uptime >/results/boot_seconds

echo "probing"
/t/ebpf_telemetry --probe -f json ${config:+-c $config} >/results/probe.json 2>/results/probe.err
echo $? >/results/probe.status
cat /results/probe.err

echo "kernel tests"
timeout "$seconds" /t/kernel_tests --tiers="$tiers" ${config:+--offsets=$config} --gtest_filter="$filter" \
    --gtest_output=json:/results/tests.json >/results/tests.log 2>&1
echo $? >/results/tests.status
tail -n 60 /results/tests.log
