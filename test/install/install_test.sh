#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs into a folder, moves it, and lives there as a user's program would.
# shellcheck source=checks.sh
. "$(dirname "$0")/checks.sh"

install_tree() {
    "$CMAKE" --install "$BUILD" --prefix "$scratch/first" >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
    mv "$scratch/first" "$scratch/moved" # nothing in it may know where it was
    prefix=$scratch/moved
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name ebpf_loader.pc)")
    export PKG_CONFIG_PATH
    libraries=$(pkg-config --variable=libdir ebpf_loader)
}

expect_files() {
    local file
    for file in sbin/ebpf_telemetry sbin/imds-tracker bin/get_offsets include/ebpf_loader/engine.hpp \
        include/ebpf_loader/abi/record.h include/ebpf_loader/abi/offsets.def \
        share/ebpf_telemetry/rules/syscalls.rules share/ebpf_telemetry/rules/minimal.rules \
        share/ebpf_telemetry/rules/forensic.rules share/ebpf_telemetry/rules/imds-endpoints.conf \
        share/doc/ebpf_telemetry/docs/imds.md share/doc/ebpf_telemetry/README.md \
        share/doc/ebpf_telemetry/get_offsets/README.md share/doc/ebpf_telemetry/LICENSES/MIT.txt \
        share/doc/ebpf_telemetry/LICENSES/GPL-2.0-only.txt \
        share/doc/ebpf_telemetry/LICENSES/LGPL-2.1-only.txt share/man/man8/ebpf_telemetry.8 \
        share/man/man8/imds-tracker.8 share/man/man8/get_offsets.8 lib/systemd/system/ebpf-telemetry.service \
        share/ebpf_telemetry/apparmor/ebpf-telemetry share/ebpf_telemetry/apparmor/imds-tracker \
        share/ebpf_telemetry/apparmor/abstractions/ebpf-telemetry share/ebpf_telemetry/systemd/apparmor.conf \
        share/bash-completion/completions/imds-tracker share/zsh/site-functions/_ebpf_telemetry lib/systemd/system/imds-tracker.service; do
        [ -s "$prefix/$file" ] || fail "not installed: $file" "$(cd "$prefix" && find . -type f)"
    done
}

# A program that was linked asks for the library by its major version.
expect_soname() {
    readelf -d "$libraries/libebpf_loader.so" >"$scratch/dynamic"
    expect_text "$scratch/dynamic" "soname: [libebpf_loader.so.1]"
}

# shellcheck disable=SC2046 # pkg-config prints several words
compile() {
    "$CXX" -std=c++20 -Wall -Wextra -Werror "$@" $(pkg-config --cflags --libs ebpf_loader)
}

expect_headers_stand_alone() {
    local header
    (cd "$prefix/include" && find ebpf_loader -name '*.h*') >"$scratch/headers"
    [ "$(wc -l <"$scratch/headers")" -ge 8 ] || fail "headers are missing:" "$(cat "$scratch/headers")"
    while read -r header; do
        echo "#include <$header>" >>"$scratch/all.cpp"
        echo "#include <$header>" >"$scratch/one.cpp"
        compile -fsyntax-only "$scratch/one.cpp" || fail "$header does not compile alone"
    done <"$scratch/headers"
    compile -fsyntax-only "$scratch/all.cpp" || fail "the headers do not compile together"
}

expect_programs_to_run() {
    cd /
    expect_status 0 "$prefix/sbin/ebpf_telemetry" --version
    expect_text "$scratch/out" "ebpf_telemetry"
    expect_status 0 "$prefix/sbin/ebpf_telemetry" --duration 1 -f json
    expect_status 0 "$prefix/sbin/imds-tracker" --version
    expect_text "$scratch/out" "imds-tracker"
    local endpoints=$prefix/share/ebpf_telemetry/rules/imds-endpoints.conf
    expect_status 0 "$prefix/sbin/imds-tracker" --check --endpoints "$endpoints"
    expect_text "$scratch/out" " endpoints and kernel offsets"
    expect_status 0 "$prefix/sbin/imds-tracker" --duration 1 -f json
    expect_text "$scratch/err" "info: reporting"
    expect_status 0 "$prefix/bin/get_offsets"
    expect_text "$scratch/out" "task_struct.real_parent = "
}

expect_example_to_work() {
    local example=$prefix/share/doc/ebpf_telemetry/example/openat.cpp
    compile "$example" -o "$scratch/openat" || fail "the example does not compile"
    mkdir "$scratch/cwd"
    touch "$scratch/a file to open" "$scratch/cwd/another"
    export LD_LIBRARY_PATH=$libraries
    "$scratch/openat" >"$scratch/opened" 2>"$scratch/err" &
    local pid=$! status=0
    while kill -0 "$pid" 2>/dev/null; do # until it has ended, after its second
        cat "$scratch/a file to open"
        (cd "$scratch/cwd" && cat another) # paths below the cwd are reported otherwise
        sleep 0.1
    done
    wait "$pid" || status=$?
    [ "$status" = 0 ] || fail "the example ended with $status:" "$(cat "$scratch/err")"
    local file
    for file in "$scratch/a file to open" "$scratch/cwd/another"; do
        grep -qE "^pid [0-9]+ opened $file\$" "$scratch/opened" ||
            fail "the example did not see $file:" "$(tail -5 "$scratch/opened")"
    done
}

# The kernel's paths begin at the root of the mount namespace, ours at the chroot: the engine
# must not take the difference for wrong offsets.
expect_example_to_work_in_chroot() {
    mkdir "$scratch/root"
    # shellcheck disable=SC2016 # for the inner shell
    expect_status 0 unshare --mount sh -c 'mount --rbind / "$1" && exec chroot "$1" "$2"' sh \
        "$scratch/root" "$scratch/openat"
}

# Packages are made so.
expect_destdir() {
    DESTDIR=$scratch/stage "$CMAKE" --install "$BUILD" >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
    [ -n "$(find "$scratch/stage" -name libebpf_loader.so.1)" ] || fail "DESTDIR was not honoured"
}

install_tree
expect_files
expect_soname
expect_headers_stand_alone
expect_programs_to_run
expect_example_to_work
expect_example_to_work_in_chroot
expect_destdir
echo "installed tree: all as it should be"
