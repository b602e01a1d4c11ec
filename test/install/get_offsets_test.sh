#!/bin/bash
# SPDX-License-Identifier: MIT
# get_offsets by its own Makefile, in a copy of the sources, and its command line.
# shellcheck source=checks.sh
. "$(dirname "$0")/checks.sh"

built=$BUILD/get_offsets/get_offsets
tree=$scratch/tree
mkdir -p "$tree/kern" "$tree/loader"
cp -r "$SOURCE/kern/abi" "$tree/kern/"
cp -r "$SOURCE/loader/include" "$SOURCE/loader/src" "$tree/loader/"
mkdir "$tree/get_offsets"
cp "$SOURCE"/get_offsets/{Makefile,*.cpp,*.hpp} "$tree/get_offsets/"

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
# A field that architectures have in different places has a row for each.
[ "$(grep -c '^    at ' "$scratch/out")" = "$(grep -o '^OFFSET([^,]*,[^,]*' "$SOURCE/kern/abi/offsets.def" | sort -u | wc -l)" ] ||
    fail "--list does not list every row"
expect_text "$scratch/out" "    at task_struct.start_boottime|task_struct.real_start_time"

expect_status 0 "$built" --btf /sys/kernel/btf/vmlinux --release 1.2.3-test
expect_text "$scratch/out" "release = 1.2.3-test"
expect_text "$scratch/out" "# Source: BTF of /sys/kernel/btf/vmlinux"
diff <(grep '^[a-z_]*\.' "$scratch/out") <(grep '^[a-z_]*\.' "$scratch/expected") ||
    fail "the kernel's BTF as a file gives other offsets"
expect_status 0 "$built" --btf /sys/kernel/btf/vmlinux
expect_text "$scratch/out" "release = any"
expect_text "$scratch/err" "does not contain the release of its kernel"

expect_status 1 "$built" --vmlinux /bin/true
expect_text "$scratch/err" "There is neither BTF nor DWARF in"
expect_empty "$scratch/out"
expect_status 1 "$built" --vmlinux "$0"
expect_text "$scratch/err" "There is neither BTF nor DWARF in"
expect_status 1 "$built" --vmlinux /no/such
expect_text "$scratch/err" "Cannot read /no/such: No such file"

# Without BTF the offsets are discovered, by root; both have to give the same.
expect_status 0 env EBPF_TELEMETRY_BTF=/no/such "$built"
expect_text "$scratch/out" "# Source: discovery on the running kernel"
# But for what no process can observe of itself: that is absent then.
unseen=$(sed -n 's/^OFFSET(\([a-z_]*\), \([a-z_]*\), UNSEEN,.*/^\1\\.\2 = /p' "$SOURCE/kern/abi/offsets.def")
[ "$(grep -e "$unseen" "$scratch/out" | grep -vc ' = absent')" = 0 ] || fail "what cannot be observed was discovered"
# The mark of a 32-bit call is seen where these are taken.
cat >"$scratch/compat.c" <<'END'
int main(void) {
    int result = 20; /* getpid */
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    return result <= 0;
}
END
${CC:-cc} -o "$scratch/compat" "$scratch/compat.c"
if ! (ulimit -c 0 && "$scratch/compat") 2>/dev/null; then
    echo "get_offsets_test.sh: not compared: task_struct.status, since this machine takes no calls of 32-bit programs"
    unseen+=$'\n''^task_struct\.status = '
fi
diff <(grep '^[a-z_]*\.' "$scratch/out" | grep -v -e "$unseen") \
    <(grep '^[a-z_]*\.' "$scratch/expected" | grep -v -e "$unseen") ||
    fail "discovery gives other offsets than the kernel's BTF"
cp "$scratch/out" "$scratch/conf"
# A kernel without a tracepoint is one where it cannot be seen: Linux before 4.14 has none of page faults.
page_fault=/sys/kernel/tracing/events/exceptions/page_fault_kernel
[ -r $page_fault/id ] || fail "there is no $page_fault to hide"
# shellcheck disable=SC2016 # the inner shell's arguments
expect_status 0 unshare --mount --propagation private bash -c 'mount -t tmpfs none "$1" && "$2" --discover' \
    bash $page_fault "$built"
diff "$scratch/out" "$scratch/conf" || fail "discovery without the page faults' tracepoint finds other offsets"
expect_status 0 "$built" --check "$scratch/conf"
expect_text "$scratch/out" ", 0 are wrong, 0 could not be checked."
sed -i 's/^cred.uid = .*/cred.uid = 100/' "$scratch/conf"
expect_status 1 "$built" --check "$scratch/conf"
expect_text "$scratch/out" "wrong: cred.uid is at "
expect_text "$scratch/out" ", 1 are wrong, 0 could not be checked."
expect_status 1 setpriv --reuid 65534 --clear-groups --inh-caps=-all env EBPF_TELEMETRY_BTF=/no/such "$built"
expect_text "$scratch/err" "This kernel has no BTF"
expect_text "$scratch/err" "not allowed to discover"
expect_empty "$scratch/out"
for arguments in "--no-such" "surplus" "--btf" "--btf a --vmlinux b" "--release a#b" "--discover --btf a" "--check" "--check a --discover"; do
    # shellcheck disable=SC2086 # several words are meant
    expect_status 2 "$built" $arguments
    expect_empty "$scratch/out"
    expect_text "$scratch/err" "Try: get_offsets --help"
