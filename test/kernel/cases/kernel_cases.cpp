// SPDX-License-Identifier: MIT
// The kernel itself, its clocks and its accounts. What could change the machine is tried
// without privileges and with arguments that cannot succeed.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <sys/timex.h>

namespace kernel_test {

namespace {

constexpr int syslog_size_buffer = 10, syslog_unknown = 100;
// The format of a file system's quotas, asked of none.
constexpr uint32_t quota_format = 0x80000400;

void modules(Process& p) {
    const int file = p.make_file("module");
    p.drop_privileges();
    const char* const parameters = "debug=1";
    p.call({"init_module", SYS_init_module}, 16, 0, parameters).fails(EPERM).string(2, parameters);
    p.call({"finit_module", SYS_finit_module}, file, parameters, 0)
        .fails(EPERM)
        .file(0, file, p.at("module"))
        .string(1, parameters);
    p.call({"finit_module", SYS_finit_module}, -1, 16, 0).fails(EPERM).no_file(0).no_string(1, LOG_FAULT);
    p.call({"delete_module", SYS_delete_module}, "no such module", O_NONBLOCK)
        .fails(EPERM)
        .string(0, "no such module");
#ifdef SYS_create_module
    p.call({"create_module", SYS_create_module}, "no such module", 16)
        .fails(EPERM)
        .string(0, "no such module");
#endif
}

void kexec(Process& p) {
    const int file = p.make_file("kernel");
    p.drop_privileges();
    p.call({"kexec_load", SYS_kexec_load}, 0, 1000, 16, 0).fails(EPERM);
    p.call({"kexec_file_load", SYS_kexec_file_load}, file, -1, 5, "quiet", 0)
        .fails(EPERM)
        .file(0, file, p.at("kernel"))
        .no_file(1)
        .string(3, "quiet");
    p.call({"reboot", SYS_reboot}, 1, 2, 3, 16).fails(EPERM);
}

void clocks(Process& p) {
    timex query{};
    p.call({"adjtimex", SYS_adjtimex}, &query).succeeds();
    p.call({"clock_adjtime", SYS_clock_adjtime}, 0, &query).succeeds();
    p.drop_privileges();
    p.call({"settimeofday", SYS_settimeofday}, 16, 0).fails(EFAULT);
    p.call({"adjtimex", SYS_adjtimex}, 16).fails(EFAULT);
    p.call({"clock_settime", SYS_clock_settime}, 0, 16).fails(EFAULT);
    p.call({"clock_adjtime", SYS_clock_adjtime}, 0, 16).fails(EFAULT);
}

void bpf_(Process& p) {
    bpf_attr attributes{};
    attributes.prog_type = 10000;
    p.call({"bpf", SYS_bpf}, BPF_PROG_LOAD, &attributes, sizeof attributes).may_fail();
    bpf_attr map{};
    map.map_type = BPF_MAP_TYPE_ARRAY;
    map.key_size = 4;
    map.value_size = 8;
    map.max_entries = 1;
    p.call({"bpf", SYS_bpf}, BPF_MAP_CREATE, &map, sizeof map).succeeds();
    p.call({"bpf", SYS_bpf}, BPF_MAP_CREATE, 16, sizeof map).fails(EFAULT);
}

void perf_event_open_(Process& p) {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof attributes;
    attributes.config = PERF_COUNT_SW_DUMMY;
    p.call({"perf_event_open", SYS_perf_event_open}, &attributes, 0, -1, -1, 0).succeeds();
    p.call({"perf_event_open", SYS_perf_event_open}, 16, 0, -1, -1, 0).fails(EFAULT);
}

void io_uring_setup_(Process& p) {
    io_uring_params parameters{};
    p.call({"io_uring_setup", SYS_io_uring_setup}, 1, &parameters).may_fail();
    p.call({"io_uring_setup", SYS_io_uring_setup}, 0, &parameters).may_fail();
}

#ifdef SYS_iopl
/// Where ports may be asked for at all, this asks for none.
void ports(Process& p) {
    p.call({"iopl", SYS_iopl}, 0).may_fail();
    p.call({"iopl", SYS_iopl}, 17).fails(EINVAL);
    p.call({"ioperm", SYS_ioperm}, 0x80, 1, 0).may_fail();
    p.call({"ioperm", SYS_ioperm}, 1 << 20, 1, 1).fails(EINVAL);
}
#endif

void accounts(Process& p) {
    p.drop_privileges();
    p.call({"acct", SYS_acct}, "/no/such").fails(EPERM).named(0, "/no/such");
    p.call({"swapon", SYS_swapon}, "/no/such", 0).fails(EPERM).named(0, "/no/such");
    p.call({"swapoff", SYS_swapoff}, "/no/such").fails(EPERM).named(0, "/no/such");
    p.call({"quotactl", SYS_quotactl}, quota_format, "/no/such", 0, 0).named(1, "/no/such").may_fail();
    p.call({"syslog", SYS_syslog}, syslog_size_buffer, 0, 0).may_fail();
    p.call({"syslog", SYS_syslog}, syslog_unknown, 0, 0).may_fail();
}

} // namespace

Cases kernel_cases() {
    return {
        {"modules", modules},
        {"kexec", kexec},
        {"clocks", clocks},
        {"bpf", bpf_},
        {"perf_event_open", perf_event_open_},
        {"io_uring_setup", io_uring_setup_},
#ifdef SYS_iopl
        {"ports", ports},
#endif
        {"accounts", accounts},
    };
}

} // namespace kernel_test
