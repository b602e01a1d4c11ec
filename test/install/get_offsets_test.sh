#!/bin/bash
# SPDX-License-Identifier: MIT
# get_offsets by its own Makefile, in a copy of the sources, and its command line.
. "$(dirname "$0")/checks.sh"

built=$BUILD/get_offsets/get_offsets
tree=$scratch/tree
mkdir -p "$tree/kern" "$tree/loader"
cp -r "$SOURCE/kern/abi" "$tree/kern/"
cp -r "$SOURCE/loader/include" "$SOURCE/loader/src" "$tree/loader/"
mkdir "$tree/get_offsets"
cp "$SOURCE"/get_offsets/{Makefile,*.cpp} "$tree/get_offsets/"

"$built" >"$scratch/expected"
cd "$tree/get_offsets" || exit 1

# As a user's shell has it: no settings of the make that may run this test.
unset MAKEFLAGS MFLAGS MAKELEVEL
expect_status 0 make conf
cmp "$scratch/out" "$scratch/expected" || fail "make conf right after unpacking prints something else"
expect_status 0 make conf
cmp "$scratch/out" "$scratch/expected" || fail "make conf for the second time prints something else"
expect_empty "$scratch/err"
expect_status 0 make clean
if [ -e get_offsets ] || [ -n "$(find . -name "*.o")" ]; then
    fail "make clean leaves files"
fi
expect_status 0 make -s -j4 conf
cmp "$scratch/out" "$scratch/expected" || fail "a parallel make conf prints something else"
expect_status 2 make conf ARGS="--btf /no/such"
expect_empty "$scratch/out"
expect_text "$scratch/err" "Cannot read /no/such: No such file or directory"

# A change of the table reaches the tool.
sed -i 's|^OFFSET(path, mnt, .*|&\nOFFSET(path, dentry_too, OPTIONAL, "path.no_such", "a new row")|' \
    "$tree/kern/abi/offsets.def"
expect_status 0 make conf
expect_text "$scratch/out" "path.dentry_too = absent"

expect_status 0 "$built" --help
expect_text "$scratch/out" "Usage: get_offsets"
expect_status 0 "$built" --list
[ "$(grep -c '^    at ' "$scratch/out")" = "$(grep -c '^OFFSET(' "$SOURCE/kern/abi/offsets.def")" ] ||
    fail "--list does not list every row"
expect_text "$scratch/out" "    at task_struct.start_boottime|task_struct.real_start_time"

expect_status 0 "$built" --btf /sys/kernel/btf/vmlinux --release 1.2.3-test
expect_text "$scratch/out" "release = 1.2.3-test"
expect_text "$scratch/out" "# Source: BTF of /sys/kernel/btf/vmlinux"
diff <(grep '^[a-z_]*\.' "$scratch/out") <(grep '^[a-z_]*\.' "$scratch/expected") ||
    fail "the kernel's BTF as a file gives other offsets"
expect_status 0 "$built" --btf /sys/kernel/btf/vmlinux
expect_text "$scratch/out" "release = any"
expect_text "$scratch/err" "does not tell its kernel's release"

expect_status 1 "$built" --vmlinux "$built"
expect_text "$scratch/err" "There is no BTF in"
expect_empty "$scratch/out"
expect_status 1 env EBPF_TELEMETRY_BTF=/no/such "$built"
expect_text "$scratch/err" "does not describe its structures"
expect_empty "$scratch/out"
for arguments in "--no-such" "surplus" "--btf" "--btf a --vmlinux b" "--release a#b"; do
    # shellcheck disable=SC2086 # several words are meant
    expect_status 2 "$built" $arguments
    expect_empty "$scratch/out"
    expect_text "$scratch/err" "Try: get_offsets --help"
done
expect_status 1 bash -c "'$built' >/dev/full"
expect_text "$scratch/err" "No space left on device"
echo "get_offsets: all as it should be"
