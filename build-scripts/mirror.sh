# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# For scripts that fetch Debian's packages: source this file.

# Prints the Debian mirror of this machine's apt. Fails, and says on stderr what to do, where it has none.
debian_mirror() {
    local uri
    # shellcheck disable=SC2016 # apt expands it, not the shell
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
        'Component: main' | head -1)
    [ -n "$uri" ] || {
        echo "this machine's apt has no Debian mirror; add one to its sources and run: apt-get update" >&2
        return 1
    }
    echo "$uri"
}

# Prints a folder for what is fetched, and makes it. Fails, and says on stderr what to do, where none can be written.
debian_cache() {
    local folder
    for folder in "${EBT_KERNELS:-}" "${XDG_CACHE_HOME:+$XDG_CACHE_HOME/ebpf_telemetry-kernels}" \
        /var/cache/ebpf_telemetry-kernels "${HOME:-}/.cache/ebpf_telemetry-kernels"; do
        if [ -n "$folder" ] && mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ]; then
            echo "$folder"
            return
        fi
    done
    echo "there is no writable cache directory: name one in EBT_KERNELS" >&2
    return 1
}
