#!/bin/bash
# SPDX-License-Identifier: MIT
# The shared library exports what its public headers mark with EBPF_LOADER_API, all of it and nothing else.
. "$(dirname "$0")/checks.sh"

library=$BUILD/libebpf_loader.so
nm -DC --defined-only "$library" | cut -d' ' -f3- | sed 's/\[abi:cxx11\]//' | sort -u >"$scratch/exported"
[ "$(wc -l <"$scratch/exported")" -ge 40 ] || fail "the library exports too little:" "$(cat "$scratch/exported")"

# What the headers mark, without comments: functions, and the functions of classes.
sed 's|//.*||' "$SOURCE"/loader/include/ebpf_loader/*.hpp >"$scratch/headers"
sed -n 's/^EBPF_LOADER_API .*[ *&]\([a-z_0-9]*\)(.*/ebpf_loader::\1/p' "$scratch/headers" >"$scratch/declared"
awk '/^class EBPF_LOADER_API/ { class = $3 }
     /^};/ { class = "" }
     /EBPF_LOADER_LOCAL/ { next }
     class && match($0, /~?[A-Za-z_0-9]+\(/) { print "ebpf_loader::" class "::" substr($0, RSTART, RLENGTH - 1) }' \
    "$scratch/headers" >"$scratch/members"
sort -u "$scratch/declared" -o "$scratch/declared"

# A function that is declared without a mark would be missed only by who calls it.
unmarked=$(grep -E '^[a-zA-Z][^#=]*[ *&][a-z_0-9]+\(' "$scratch/headers" |
    grep -vE '^(EBPF_LOADER_API|inline|constexpr|static) ' || true)
[ -z "$unmarked" ] || fail "declared without EBPF_LOADER_API:" "$unmarked"

# Of classes that are thrown the compiler makes a description, too.
grep -vE '^(typeinfo|typeinfo name|vtable) for ebpf_loader::(MemoryLimit)?Error$' "$scratch/exported" |
    sed 's/(.*//' | sort -u >"$scratch/names"
surplus=$(sort -u "$scratch/declared" "$scratch/members" | comm -13 - "$scratch/names")
[ -z "$surplus" ] || fail "exported, but no public header declares it:" "$surplus"
missing=$(comm -23 "$scratch/declared" "$scratch/names")
[ -z "$missing" ] || fail "declared with EBPF_LOADER_API, but not exported:" "$missing"
echo "$(wc -l <"$scratch/names") names exported, all of them declared"
