#!/bin/bash
# SPDX-License-Identifier: MIT
# register.sh ROOT, run by mmdebstrap for root.sh while the packages are there: enters those that it only unpacks into
# ROOT's database of dpkg, which then tells which package a file is of (packaging/portable/contents.py).
set -euo pipefail
database=$1/var/lib/dpkg
echo 1 >"$database/info/format" # lists are named with their architecture
for package in "$1"/var/cache/apt/archives/*.deb; do
    name=$(dpkg-deb -f "$package" Package)
    [ "$(dpkg-deb -f "$package" Multi-Arch)" != same ] || name+=:$(dpkg-deb -f "$package" Architecture)
    dpkg-deb -f "$package" | sed '1a Status: install ok installed'
    echo
    dpkg-deb --fsys-tarfile "$package" | tar -t | sed 's|^\.||; s|/$||; s|^$|/.|' >"$database/info/$name.list"
done >>"$database/status"
