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
