# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The machines that build-scripts/vm-test.sh emulates: source this file.
# shellcheck disable=SC2034,SC2154 # it uses them, and sets $here

# Prints amd64 or arm64 for a kernel image (the boot protocols' magic numbers), nothing for what is neither: an arm64
# image may be packed.
machine_of_image() { # file
    [ "$(dd if="$1" bs=1 skip=514 count=4 2>/dev/null | tr -d '\0')" != HdrS ] || echo amd64
    [ "$(dd if="$1" bs=1 skip=56 count=4 2>/dev/null | tr -d '\0')" != ARMd ] || echo arm64
}

# How the programs of a machine are built, and how its guests are started. The CPU of amd64 is without cx16, with which
# some 6.12 kernels panic under emulation; that of arm64 has the quick way to authenticate pointers.
use_machine() { # amd64 or arm64; uses $here
    case $1 in
    amd64)
        build=${here%/*}/build-static
        build_command=("$here/build.sh" -DEBT_STATIC=ON -DEBT_TESTS=ON)
        setup=(--tests)
        suites=() # all
        run=()
        qemu=(qemu-system-x86_64 -cpu "max,-cx16") sender=(-serial chardev:sent)
        console=ttyS0,115200 results=/dev/ttyS1
        ;;
    arm64)
        build=${here%/*}/build-arm64
        build_command=("$here/arm64/build.sh" -DEBT_TESTS=ON)
        setup=(--tests --arm64)
        suites=(bookworm)
        run=(qemu-aarch64) # a program, on this machine
        qemu=(qemu-system-aarch64 -M virt -cpu "max,pauth-impdef=on") sender=(-device "pci-serial,chardev=sent")
        console=ttyAMA0 results=/dev/ttyS0
        ;;
    esac
    programs=$build/vm_programs # a directory with the programs for the guests
}

# Copies a program of the build root of arm64 and the libraries that it needs to a guest's root.
copy_from_root() { # program, the guest's root; uses $here
    local root file name left=("$1") libraries=lib/aarch64-linux-gnu
    root=$("$here/arm64/root.sh")
    mkdir -p "$2/lib" "$2/$libraries" "$2/${1%/*}"
    cp -L "$root/lib/ld-linux-aarch64.so.1" "$2/lib/"
    while [ ${#left[@]} -gt 0 ]; do
        file=${left[0]} left=("${left[@]:1}")
        [ ! -e "$2/$file" ] || continue
        cp -L "$root/$file" "$2/$file"
        while read -r name; do
            if [ -e "$root/$libraries/$name" ]; then
                left+=("$libraries/$name")
            else
                mkdir -p "$2/usr/$libraries"
                left+=("usr/$libraries/$name")
            fi
        done < <(readelf -d "$root/$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')
    done
}

busybox_of() { # amd64 or arm64
    if [ "$1" = amd64 ]; then
        command -v busybox
    else
        echo "$("$here/arm64/root.sh")/bin/busybox"
    fi
}
