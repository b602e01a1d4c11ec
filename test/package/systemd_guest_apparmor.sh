# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What systemd_guest.sh does with the services under their AppArmor profiles: sourced there.
# shellcheck disable=SC2154,SC2086 # unit and events are that script's, and have no blanks

# In the journal by way of the audit system, or in the kernel's log.
denials() {
    journalctl -b -o cat --no-pager | grep -F 'apparmor="DENIED"' | grep -E 'profile="(ebpf-telemetry|imds-tracker)"' | sort -u
}
is_denied() { # text of the kernel's line
    denials | grep -qF -e "$1"
}
nothing_denied() {
    local denied
    denied=$(denials) || return 0
    fail "$denied"
}

# All threads: a profile belongs to a task.
threads_confined() { # unit
    local profile
    for profile in /proc/"$(property "$1" MainPID)"/task/*/attr/current; do
        [ "$(cat "$profile")" = "${1%.service} (enforce)" ] || fail "$profile: $(cat "$profile")" || return
    done
}
confine() { # unit
    install -D -m 644 -t "/etc/systemd/system/$1.d" /usr/share/ebpf_telemetry/systemd/apparmor.conf
    systemctl daemon-reload
    systemctl restart "$1"
    threads_confined "$1"
}

# A process of before whose executable is gone, and what it executes now.
begin_old_process() {
    cp /bin/bash /tmp/old_process
    mkfifo /tmp/wake
    # shellcheck disable=SC2016 # for that shell
    /tmp/old_process -c 'read -r name </tmp/wake; "$name"; :' &
    rm /tmp/old_process
}
sees_old_process() {
    grep -F '"/tmp/of_old_process"' $events | grep -F '"/tmp/old_process"' | grep -F '"exec"' >/dev/null
}

# Until the rules are in force.
statfs_is_seen() {
    statfs confined
    sleep 1
    sees_statfs confined
}

get() { # path at the socket of --listen
    perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;
        print $s "GET $ARGV[1] HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"; print while <$s>' \
        "/run/ebpf-telemetry/status.sock" "$1"
}

# Outputs of each kind that the package has, whether there is somebody who takes the events or not.
all_outputs() {
    mkdir -p /var/lib/prometheus/node-exporter
    cat >/etc/ebpf-telemetry/conf.d/outputs.conf <<'END'
metrics-file = /var/lib/prometheus/node-exporter/ebpf_telemetry.prom
metrics-interval = 1
[output.rotated]
kind = file
path = /var/log/ebpf-telemetry/rotated.log
rotate_size = 64K
compress = zstd
[output.server]
kind = syslog
server = tcp://127.0.0.1:4443
spool = 1M
spool_dir = /var/lib/ebpf-telemetry/spool/server
[output.log]
kind = syslog
keys = confined
END
    printf '[Service]\nReadWritePaths=/var/lib/prometheus/node-exporter\n' >/etc/systemd/system/$unit.d/metrics.conf
}
outputs_work() {
    [ -s /var/log/ebpf-telemetry/rotated.log ]
    [ -n "$(find /var/lib/ebpf-telemetry/spool/server -name '*.seg' -size +0)" ]
    grep -q '^ebpf_telemetry_output_retries_total{.*output="syslog server"} [1-9]' /var/lib/prometheus/node-exporter/ebpf_telemetry.prom
}

confine_services() {
    local pid
    aa-enabled
    begin_old_process
    mkdir -p /etc/systemd/system/$unit.d
    all_outputs
    confine $unit
    pid=$(property $unit MainPID)
    has_rights $unit
    cp /bin/true /tmp/of_old_process
    echo /tmp/of_old_process >/tmp/wake
    await 30 sees_old_process
    rm /tmp/of_old_process /tmp/wake
    echo 'statfs path ^ /tmp/ key confined' >/etc/ebpf-telemetry/rules.d/70-confined.rules
    systemctl reload $unit
    await 30 statfs_is_seen
    rm /etc/ebpf-telemetry/rules.d/70-confined.rules
    reports confined
    logrotate --force /etc/logrotate.d/ebpf-telemetry
    reports rotated_confined
    await 30 outputs_work
    not journal_has $unit 'cannot attach kprobes' # refused, it would go on with less
    get /healthz | grep '200 OK'
    get /metrics | grep '^ebpf_telemetry_events_emitted_total'
    [ "$(property $unit MainPID)" = "$pid" ]

    systemctl enable imds-tracker.service
    confine imds-tracker.service
    has_rights imds-tracker.service
    systemctl reload imds-tracker.service
    nothing_denied

    # What is not in the profile is refused, and would have been seen.
    not aa-exec -p ebpf-telemetry /bin/cat /etc/shadow
    await 30 is_denied 'comm="cat"'
    rm -r /etc/systemd/system/{$unit,imds-tracker.service}.d /etc/ebpf-telemetry/conf.d/outputs.conf
    systemctl daemon-reload
    systemctl restart $unit
    rm -r /var/lib/prometheus # somebody else's folder: purging the package leaves it alone
    [ "$(cat "/proc/$(property $unit MainPID)/attr/current")" = unconfined ]
}
