#!/bin/bash
# SPDX-License-Identifier: MIT
# The portable release: made twice, in different folders and one time without any cache, it has the same bytes; and
# its programs run in a root that has nothing but /proc and /sys.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
    printf 'FAILED: %s\n' "$@" >&2
    exit 1
}

case ${1-} in
'') release='' ;;
--release) release=${2:?} ;;
*)
    echo "usage: sudo test/package/release_test.sh [--release FOLDER]    # a release that is there, not two new ones" >&2
    exit 2
    ;;
esac
[ "$(id -u)" = 0 ] || fail "the programs load eBPF: run this as root"
scratch=$(mktemp -d /var/tmp/release-test.XXXXXX)
trap 'rm -rf --one-file-system "$scratch"' EXIT

if [ -z "$release" ]; then
    build-scripts/package.sh --build build-package
    release=build-package/release
    build-scripts/package.sh --build "$scratch/another/folder"
    diff "$release/SHA256SUMS" "$scratch/another/folder/release/SHA256SUMS" || fail "two runs gave different bytes"
    rm -rf "$scratch/another"
fi
(cd "$release" && sha256sum --quiet -c SHA256SUMS)
name=$(basename "$release"/*.spdx.json .spdx.json)
for part in "$name" "$name-debug" "$name-relink"; do
    tar -C "$scratch" -xf "$release/$part.tar.zst"
done
top=$scratch/$name
for file in sbin/ebpf_telemetry sbin/imds-tracker bin/get_offsets share/man/man8/ebpf_telemetry.8 licences/glibc.txt \
    licences/curl.txt share/ebpf_telemetry/rules/syscalls.rules \
    share/ebpf_telemetry/rules/minimal.rules share/ebpf_telemetry/rules/forensic.rules share/ebpf_telemetry/systemd/local-outputs.conf lib/systemd/system/ebpf-telemetry.service \
    share/doc/ebpf_telemetry/docs/install.md; do
    [ -s "$top/$file" ] || fail "not in the release: $file" "$(cd "$top" && find . -type f)"
done
! grep -rlaF -e "$PWD/telemetry" -e "$scratch" "$top" "$scratch/$name-debug" "$release/$name.spdx.json" ||
    fail "these files have paths of the machine that built them"
jq -e '.spdxVersion == "SPDX-2.3" and ([.packages[].name] | contains(["glibc", "libbpf", "elfutils", "curl", "openssl"]))' \
    "$release/$name.spdx.json" >/dev/null || fail "the SPDX document lacks libraries"
(cd "$scratch/$name-relink" && sh ./link.sh 2>/dev/null) || fail "link.sh does not link"
"$scratch/$name-relink/imds-tracker" --version >/dev/null

# Who maintains a package is what its maker sets; without that the address is not one that lintian takes.
lintian --allow-root --fail-on error,warning --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog \
    "$release"/*.deb || fail "lintian has found faults"

# rpms: what rpmlint says, and that rpm installs, verifies and removes them in a root of their own.
rpmlint --config packaging/rpm/rpmlint.toml "$release"/*.rpm || fail "rpmlint has found faults"
test/package/rpm_test.sh "$release"/ebpf-telemetry-[0-9]*.rpm
rpm_root() {
    rpm --root "$scratch/rpm" "$@" 2>"$scratch/err" || fail "rpm $*" "$(cat "$scratch/err")" # Debian's warns on stderr
}
mkdir -p "$scratch/rpm"
rpm_root --noscripts --nodeps -i "$release"/ebpf-telemetry-[0-9]*.rpm "$release"/ebpf-telemetry-debuginfo-*.rpm
rpm_root --nodeps --noscripts -V ebpf-telemetry ebpf-telemetry-debuginfo
rpm_root -qc ebpf-telemetry | grep -x /etc/ebpf-telemetry/ebpf-telemetry.conf >/dev/null || fail "options are no configuration for rpm"
"$scratch/rpm/usr/sbin/ebpf_telemetry" --version >/dev/null
echo '# changed' >>"$scratch/rpm/etc/ebpf-telemetry/ebpf-telemetry.conf"
for program in usr/sbin/ebpf_telemetry usr/sbin/imds-tracker usr/bin/get_offsets; do
    id=$(readelf -n "$scratch/rpm/$program" | sed -n 's/^ *Build ID: //p')
    [ -s "$scratch/rpm/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug" ] || fail "no debug information for $program"
done
rpm_root --noscripts --nodeps -e ebpf-telemetry ebpf-telemetry-debuginfo
[ ! -e "$scratch/rpm/usr/sbin/ebpf_telemetry" ] || fail "rpm has left the program"
[ -s "$scratch/rpm/etc/ebpf-telemetry/ebpf-telemetry.conf.rpmsave" ] || fail "rpm has not kept changed options"
rpm -qp --requires "$release"/ebpf-telemetry-[0-9]*.rpm | grep -vE '^(/bin/sh|rpmlib\((CompressedFileNames|FileDigests|PayloadFilesHavePrefix|PayloadIsXz)\) .*)$' &&
    fail "the rpm of the programs needs what older distributions lack"

# The image's files are in the release.
sed -n 's/^COPY \(.*\) [^ ]*$/\1/p' "$top/share/ebpf_telemetry/container/Dockerfile" | tr ' ' '\n' | while read -r file; do
    [ -e "$top/$file" ] || fail "the Dockerfile copies $file, which the release lacks"
done
[ -s "$top/share/ebpf_telemetry/kubernetes/ebpf-telemetry.yaml" ]

# Nothing but the program, /proc and /sys; not even /dev.
mkdir -p "$scratch/root"/{proc,sys}
cp "$top"/sbin/* "$top"/bin/* "$scratch/root/"
run_in_empty_root() { # program, arguments...: its output in $scratch/out and $scratch/err
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount sh -c 'mount --rbind /proc "$1/proc" && mount --rbind /sys "$1/sys" && root=$1 && shift && exec chroot "$root" "$@"' \
        sh "$scratch/root" "$@" >"$scratch/out" 2>"$scratch/err"
}
in_empty_root() {
    run_in_empty_root "$@" || fail "status $? in an empty root: $*" "$(tail -n 20 "$scratch/err")"
}
# Something to report, whatever else this machine does.
while :; do
    /bin/true
    sleep 0.2
done &
busy=$!
server=''
trap 'kill $busy $server 2>/dev/null; rm -rf --one-file-system "$scratch"' EXIT
for program in ebpf_telemetry imds-tracker; do
    in_empty_root /$program --version
    in_empty_root /$program --help
    in_empty_root /$program --probe
    in_empty_root /$program --duration 2 -f json -o /events
    grep -qF 'info: reporting' "$scratch/err" || fail "$program does not report" "$(cat "$scratch/err")"
    [ $program = imds-tracker ] || jq -es 'length > 0 and all(.event.id)' "$scratch/root/events" >/dev/null ||
        fail "$program wrote no events" "$(tail -n 3 "$scratch/root/events")"
    rm -f "$scratch/root/events"
done
in_empty_root /get_offsets
grep -qF 'task_struct.real_parent = ' "$scratch/out" || fail "get_offsets printed no offsets"
# The output to Datadog is there: its refusal is of the missing key, not of a missing library.
unset DD_API_KEY
run_in_empty_root /imds-tracker --datadog --duration 1 && fail "--datadog without a key should be refused"
grep -qF DD_API_KEY "$scratch/err" || fail "--datadog is missing:" "$(cat "$scratch/err")"
# An output of --output-config over HTTPS: the server's certificate is verified by the program's own OpenSSL.
mkdir "$scratch/https"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$scratch/https/key" -out "$scratch/https/certificate" 2>/dev/null
python3 - "$scratch/https" <<'END' &
import gzip, http.server, os, ssl, sys
folder = sys.argv[1]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(folder + "/received", "ab") as file:
            file.write(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/certificate", folder + "/key")
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(folder + "/port.new", "w") as file:
    file.write(str(server.server_port))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
END
server=$!
for _ in $(seq 100); do
    [ ! -s "$scratch/https/port" ] || break
    sleep 0.1
done
cp "$scratch/https/certificate" "$scratch/root/certificate"
printf '[output.far]\nkind = http\nurl = https://127.0.0.1:%s/\nca_file = /certificate\nbatch_time = 200ms\n' \
    "$(cat "$scratch/https/port")" >"$scratch/root/outputs"
chmod 600 "$scratch/root/outputs"
in_empty_root /ebpf_telemetry --duration 4 -Q --output-config /outputs
jq -es 'length > 0 and all(.event.id)' "$scratch/https/received" >/dev/null ||
    fail "no events came over HTTPS" "$(cat "$scratch/err")"

# What the Debian package configures, and what its examples say.
dpkg-deb -x "$release"/ebpf-telemetry_*.deb "$scratch/deb"
for program in ebpf_telemetry imds-tracker; do
    conf=/etc/${program/_/-}/${program/_/-}.conf
    dpkg-deb --info "$release"/ebpf-telemetry_*.deb conffiles | grep -qxF "$conf" || fail "$conf is no conffile"
    sed 's/^# \([a-z-]* = \)/\1/' "$scratch/deb$conf" >"$scratch/examples.conf"
    cmp -s "$scratch/deb$conf" "$scratch/examples.conf" && fail "$conf has no examples"
    "$scratch/root/$program" --settings "$scratch/examples.conf" --print-config >/dev/null || fail "$conf: wrong examples"
done
dpkg-deb --info "$release"/ebpf-telemetry_*.deb conffiles | grep -qx /etc/ebpf-telemetry/rules.d/50-default.rules ||
    fail "the rules are no conffile"
"$scratch/root/ebpf_telemetry" --check -r "$scratch/deb/etc/ebpf-telemetry/rules.d" >/dev/null || fail "rules.d: wrong rules"
echo "release: all as it should be"