done
expect_status 1 bash -c "'$built' >/dev/full"
expect_text "$scratch/err" "No space left on device"

# DWARF: the same structures, compiled here with every format of debug information, have to
# give the same offsets; then once more with a bitfield, which each format writes its own way.
offsets_of() { # FILE... : the config's fields alone
    expect_status 0 "$built" "$@"
    grep '^[a-z_]*\.' "$scratch/out"
}
write_structures() { # one variable of each structure of the table, and a kernel's banner
    printf '%s\n' '#include "vmlinux.h"' \
        'const char linux_banner[] = "Linux version 5.4.0-42-generic (buildd@x) #1\n";'
    "$built" --list | sed -n 's/^    at //p' | tr '|' '\n' | cut -d. -f1 | sort -u |
        sed 's/.*/struct & the_&;/'
}
expect_dwarf_to_equal() { # FILE
    local compiler version
    for compiler in gcc "$CLANG"; do
        for version in 2 4 5; do
            "$compiler" -g -gdwarf-$version -w -shared -nostdlib -fPIC structures.c -o vmlinux ||
                fail "$compiler does not compile the kernel's structures"
            offsets_of --vmlinux vmlinux >offsets
            diff offsets "$1" || fail "DWARF $version of $compiler gives other offsets"
            expect_text "$scratch/out" "# Source: DWARF of vmlinux"
            expect_text "$scratch/out" "release = 5.4.0-42-generic"
        done
    done
}
mkdir "$scratch/dwarf"
cd "$scratch/dwarf" || exit 1
bpftool btf dump file /sys/kernel/btf/vmlinux format c >vmlinux.h
# bpftool does not write down that an enumeration is smaller than an int.
bpftool btf dump file /sys/kernel/btf/vmlinux format raw |
    sed -n "s/^\[[0-9]*\] ENUM '\([a-z_0-9]*\)' .*size=[12] .*/\1/p" | grep -v '^(anon)' | sort -u >small
while read -r name; do
    sed -i "/^enum $name {\$/,/^};\$/ s/^};\$/} __attribute__((packed));/" vmlinux.h
done <small
write_structures >structures.c
grep '^[a-z_]*\.' "$scratch/expected" >expected
expect_dwarf_to_equal expected

# Headers: the same structures, and a field that a configuration brings which Linux 4.16 and 4.17 have from their
# Makefile alone.
headers=$scratch/headers/include
mkdir -p "$headers"/{linux/sched,net,generated}
sed -e 's/^struct mount {$/struct kernels_mount {/' \
    -e 's/^struct task_struct {$/&\n#ifdef CONFIG_CC_STACKPROTECTOR\n\tlong brought;\n#endif/' vmlinux.h >"$headers/linux/vmlinux.h"
sed -n 's/^#include <\([a-z/_-]*\.h\)>$/\1/p' <(sed -n '/^constexpr const char\* source_text/,/^)";/p' \
    "$SOURCE/get_offsets/headers.cpp") | while read -r name; do
    echo '#include <linux/vmlinux.h>' >"$headers/$name"
done
sed -i '1i #pragma once' "$headers/linux/vmlinux.h"
echo '#include <generated/autoconf.h>' >"$headers/linux/kconfig.h"
echo '#define UTS_RELEASE "4.17.0-test"' >"$headers/generated/utsrelease.h"
for option in STACKPROTECTOR_STRONG CC_STACKPROTECTOR_STRONG CC_STACKPROTECTOR_AUTO; do
    echo "#define CONFIG_$option 1" >"$headers/generated/autoconf.h"
    expect_status 0 "$built" --headers "$scratch/headers"
    expect_text "$scratch/out" "release = 4.17.0-test"
    sed -n 's/^task_struct.pid = \([0-9]*\) .*/\1/p' "$scratch/out"
done >pids
{ read -r without && read -r strong && read -r auto; } <pids
[ "$((without + 8)) $((without + 8))" = "$strong $auto" ] || fail "the stack protector's field is not seen: $(tr '\n' ' ' <pids)"

sed -i 's/^\tu16 sk_protocol;$/\tunsigned int before: 8, sk_protocol: 8, after: 16;/' vmlinux.h
"$CLANG" -target bpf -g -w -c structures.c -o structures.o
offsets_of --btf structures.o >expected
at=$(sed -n 's/^sock.sk_protocol = \([0-9]*\) .*/\1/p' expected)
[ $((at % 4)) = 1 ] || fail "the bitfield is not where it was put: $at"
expect_dwarf_to_equal expected
echo "get_offsets: all as it should be"

# Headers: what is none is refused, with the reason.
expect_status 1 "$built" --headers "$scratch"
expect_text "$scratch/err" "There are no kernel headers in"
mkdir -p "$scratch/shuffled/include/linux" "$scratch/shuffled/include/generated"
touch "$scratch/shuffled/include/linux/"{sched,kconfig}.h
echo "#define CONFIG_RANDSTRUCT 1" >"$scratch/shuffled/include/generated/autoconf.h"
expect_status 1 "$built" --headers "$scratch/shuffled"
expect_text "$scratch/err" "CONFIG_RANDSTRUCT"
: >"$scratch/shuffled/include/generated/autoconf.h"
expect_status 1 "$built" --headers "$scratch/shuffled"
expect_text "$scratch/err" "do not compile with"
expect_empty "$scratch/out"
