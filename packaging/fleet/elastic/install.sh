#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts the ingest pipeline and the index template into Elasticsearch 8.11 or newer, before the first event comes:
#   install.sh https://elastic.example.com:9200 [OPTIONS OF curl...]
# such as --cacert ca.pem --netrc-file netrc. Passwords on a command line are seen by everyone on the machine.
set -eu
[ $# -ge 1 ] || {
    echo "usage: install.sh URL [OPTIONS OF curl...]" >&2
    exit 2
}
url=${1%/}
shift
here=$(dirname "$0")
put() { # what, file
    curl --silent --show-error --fail-with-body -X PUT -H 'Content-Type: application/json' "$@" \
        --data-binary "@$here/$file" "$url/$path"
    echo
}
path=_ingest/pipeline/ebpf_telemetry file=ingest-pipeline.json
put "$@"
path=_index_template/logs-ebpf_telemetry file=index-template.json
put "$@"
