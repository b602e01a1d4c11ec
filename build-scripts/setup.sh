#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that the build needs; with --package also those of package.sh, with --tests those of
# the tests, with --arm64 those of cross builds, with --all also those of test.sh --all. Packages that are installed already are left alone.
set -euo pipefail

build_packages=(
    build-essential cmake ninja-build pkg-config clang llvm
    libbpf-dev libelf-dev libdw-dev zlib1g-dev libzstd-dev libcurl4-openssl-dev
    libssl-dev libseccomp-dev librdkafka-dev libncurses-dev rapidjson-dev
    libboost-program-options-dev libboost-log-dev nlohmann-json3-dev
)
test_packages=(
    libgtest-dev libgmock-dev libbenchmark-dev
    rsyslog rsyslog-openssl openssl kcat systemd bpftool gcc-multilib linux-libc-dev-arm64-cross linux-libc-dev-armhf-cross curl wget python3 awscli iproute2
    qemu-system-x86 busybox-static jq liblzma-dev libbz2-dev
    clang-format clang-tidy shellcheck git valgrind ccache python3-yaml man-db groff-base mandoc zsh
    auditd laurel chromium chromium-driver python3-pyte apparmor procps
)
release_packages=(
    libc-ares-dev liblzma-dev libbz2-dev dpkg-dev debian-archive-keyring python3 zstd file lintian rpm rpmlint cpio
)
arm64_packages=(lld mmdebstrap qemu-system-arm qemu-user)
all_packages=(debootstrap mmdebstrap e2fsprogs "${release_packages[@]}" "${arm64_packages[@]}")

usage() {
    echo "usage: build-scripts/setup.sh [--package|--tests|--arm64|--all]..." >&2
    exit 2
}

fail() {
    printf 'setup.sh: %s\n' "$@" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# auditd is installed for its tools: the daemon must not take over the audit system of this machine.
keep_auditd_stopped() {
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        # shellcheck disable=SC2016 # for that script to expand
        printf '#!/bin/sh\n[ "$1" != auditd ] || exit 101\n' >$policy
        chmod 755 $policy
    fi
}

# The package with the sanitizer runtime of clang: its name contains the version of clang.
clang_runtime() {
    local version
    version=$(apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p' | head -1)
    echo "libclang-rt-${version:-14}-dev"
}

machine=$(uname -m)
[[ $machine =~ ^(x86_64|aarch64)$ ]] || fail "this machine is $machine; ebpf_telemetry runs on x86_64 and aarch64"
[ "$machine" = x86_64 ] || [ $# = 0 ] || fail "this machine is $machine: tests and packages are made on x86_64, also" \
    "those for aarch64: build-scripts/vm-test.sh --arch arm64, build-scripts/package.sh --arch arm64"
packages=("${build_packages[@]}")
for argument in "$@"; do
    case $argument in
    --tests | --all)
        packages+=("${test_packages[@]}" "$(clang_runtime)")
        [ "$argument" = --tests ] || packages+=("${all_packages[@]}")
        ;;
    --arm64) packages+=("${arm64_packages[@]}") ;;
    --package) packages+=("${release_packages[@]}") ;;
    *) usage ;;
    esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail "there is no apt-get on this machine. Install the equivalents of these Debian packages," \
        "then build with: mkdir build && cd build && cmake .. && make" "${packages[*]}"
fi

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

[ "$(id -u)" = 0 ] || fail "these packages are missing: ${missing[*]}" \
    "Run this as root: sudo ${BASH_SOURCE[0]} $*"

echo "setup.sh: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >&2 || fail "apt-get update failed: see above"
[[ " ${missing[*]} " != *" auditd "* ]] || keep_auditd_stopped
present=()
for package in "${missing[@]}"; do
    # Not every release has LAUREL; the test that it is for says so.
    [ "$package" != laurel ] || apt-cache show laurel >/dev/null 2>&1 || continue
    present+=("$package")
done
[ ${#present[@]} -gt 0 ] || exit 0
apt-get install -q -y --no-install-recommends "${present[@]}" >&2 || fail \
    "apt-get could not install all of: ${present[*]}" "See above for the reason; ebpf_telemetry needs Debian 12 or newer."
if [[ " ${missing[*]} " == *" auditd "* ]] && command -v systemctl >/dev/null; then
    systemctl disable --quiet auditd.service || true # nor at the next boot
fi
