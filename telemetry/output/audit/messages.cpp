// SPDX-License-Identifier: MIT
// Records of what is no system call.
#include <algorithm>
#include <csignal>
#include <unistd.h>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/audit/formatter.hpp"
#include "telemetry/output/audit/limits.hpp"

namespace telemetry {

using namespace audit;

namespace {

constexpr size_t longest_document = 4000; // bytes of it

} // namespace

bool is_audit_crash(int64_t wait_status) {
    switch (WaitStatus(wait_status).signal) {
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGSYS:
    case SIGXCPU:
    case SIGXFSZ:
        return true;
    default:
        return false;
    }
}

/// auditd's word for what it lost itself.
void AuditFormatter::format(const LossEvent& loss, std::string& out) {
    line_.start(loss.time_ns);
    line_.begin("DAEMON_ERR");
    line_.put(" op=lost-events cause=");
    line_.put_word(loss.cause);
    put_own_number(line_, " count=", loss.count);
    if (loss.cpu >= 0)
        put_own_number(line_, " cpu=", static_cast<uint64_t>(loss.cpu));
    if (loss.gap) {
        put_own_number(line_, " slot=", loss.gap->slot);
        line_.put(" gap=");
        line_.put_decimal(loss.gap->first);
        line_.put('-');
        line_.put_decimal(loss.gap->last);
    }
    put_own_ids();
    line_.put(" res=failed");
    line_.end();
    out.append(line_.view());
}

void AuditFormatter::format(const Document& document, std::string& out) {
    std::string text = document.text();
    if (document.time_ns() == 0) { // for people, not part of the stream
        out += text;
        return;
    }
    text.resize(std::min(text.find('\n'), text.size()));
    line_.start(document.time_ns());
    line_.begin("TRUSTED_APP");
    put_own_ids();
    line_.put(" msg='op=imds data=");
    line_.put_untrusted_hex(std::string_view(text).substr(0, longest_document));
    if (text.size() > longest_document) {
        line_.put(" truncated=data:");
        line_.put_decimal(text.size());
    }
    line_.put(" hostname=? addr=? terminal=? res=success'");
    line_.end();
    out.append(line_.view());
}

/// This program's.
void AuditFormatter::put_own_ids() {
    line_.put(" pid=");
    line_.put_decimal(static_cast<uint64_t>(getpid()));
    line_.put(" uid=");
    line_.put_decimal(getuid());
    line_.put(" auid=4294967295 ses=4294967295");
}

void AuditFormatter::put_program(const Event& event) {
    line_.put(" comm=");
    line_.put_untrusted(event.comm, AuditRule::strict);
    line_.put(" exe=");
    if (event.image.exe.known())
        line_.put_untrusted(event.image.exe.bytes, AuditRule::strict, longest_exe);
    else
        line_.put("(null)");
}

/// The kernel's own record of a process that a signal like SIGSEGV ended.
void AuditFormatter::put_crash(const Event& event) {
    const bool audit = !(event.missing & EBT_MISSING_AUDIT);
    const bool known = !(event.missing & EBT_MISSING_CREDENTIALS);
    const uint32_t auid = audit ? event.auid : unset, uid = known ? event.uid : unset,
                   gid = known ? event.gid : unset;
    line_.begin("ANOM_ABEND");
    line_.put(" auid=");
    line_.put_decimal(auid);
    line_.put(" uid=");
    line_.put_decimal(uid);
    line_.put(" gid=");
    line_.put_decimal(gid);
    line_.put(" ses=");
    line_.put_decimal(audit ? event.ses : unset);
    line_.put(" pid=");
    line_.put_decimal(event.pid);
    put_program(event);
    line_.put(" sig=");
    line_.put_decimal(WaitStatus(event.ret).signal);
    line_.put(" res=1");
    if (!event.key.empty())
        put_key(event);
    line_.put(remarks_.view());
    if (enriches_)
        names_.put_ended(line_, auid, uid, gid);
    line_.end();
    end_event();
}

/// The audit system has no record of forks and ordinary ends: they are messages of a trusted application.
/// Names that end with `uid=` but for the first two would mislead ausearch.
void AuditFormatter::put_message(const Event& event) {
    const bool audit = !(event.missing & EBT_MISSING_AUDIT);
    const uint32_t uid = event.missing & EBT_MISSING_CREDENTIALS ? unset : event.uid;
    line_.begin("TRUSTED_APP");
    line_.put(" pid=");
    line_.put_decimal(event.pid);
    line_.put(" uid=");
    line_.put_decimal(uid);
    line_.put(" auid=");
    line_.put_decimal(audit ? event.auid : unset);
    line_.put(" ses=");
    line_.put_decimal(audit ? event.ses : unset);
    line_.put(" msg='op=");
    line_.put(process_event_name(event.kind));
    line_.put(" ppid=");
    line_.put_decimal(event.missing & EBT_MISSING_PPID ? 0 : event.ppid);
    bool succeeded = true;
    if (event.kind == EBT_EXIT) {
        const WaitStatus status(event.ret);
        if (status.signal) {
            line_.put(" sig=");
            line_.put_decimal(status.signal);
        } else {
            put_own_number(line_, " exit_code=", status.exit_code);
        }
        succeeded = event.ret == 0; // as the rules have it
    } else if (event.child_status == Status::ok) {
        put_own_number(line_, " child_pid=", event.child_pid);
    }
    put_program(event);
    if (!event.key.empty())
        put_key(event);
    line_.put(remarks_.view());
    line_.put(" hostname=? addr=? terminal=");
    if (event.image.tty.known())
        line_.put_word(event.image.tty.bytes);
    else
        line_.put('?');
    line_.put(succeeded ? std::string_view(" res=success'") : " res=failed'");
    if (enriches_)
        names_.put_sender(line_, uid, audit ? event.auid : unset);
    line_.end();
}

} // namespace telemetry
