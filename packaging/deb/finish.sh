#!/bin/bash
# SPDX-License-Identifier: MIT
# finish.sh FOLDER VERSION MAINTAINER: gives the staged packages (a folder for each component) what Debian's policy asks
# for: changelogs, copyright, compressed man pages, and the unit where this Debian has them.
set -euo pipefail
staged=$1 version=$2 maintainer=$3
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../staged.sh source-path=SCRIPTDIR
. "$folder/../staged.sh"
declare -A names=([programs]=ebpf-telemetry [debug]=ebpf-telemetry-dbgsym [library]=libebpf-loader1 [development]=libebpf-loader-dev)
for component in "${!names[@]}"; do
    top=$staged/$component
    [ -d "$top/usr" ] || continue
    name=${names[$component]}
    documents=$top/usr/share/doc/$name
    mkdir -p "$top/usr/share/doc"
    if [ -d "$top/usr/share/doc/ebpf_telemetry" ]; then
        mv "$top/usr/share/doc/ebpf_telemetry" "$documents"
    fi
    mkdir -p "$documents"
    rm -rf "$documents/LICENSES" "$documents/CHANGELOG.md" # see copyright, changelog.gz
    cp "$folder/copyright" "$documents/copyright"
    gzip -9nc <<END >"$documents/changelog.gz"
ebpf-telemetry ($version) unstable; urgency=medium

  * See the changelog of the program.

 -- $maintainer  $(LC_ALL=C date -uR -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")
END
    if [ -d "$top/usr/share/man" ]; then
        gzip -9n "$top"/usr/share/man/man*/*
        gzip -9nc "$folder/../../CHANGELOG.md" >"$documents/CHANGELOG.md.gz"
    fi
    if [ -d "$top/usr/lib/systemd" ]; then # Debian 12 has units in /lib
        mkdir -p "$top/lib"
        mv "$top/usr/lib/systemd" "$top/lib/systemd"
        rmdir "$top/usr/lib" 2>/dev/null || true
    fi
    [ "$component" != programs ] || add_configuration "$top"
    if [ -e "$folder/$name.overrides" ]; then
        install -D -m 644 "$folder/$name.overrides" "$top/usr/share/lintian/overrides/$name"
    fi
    settle "$top" 644
done
