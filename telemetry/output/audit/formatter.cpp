// SPDX-License-Identifier: MIT
#include "telemetry/output/audit/formatter.hpp"

#include <algorithm>
#include <cctype>
#include <linux/audit.h>
#include <sys/socket.h>

#include "telemetry/event/facts.hpp"
#include "telemetry/event/structure.hpp"
#include "telemetry/output/audit/limits.hpp"
#include "telemetry/output/audit/paths.hpp"
#include "telemetry/output/audit/sockaddr.hpp"
#include "telemetry/output/remarks.hpp"

namespace telemetry {

using namespace audit;

namespace {

constexpr int x32_bit = 0x40000000;

constexpr size_t longest_title = 128; // bytes of it, as MAX_PROCTITLE_AUDIT_LEN

uint32_t arch_of(const Event& event) {
    if (event.missing & EBT_MISSING_ABI)
        return 0;
    switch (event.abi) {
    case EBT_I386:
        return AUDIT_ARCH_I386;
    case EBT_AARCH64:
        return AUDIT_ARCH_AARCH64;
    case EBT_ARM:
        return AUDIT_ARCH_ARM;
    default:
        return AUDIT_ARCH_X86_64;
    }
}

/// As the kernel keeps it: the first bytes of the command line, without what is not printable at the end.
std::string_view title_of(const StringList& argv) {
    std::string_view title = argv.bytes.substr(0, longest_title);
    while (!title.empty() && !std::isprint(static_cast<unsigned char>(title.back())))
        title.remove_suffix(1);
    return title;
}

std::string_view raw_bytes(const Event& event, const Ends& ends) {
    if (ends.from_sockaddr)
        return event.sockaddr.bytes;
    return ends.named.family == AF_UNIX ? event.unix_name : std::string_view();
}

} // namespace

void AuditFormatter::format(const Event& event, std::string& out) {
    line_.start(event.time_ns);
    if (enriches_)
        names_.refresh();
    collect_remarks(event);
    if (event.kind == EBT_EXIT && is_audit_crash(event.ret))
        put_crash(event);
    else if (event.kind == EBT_FORK || event.kind == EBT_EXIT)
        put_message(event);
    else
        put_records(event);
    out.append(line_.view());
}

void AuditFormatter::put_records(const Event& event) {
    put_call(event);
    if (has_new_image(event) && event.image.argv.known())
        put_audit_execve(line_, event.image.argv.bytes);
    if (member_of(event, "resolve"))
        put_open_how(event);
    if (has_addresses(event))
        put_addresses(event);
    put_cwd(event);
    put_paths(event);
    put_title(event);
    end_event();
}

/// OPENAT2: what it was asked for, which stands behind a pointer.
void AuditFormatter::put_open_how(const Event& event) {
    line_.begin("OPENAT2");
    line_.put(" oflag=0");
    line_.put_octal(member_of(event, "flags").value_or(0));
    line_.put(" mode=0");
    line_.put_octal(member_of(event, "mode").value_or(0));
    line_.put(" resolve=0x");
    line_.put_hex(member_of(event, "resolve").value_or(0));
    line_.end();
}

/// SYSCALL; what is no system call has a record of another type with what is known of its process.
void AuditFormatter::put_call(const Event& event) {
    const bool is_call = event.kind == EBT_SYSCALL && !event.via_io_uring;
    const bool is_operation = event.kind == EBT_SYSCALL && event.via_io_uring;
    if (is_call) {
        line_.begin("SYSCALL");
        line_.put(" arch=");
        line_.put_hex(arch_of(event));
        line_.put(" syscall=");
        line_.put_signed(event.abi == EBT_X32 && event.nr >= 0 ? event.nr | x32_bit : event.nr);
        put_result(event);
        put_arguments(event);
    } else if (is_operation) {
        line_.begin("URINGOP");
        line_.put(" uring_op=");
        line_.put_signed(uring_operation(event.call ? event.call->name : std::string_view()));
        put_result(event);
    } else {
        line_.begin("KERNEL_OTHER");
        line_.put(" op=");
        line_.put(event.kind == EBT_EXEC ? "process_exec" : "transfer");
    }
    const bool has_interpreter = event.witnessed && event.witnessed->interpreter.known();
    line_.put(" items=");
    line_.put_decimal(std::min<size_t>(event.paths, event.path.size()) + has_interpreter);
    put_task(event);
    if (enriches_ && is_call)
        names_.put_call(line_, event);
    if (enriches_)
        names_.put_task(line_, is_call ? " " : "\035", event);
    line_.end();
}

/// Of a call that does not return the kernel writes neither field.
void AuditFormatter::put_result(const Event& event) {
    if (!event.returns || event.via_io_uring)
        return;
    const bool restarts = event.ret <= -512 && event.ret >= -516;
    if (!event.unproven())
        line_.put(event.success() ? std::string_view(" success=yes") : " success=no");
    line_.put(" exit=");
    line_.put_signed(restarts ? -EINTR : event.ret); // as the caller sees it
}

/// The tools take numbers alone: those that are not known are 0, and listed as missing.
void AuditFormatter::put_arguments(const Event& event) {
    const bool known = !(event.missing & EBT_MISSING_ARGS);
    line_.put(" a0=");
    line_.put_hex(known ? event.args[0] : 0);
    line_.put(" a1=");
    line_.put_hex(known ? event.args[1] : 0);
    line_.put(" a2=");
    line_.put_hex(known ? event.args[2] : 0);
    line_.put(" a3=");
    line_.put_hex(known ? event.args[3] : 0);
}

void AuditFormatter::put_task(const Event& event) {
    const bool audit = !(event.missing & EBT_MISSING_AUDIT);
    const bool known = !(event.missing & EBT_MISSING_CREDENTIALS);
    const auto put_id = [&](const auto& name, uint32_t id) {
        line_.put(name);
        line_.put_decimal(id);
    };
    put_id(" ppid=", event.missing & EBT_MISSING_PPID ? 0 : event.ppid);
    put_id(" pid=", event.pid);
    put_id(" auid=", audit ? event.auid : unset);
    put_id(" uid=", known ? event.uid : unset);
    put_id(" gid=", known ? event.gid : unset);
    put_id(" euid=", known ? event.euid : unset);
    put_id(" suid=", known ? event.suid : unset);
    put_id(" fsuid=", known ? event.fsuid : unset);
    put_id(" egid=", known ? event.egid : unset);
    put_id(" sgid=", known ? event.sgid : unset);
    put_id(" fsgid=", known ? event.fsgid : unset);
    line_.put(" tty=");
    if (event.image.tty.known())
        line_.put_word(event.image.tty.bytes);
    else
        line_.put("(none)");
    put_id(" ses=", audit ? event.ses : unset);
    put_program(event);
    if (event.key.empty())
        line_.put(" key=(null)");
    else
        put_key(event);
    line_.put(remarks_.view());
}

/// Of the rule that selected the event.
void AuditFormatter::put_key(const Event& event) {
    line_.put(" key=");
    line_.put_untrusted(event.key, AuditRule::strict);
}

void AuditFormatter::put_addresses(const Event& event) {
    if (has_several_addresses(event)) {
        for (size_t i = 0; i < event.witnessed->addresses; ++i) {
            const std::string_view bytes = event.witnessed->address[i].bytes;
            if (const Address address = parse_sockaddr(bytes); is_audit_address(address))
                put_audit_sockaddr(line_, address, bytes, enriches_);
        }
        return;
    }
    const Ends ends = ends_of(event, socket_role(event));
    if (is_audit_address(ends.named))
        put_audit_sockaddr(line_, ends.named, raw_bytes(event, ends), enriches_);
}

void AuditFormatter::put_cwd(const Event& event) {
    if (!event.cwd.known() && !event.root.known())
        return;
    line_.begin("CWD");
    line_.put(" cwd=");
    if (event.cwd.known())
        line_.put_untrusted(event.cwd.bytes, AuditRule::kernel, longest_path);
    else
        line_.put("(null)");
    if (event.root.known()) {
        line_.put(" root=");
        line_.put_untrusted(event.root.bytes, AuditRule::kernel, left_by(event.cwd, AuditRule::kernel));
    }
    line_.end();
}

/// As the kernel writes it: two digits of each number at least.
static void put_device(AuditLine& line, uint32_t device) {
    const auto put = [&](std::string_view before, uint32_t number) {
        line.put(before);
        if (number < 0x10)
            line.put('0');
        line.put_hex(number);
    };
    if (!device)
        return;
    put(" dev=", device_major(device));
    put(":", device_minor(device));
}

void AuditFormatter::put_paths(const Event& event) {
    unsigned item = 0;
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i)
        put_path(event.path[i], event.witnessed ? &event.witnessed->called[i] : nullptr,
                 audit_name_type(event, i), item++);
    if (event.witnessed && event.witnessed->interpreter.known())
        put_path(event.witnessed->interpreter, nullptr, "NORMAL", item);
}

