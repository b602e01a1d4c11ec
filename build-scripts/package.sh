#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the portable release on Debian 12: programs that run on any Linux, whatever is installed there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'END'
usage: build-scripts/package.sh [--arch ARCH] [--build FOLDER] [--output FOLDER] [OPTION OF CMAKE...]
  --arch ARCH       amd64 (default) or arm64, which is cross-built: all but the library and what is needed to build with it
  --build FOLDER    where to build (default: build-package, of arm64 build-package-arm64); what was made there before
                    is used again
  --output FOLDER   where the release goes (default: release in the build folder); it is made anew
Makes, with NAME for ebpf_telemetry-VERSION-linux-ARCH
  NAME.tar.zst          programs, rules, documentation, unit and the licences of what is linked in
  NAME-debug.tar.zst    their debug information
  NAME-relink.tar.zst   their objects and link.sh, to link them with other versions of the libraries
  NAME.spdx.json        what is linked in
  *.deb                 the programs, their debug information, the library, and what is needed to build with it, for
                        Debian and its relatives
  *.rpm                 the same for Red Hat, Amazon Linux, SUSE and theirs
  SHA256SUMS            of all of them
The same sources and Debian packages give the same bytes in any folder. SOURCE_DATE_EPOCH (default: the time of
the last commit) is the time of all files, DEBFULLNAME and DEBEMAIL are who maintains the packages. The packages that
it needs: build-scripts/setup.sh --package, for arm64 also --arm64
END
    exit "$1"
}

fail() {
    printf 'package.sh: %s\n' "$@" >&2
    exit 1
}

arch=amd64 build='' output=''
cmake_options=()
while [ $# -gt 0 ]; do
    case $1 in
    --arch | --build | --output)
        [ $# -gt 1 ] || usage 2 >&2
        declare "${1#--}=$2"
        shift
        ;;
    -h | --help) usage 0 ;;
    -D*) cmake_options+=("$1") ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
[[ $arch =~ ^(amd|arm)64$ ]] || fail "--arch takes amd64 or arm64, not $arch"
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || fail "this has to run on Debian 12, amd64"
[[ $(cat /etc/debian_version) = 12.* ]] ||
    fail "this has to run on Debian 12: other releases have other versions of the libraries"
setup=(--package) root='' cross=() objcopy=objcopy strip=strip nm=nm
if [ "$arch" = arm64 ]; then
    setup+=(--arm64) objcopy=llvm-objcopy strip=llvm-strip nm=llvm-nm
fi
build-scripts/setup.sh "${setup[@]}" || exit 1
if [ "$arch" = arm64 ]; then
    root=$(build-scripts/arm64/root.sh)
    cross=(-DCMAKE_TOOLCHAIN_FILE="$PWD/build-scripts/arm64/toolchain.cmake" -DEBT_ROOT="$root")
    build=${build:-build-package-arm64}
fi
build=${build:-build-package}
sources=$PWD
mkdir -p "$build" # the old release stays until the new one is complete
build=$(cd "$build" && pwd)
output=${output:-$build/release}

if [ -z "${SOURCE_DATE_EPOCH-}" ]; then
    SOURCE_DATE_EPOCH=$(git -c safe.directory='*' log -1 --format=%ct 2>/dev/null) ||
        fail "this is not a git clone: set SOURCE_DATE_EPOCH to the time of the release, in seconds since 1970"
fi
export SOURCE_DATE_EPOCH
export LC_ALL=C TZ=UTC
# What would change how things are compiled; ccache with a base folder writes other paths into debug information.
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CCACHE_BASEDIR CCACHE_NOHASHDIR
umask 022

# shellcheck source=progress.sh
. build-scripts/progress.sh

programs=(ebpf_telemetry imds-tracker get_offsets)
largest=$((20 << 20)) # bytes of a program
declare -A made=([ebpf_telemetry]=ebpf_telemetry [imds-tracker]=imds-tracker [get_offsets]=get_offsets/get_offsets)

say() {
    progress_clear
    echo "package.sh: $*" >&2
}

# One folder for each recipe, so that a changed one is not taken for this.
curl=$build/cache/curl-$(sha256sum packaging/portable/curl.sh | cut -c1-12)
progress_step 1 5 "libcurl"
packaging/portable/curl.sh "$curl" "${cross[@]}"

progress_step 2 5 "programs"
tree=$build/tree
logged() {
    "$@" >"$build/log" 2>&1 || fail "this failed: $*" "$(tail -n 30 "$build/log")"
}
logged cmake -G Ninja -S . -B "$tree" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
    -DEBT_STATIC=ON -DEBT_TESTS=OFF -DEBT_BENCH=OFF -DEBT_PORTABLE="$curl" -DCMAKE_C_FLAGS=-g -DCMAKE_CXX_FLAGS=-g \
    "${cross[@]}" "${cmake_options[@]}"
logged cmake --build "$tree" --parallel "$(nproc)" --target "${programs[@]}"

# A program must not load what the host has, which may be another C library's or missing: the C library's name
# services do, and its dlopen, which it has as a weak name in contrast to ours.
for program in "${programs[@]}"; do
    file=$tree/${made[$program]}
    ! readelf -lW "$file" | grep -q INTERP || fail "$program is not static"
    loads=$($nm "$file" | grep -E ' (([TtWi] (__nss_database_get|__nss_lookup|getpw[a-z_]*|getgr(nam|gid|ent)[a-z_]*))|[Wi] dlopen)$' || true)
    [ -z "$loads" ] || fail "$program would load libraries of the host; packaging/portable/refused.c has to say no to:" "$loads"
