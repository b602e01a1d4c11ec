#!/bin/bash
# SPDX-License-Identifier: MIT
# finish.sh FOLDER VERSION MAINTAINER: gives the staged packages (a folder for each component) what rpms have otherwise:
# compressed man pages, zsh's folder, files of options, licences in their place.
set -euo pipefail
staged=$1
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../staged.sh source-path=SCRIPTDIR
. "$folder/../staged.sh"
declare -A names=([programs]=ebpf-telemetry [debug]=ebpf-telemetry-debuginfo [library]=libebpf-loader1 [development]=libebpf-loader-devel)
for component in "${!names[@]}"; do
    top=$staged/$component
    [ -d "$top/usr" ] || continue
    name=${names[$component]}
    licences=$top/usr/share/licenses/$name
    mkdir -p "$licences" "$top/usr/share/doc"
    [ ! -d "$top/usr/share/doc/ebpf_telemetry" ] || mv "$top/usr/share/doc/ebpf_telemetry" "$top/usr/share/doc/$name"
    cp "$folder/../../LICENSES"/* "$licences/"
    rm -rf "$top/usr/share/doc/$name/LICENSES" "$top/usr/share/zsh/vendor-completions"
    rmdir "$top/usr/share/doc" 2>/dev/null || true
    if [ -d "$top/usr/share/man" ]; then
        gzip -9n "$top"/usr/share/man/man*/*
    fi
    library=$top/usr/lib/x86_64-linux-gnu # Debian's name for it
    if [ -d "$library" ]; then
        mv "$library" "$top/usr/lib64"
        sed -i 's|lib/x86_64-linux-gnu|lib64|' "$top"/usr/lib64/pkgconfig/*.pc 2>/dev/null || true
    fi
    [ "$component" != programs ] || add_configuration "$top"
    settle "$top" 755
done