void AuditFormatter::put_path(const PathField& path, const Text* called, std::string_view type,
                              unsigned item) {
    line_.begin("PATH");
    line_.put(" item=");
    line_.put_decimal(item);
    line_.put(" name=");
    if (path.known())
        line_.put_untrusted(path.bytes, AuditRule::strict, longest_path);
    else
        line_.put("(null)");
    if (path.has_inode) {
        line_.put(" inode=");
        line_.put_decimal(path.inode.ino);
        put_device(line_, path.inode.device);
        line_.put(" mode=0");
        line_.put_octal(path.inode.mode);
        line_.put(" ouid=");
        line_.put_decimal(path.inode.uid);
        line_.put(" ogid=");
        line_.put_decimal(path.inode.gid);
    }
    line_.put(" nametype=");
    line_.put(type);
    if (called && called->known()) {
        line_.put(" called=");
        line_.put_untrusted(called->bytes, AuditRule::strict, left_by(path, AuditRule::strict));
    }
    if (enriches_ && path.has_inode)
        names_.put_owner(line_, path.inode);
    line_.end();
}

void AuditFormatter::put_title(const Event& event) {
    line_.begin("PROCTITLE");
    line_.put(" proctitle=");
    const std::string_view title = title_of(event.image.argv);
    if (event.image.argv.known() && !title.empty())
        line_.put_untrusted(title, AuditRule::kernel);
    else
        line_.put("(null)");
    line_.end();
}

} // namespace telemetry
