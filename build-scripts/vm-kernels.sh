#!/bin/bash
# SPDX-License-Identifier: MIT
# Downloads the newest kernel of some Debian suites, with its headers, and prints their paths, one suite a
# line: "bullseye /…/vmlinuz-5.10… /…/linux-headers-5.10…". The packages are unpacked, never installed. They
# are kept in a cache directory; after a week this looks for newer ones.
set -euo pipefail
# shellcheck source=mirror.sh
. "$(dirname "${BASH_SOURCE[0]}")/mirror.sh"

usage() {
    cat <<END
usage: build-scripts/vm-kernels.sh [--update] [--arch ARCH] [SUITE]...
  --update   look for newer kernels now
  --arch     amd64 (default) or arm64, whose headers are not fetched
  SUITE      default: bullseye (5.10) bookworm (6.1) trixie (6.12) sid (the newest); of arm64 also trixie-16k and
             sid-16k, whose pages have 16 KiB
The cache directory is \$EBT_KERNELS, or ebpf_telemetry-kernels in \$XDG_CACHE_HOME, /var/cache or
~/.cache, whichever can be written first.
END
}

fail() {
    printf 'vm-kernels.sh: %s\n' "$@" >&2
    exit 1
}

# Runs apt with all its files in $state, so that it does not change the apt of the machine.
private_apt() { # command, its arguments; uses $state
    local program=$1
    shift
    "$program" -q -o Dir::State="$state/state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
        -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

read_suite() { # suite; sets up $state
    local uri keys=/usr/share/keyrings/debian-archive-keyring.gpg
    uri=$(debian_mirror) || fail "no kernels can be fetched; name one: build-scripts/vm-test.sh --kernel IMAGE"
    mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    [ -e "$keys" ] && keys="[signed-by=$keys]" || keys=
    echo "deb $keys $uri ${1%-16k} main" >"$state/sources.list"
    private_apt apt-get -o APT::Update::Error-Mode=any update >"$state/log" 2>&1
}

# The package with the newest kernel: the metapackage of the suite depends on it. The cloud kernel is
# preferred, because it is smaller. Debian has no cloud kernel with 16 KiB pages.
newest_package() { # suite
    local meta package metas=("linux-image-cloud-$arch" "linux-image-$arch")
    [[ $1 != *-16k ]] || metas=("linux-image-$arch-16k")
    for meta in "${metas[@]}"; do
        package=$(private_apt apt-cache depends --important "$meta" 2>/dev/null |
            sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -1)
        if [ -n "$package" ]; then
            echo "$package"
            return
        fi
    done
}

# Downloads a package and unpacks the files that match the patterns into $state/root.
unpack() { # package, patterns
    local package=$1
    shift
    (cd "$state" && rm -f ./*.deb && private_apt apt-get download "$package" >>log 2>&1) || return 1
    mkdir -p "$state/root"
    dpkg-deb --fsys-tarfile "$state"/*.deb | tar -x -C "$state/root" --wildcards "$@" 2>/dev/null || true
}

depends_on() { # pattern; of the package that was downloaded last
    dpkg-deb -f "$state"/*.deb Depends | tr ',' '\n' | sed -n "s/^ *\($1\).*\$/\1/p" | head -1
}

# Fetches the headers of a release, with those that all kernels of that release share.
fetch_headers() { # release, folder
    local wanted=('*/include/*' '*/Makefile') shared
    unpack "linux-headers-$1" "${wanted[@]}" || return 1
    shared=$(depends_on 'linux-headers-[^ ]*-common[^ ]*')
    [ -n "$shared" ] && unpack "$shared" "${wanted[@]}" || return 1
    mv "$state/root/usr/src"/* "$2/"
}

# Unpacks the kernel image of a package; since 7.x it may be in a package that this one depends on.
fetch_image() { # package, folder
    local image next
    unpack "$1" '*/vmlinuz*' || return 1
    image=$(find "$state/root" -type f -name 'vmlinuz*' | head -1)
    if [ -n "$image" ]; then
        mkdir -p "$2"
        mv "$image" "$2/vmlinuz-$(release_of "$1")"
        return
    fi
    next=$(depends_on 'linux-binary-[^ ]*')
    [ -n "$next" ] && fetch_image "$next" "$2"
}

release_of() { # package
    local name=${1#linux-image-}
    name=${name#linux-binary-}
    name=${name#unsigned-}
    echo "${name%-unsigned}"
}

# get_offsets reads those of amd64 alone.
has_headers() { # folder
    [ "$arch" != amd64 ] || [ -n "$(find "$1" -maxdepth 1 -name 'linux-headers*')" ]
}

update_suite() { # suite, folder
    local package
    state=$(mktemp -d)
    if ! read_suite "$1"; then
        tail -5 "$state/log" >&2
    elif package=$(newest_package "$1") && [ -z "$package" ]; then
        echo "vm-kernels.sh: Debian $1 has no kernel package" >&2
    elif [ -e "$2/vmlinuz-$(release_of "$package")" ] && has_headers "$2"; then
        touch "$2"
    else
        echo "vm-kernels.sh: fetching $package of $1" >&2
        rm -rf "$2.new"
        if fetch_image "$package" "$2.new" &&
            { [ "$arch" != amd64 ] || fetch_headers "$(release_of "$package")" "$2.new"; }; then
            rm -rf "$2"
            mv "$2.new" "$2"
        else
            tail -5 "$state/log" >&2
        fi
    fi
    rm -rf "$state"
}

update=0 arch=amd64
suites=()
while [ $# -gt 0 ]; do
    case $1 in
    --update) update=1 ;;
    --arch)
        [[ ${2-} =~ ^(amd|arm)64$ ]] || { usage >&2 && exit 2; }
        arch=$2
        shift
        ;;
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
    *) suites+=("$1") ;;
    esac
    shift
done
[ ${#suites[@]} -gt 0 ] || suites=(bullseye bookworm trixie sid)
{ command -v apt-get && command -v dpkg-deb; } >/dev/null ||
    fail "there is no apt-get on this machine. Name a kernel yourself: build-scripts/vm-test.sh --kernel IMAGE"

kernels=$(debian_cache) || exit 1
exec 9>"$kernels/.lock"
flock 9
for suite in "${suites[@]}"; do
    folder=$kernels/$suite
    [ "$arch" = amd64 ] || folder+=-$arch
    if [ $update = 1 ] || [ -z "$(find "$folder" -maxdepth 0 -mtime -7 2>/dev/null)" ] || ! has_headers "$folder"; then
        update_suite "$suite" "$folder"
    fi
    image=$(find "$folder" -maxdepth 1 -name 'vmlinuz*' 2>/dev/null | head -1)
    [ -n "$image" ] || fail "no kernel of Debian $suite could be downloaded: see above"
    [ -n "$(find "$folder" -maxdepth 0 -mtime -7)" ] ||
        echo "vm-kernels.sh: could not look for a newer kernel of Debian $suite; using ${image##*/}" >&2
    headers=
    [ "$arch" != amd64 ] || headers=${image/vmlinuz/linux-headers}
    echo "$suite $image $headers"
done