done
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$tree/CMakeCache.txt")
name=ebpf_telemetry-$version-linux-$arch

progress_step 3 5 "release"
stage=$build/stage
rm -rf "$stage" "$tree/licences" "$tree/packages" "$build/shared/packages"
mkdir -p "$stage/$name/licences" "$stage/$name-debug" "$stage/$name-relink" "$stage/release"
logged cmake --install "$tree" --prefix "$stage/$name" --component programs
sed 's/^    //' >"$stage/$name/README" <<END
    ebpf_telemetry $version for Linux on $arch
    The programs are in sbin/ and bin/ and need nothing beside them. share/doc/ebpf_telemetry/docs/install.md says how
    to install them, licences/ under which terms the libraries in them are.
END

# Debug information where gdb looks for it, by the program's build id.
for program in "${programs[@]}"; do
    installed=$(echo "$stage/$name"/*bin/"$program")
    id=$(readelf -n "$installed" | sed -n 's/^ *Build ID: //p')
    [ -n "$id" ] || fail "$program has no build id"
    debug=$stage/$name-debug/usr/lib/debug/.build-id/${id:0:2}
    mkdir -p "$debug"
    $objcopy --only-keep-debug --compress-debug-sections "$installed" "$debug/${id:2}.debug"
    $strip --strip-all --remove-section=.comment "$installed"
    size=$(stat -c %s "$installed")
    [ "$size" -le $largest ] || fail "$program has $size bytes; at most $largest are allowed"
    say "$program has $size bytes"
done

# Everything of ours that is linked in, without debug information, and how.
relink() {
    local program
    echo "#!/bin/sh"
    echo "# Links the programs again, on Debian 12 with the packages of build-scripts/setup.sh --package, or with"
    echo "# other versions of the libraries: change their paths below."
    echo "set -e"
    [ -z "$root" ] || echo "root=\${1:?the folder that build-scripts/arm64/root.sh has made}"
    for program in "${programs[@]}"; do
        ninja -C "$tree" -t commands -s "${made[$program]}" | sed -n 's/^: && \(.*\) && :$/\1/p' |
            sed "s|$curl/|curl/|g; s|-Wl,-Map=[^ ]*||; ${root:+s|$root|\$root|g}"
    done
}
relink >"$stage/$name-relink/link.sh"
chmod 755 "$stage/$name-relink/link.sh"
grep -q ' -o imds-tracker ' "$stage/$name-relink/link.sh" || fail "the build's commands for linking are not understood"
for word in $(tr ' ' '\n' <"$stage/$name-relink/link.sh" | grep -E '^[^/$-].*\.[ao]$' | sort -u); do
    from=$tree/$word
    [ -e "$from" ] || from=$curl/${word#curl/}
    mkdir -p "$(dirname "$stage/$name-relink/$word")"
    $strip --strip-debug --enable-deterministic-archives -o "$stage/$name-relink/$word" "$from"
done
mkdir -p "$stage/$name-relink/get_offsets"

ninja -C "$tree" -t deps >"$build/deps"
packaging/portable/contents.py --maps "$tree"/{ebpf_telemetry,imds-tracker,get_offsets}.map --deps "$build/deps" \
    ${root:+--root "$root"} --curl "$curl" --programs "$stage/$name"/sbin/{ebpf_telemetry,imds-tracker} "$stage/$name/bin/get_offsets" \
    --version "$version" --epoch "$SOURCE_DATE_EPOCH" --licences "$stage/$name/licences" \
    --spdx "$stage/release/$name.spdx.json"

progress_step 4 5 "packages"
rm -rf "$tree/debug"
cp -r "$stage/$name-debug/usr/lib/debug" "$tree/debug"
# The library is shared, unlike the programs; what its packages depend on is found out on their own machine alone.
folders=("$tree")
if [ "$arch" = amd64 ]; then
    hardened="-g -fstack-protector-strong -D_FORTIFY_SOURCE=2"
    for map in "$sources=." "$sources/=" "$build/shared=." "$build/shared/="; do # as in portable.cmake
        hardened+=" -ffile-prefix-map=$map"
    done
    logged cmake -G Ninja -S . -B "$build/shared" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DEBT_TESTS=OFF \
        -DEBT_BENCH=OFF -DCMAKE_CXX_FLAGS="$hardened" -DCMAKE_SHARED_LINKER_FLAGS="-Wl,-z,relro,-z,now" "${cmake_options[@]}"
    logged cmake --build "$build/shared" --parallel "$(nproc)" --target ebpf_loader
    folders+=("$build/shared")
fi
cp -r "$stage/$name/licences" "$tree/licences"
for folder in "${folders[@]}"; do
    rm -rf "$folder/packages"
    for kind in DEB RPM; do
        (cd "$folder" && logged cpack -G $kind -B "$folder/packages")
    done
    cp "$folder"/packages/*.{deb,rpm} "$stage/release/"
done

progress_step 5 5 "archives"
for part in "$name" "$name-debug" "$name-relink"; do
    tar -C "$stage" --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --mode=u+rw,go+r-w -c "$part" | zstd -q -15 -T1 >"$stage/release/$part.tar.zst"
done
(cd "$stage/release" && sha256sum -- *.deb *.rpm *.json *.tar.zst >SHA256SUMS)
rm -rf "$output"
mkdir -p "$(dirname "$output")"
mv "$stage/release" "$output"
rm -rf "$stage"
[ "$(id -u)" != 0 ] || chown -hR --reference="$sources" "$build" "$output"
say "the release is in $output"
