// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <unistd.h>

#include "test/unit/output/audit_support.hpp"

using namespace audit_test;
using audit_records::arguments;
using audit_records::bytes_of;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(AuditTest, OpenatWholeEvent) {
    EXPECT_EQ(
        unnumbered(opened()),
        "type=SYSCALL msg=audit(1763759765.000:N): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c "
        "a1=7ffd0010 a2=241 a3=1a4 items=1 ppid=4200 pid=4242 auid=1000 uid=1000 gid=1001 euid=1000 "
        "suid=1000 fsuid=1000 egid=1001 sgid=1001 fsgid=1001 tty=pts0 ses=3 comm=\"cat\" "
        "exe=\"/usr/bin/cat\" key=(null)\n"
        "type=CWD msg=audit(1763759765.000:N): cwd=\"/home/ann\"\n"
        "type=PATH msg=audit(1763759765.000:N): item=0 name=\"/home/ann/notes.txt\" inode=77 dev=08:01 "
        "mode=0100644 "
        "ouid=1000 ogid=1001 nametype=NORMAL\n"
        "type=PROCTITLE msg=audit(1763759765.000:N): proctitle=636174002D\n"
        "type=EOE msg=audit(1763759765.000:N):\n");
}

TEST_F(AuditTest, EachEventHasANumberOfItsOwn) {
    const auto other = format_named("audit").make(samples::context());
    const std::string first = records(opened()).front().stamp;
    const std::string second = audit_records::parse(samples::formatted(*other, opened())).front().stamp;
    std::string out;
    other->format(LossEvent{.time_ns = opened().time_ns, .cause = "buffer_full", .count = 1}, out);
    const std::string third = audit_records::parse(out).front().stamp;
    EXPECT_NE(first, second);
    EXPECT_NE(second, third);
}

TEST_F(AuditTest, TimesAreCutToMilliseconds) {
    Event event = opened();
    event.time_ns = 1'763'759'765'007'999'999;
    EXPECT_THAT(lines(event), HasSubstr("msg=audit(1763759765.007:"));
}

TEST_F(AuditTest, NumbersAreThoseOfTheAbi) {
    Event event = opened();
    event.abi = EBT_I386;
    event.nr = 295;
    EXPECT_EQ(records(event)[0].field("arch"), "40000003");
    event.abi = EBT_X32;
    event.nr = 257;
    EXPECT_EQ(records(event)[0].field("arch"), "c000003e");
    EXPECT_EQ(records(event)[0].field("syscall"), std::to_string(257 | 0x40000000));
}

TEST_F(AuditTest, WhatIsNotKnownIsAsTheKernelSaysIt) {
    Event event = samples::call(samples::openat, -EACCES);
    samples::add_path(event, 1, "");
    event.path[0].status = Status::fault;
    event.missing = EBT_MISSING_ARGS | EBT_MISSING_PPID | EBT_MISSING_AUDIT | EBT_MISSING_CREDENTIALS;
    event.image = {};
    event.cwd = {};
    const auto all = records(event);
    EXPECT_THAT(types(all), ElementsAre("SYSCALL", "PATH", "PROCTITLE", "EOE"));
    for (const char* id : {"auid", "uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid", "ses"})
        EXPECT_EQ(all[0].field(id), "4294967295") << id;
    EXPECT_EQ(all[0].field("a0"), "0");
    EXPECT_EQ(all[0].field("ppid"), "0");
    EXPECT_EQ(all[0].field("tty"), "(none)");
    EXPECT_EQ(all[0].field("exe"), "(null)");
    EXPECT_EQ(all[0].field("fault"), "path");
    EXPECT_EQ(all[0].field("missing"), "args,ppid,audit,credentials,exe,cwd");
    EXPECT_EQ(all[1].field("name"), "(null)");
    EXPECT_FALSE(all[1].has("inode"));
    EXPECT_EQ(all[1].field("nametype"), "UNKNOWN");
    EXPECT_EQ(all[2].field("proctitle"), "(null)");
}

TEST_F(AuditTest, ResultsThatAreNotKnownAreAbsent) {
    Event event = samples::call(samples::exit_group, 0);
    event.returns = false;
    EXPECT_FALSE(records(event)[0].has("success"));
    event = opened();
    event.execution = EBT_UNPROVEN | EBT_TRACED;
    EXPECT_FALSE(records(event)[0].has("success"));
    EXPECT_EQ(records(event)[0].field("exit"), "3");
    EXPECT_EQ(records(event)[0].field("executed"), "?");
    event.execution = EBT_SKIPPED | EBT_SECCOMP;
    EXPECT_EQ(records(event)[0].field("success"), "no");
    EXPECT_EQ(records(event)[0].field("answered_by"), "seccomp");
    event = samples::call(samples::openat, -512);
    EXPECT_EQ(records(event)[0].field("exit"), "-4");
}

TEST_F(AuditTest, PathsSayWhatWasDoneToThem) {
    const auto name_types = [&](const ebpf_loader::SyscallRow& row, int64_t ret, uint64_t flags = 0,
                                bool created = false) {
        Event event = samples::call(row, ret);
        event.args[4] = flags;
        for (uint8_t i = 0; i < row.arguments && event.paths < 2; ++i)
            if (ebpf_loader::is_path(row.argument[i].kind))
                samples::add_path(event, i, "/some/file");
        event.path[0].created = created;
        std::string all;
        for (const Record& record : records(event))
            if (record.type == "PATH")
                all += record.field("nametype") + ' ';
        return all;
    };
    const auto row = [](std::string_view name) { return *ebpf_loader::find_syscall(name); };
    EXPECT_EQ(name_types(row("openat"), 3), "NORMAL ");
    EXPECT_EQ(name_types(row("openat"), 3, 0, true), "CREATE ");
    EXPECT_EQ(name_types(row("openat"), -ENOENT), "UNKNOWN ");
    EXPECT_EQ(name_types(row("mkdir"), 0), "CREATE ");
    EXPECT_EQ(name_types(row("mkdir"), -EEXIST), "UNKNOWN ");
    EXPECT_EQ(name_types(row("unlinkat"), 0), "DELETE ");
    EXPECT_EQ(name_types(row("rmdir"), 0), "DELETE ");
    EXPECT_EQ(name_types(row("rename"), 0), "DELETE CREATE ");
    EXPECT_EQ(name_types(row("renameat2"), 0), "DELETE CREATE ");
    EXPECT_EQ(name_types(row("renameat2"), 0, 2), "NORMAL NORMAL ");
    EXPECT_EQ(name_types(row("linkat"), 0), "NORMAL CREATE ");
    EXPECT_EQ(name_types(row("symlink"), 0), "UNKNOWN CREATE ");
    EXPECT_EQ(name_types(row("chmod"), 0), "NORMAL ");
}

TEST_F(AuditTest, ExecsHaveTheirArguments) {
    const std::string argv = samples::string_list({"cat", "a b", "", "say\"", "x=1"});
    Event event = executed(argv);
    Witnessed witnessed;
    witnessed.interpreter = known<PathField>("/bin/sh");
    event.witnessed = &witnessed;
    const auto all = records(event);
    EXPECT_THAT(types(all), ElementsAre("SYSCALL", "EXECVE", "CWD", "PATH", "PATH", "PROCTITLE", "EOE"));
    EXPECT_EQ(all[0].field("items"), "2");
    EXPECT_THAT(lines(event), HasSubstr(": argc=5 a0=\"cat\" a1=612062 a2=\"\" a3=73617922 a4=\"x=1\"\n"));
    EXPECT_EQ(bytes_of(all[4].field("name")), "/bin/sh");
    EXPECT_EQ(all[4].field("item"), "1");
    Event tried = samples::call(samples::execve, -ENOENT);
    tried.exec_argv = known<StringList>(argv);
    EXPECT_THAT(types(records(tried)), ElementsAre("SYSCALL", "CWD", "PROCTITLE", "EOE"))
        << "as auditd has it";
    Event checked = executed(argv);
    checked.executed = false;
    EXPECT_THAT(types(records(checked)), ElementsAre("SYSCALL", "CWD", "PATH", "PROCTITLE", "EOE"));
}

TEST_F(AuditTest, ArgumentsAreSplitByTheKernelsRules) {
    const auto parts = [&](const std::vector<std::string>& strings) {
        std::vector<std::string> names;
        const std::string argv = samples::string_list(strings);
        const auto all = records(executed(argv));
        EXPECT_EQ(arguments(all), strings);
        for (const Record& record : all) {
            if (record.type != "EXECVE")
                continue;
            std::string line;
            for (const auto& [name, value] : record.fields)
                line.append(name)
                    .append(name.ends_with("_len") || name == "argc" ? '=' + value : "")
                    .append(":")
                    .append(std::to_string(value.size()))
                    .append(" ");
            names.push_back(line);
        }
        return names;
    };
    EXPECT_THAT(parts({"ls", std::string(7000, 'x')}), ElementsAre("argc=2:1 a0:4 a1:7002 "));
    // What does not fit is named in parts, and fills the record.
    EXPECT_THAT(parts({"ls", std::string(7490, 'x')}),
                ElementsAre("argc=2:1 a0:4 a1_len=7490:4 a1[0]:7473 ", "a1[1]:21 "));
    // From 7,500 bytes on everything is hexadecimal.
    EXPECT_THAT(parts({"ls", std::string(7500, 'x')}),
                ElementsAre("argc=2:1 a0:4 a1_len=15000:5 a1[0]:7472 ", "a1[1]:7492 ", "a1[2]:36 "));
    EXPECT_THAT(parts({"ls", std::string(3740, ' '), "z"}),
                ElementsAre("argc=3:1 a0:4 a1_len=7480:4 a1[0]:7472 ", "a1[1]:8 a2:3 "));
    // Less than 104 bytes are not begun.
    EXPECT_THAT(parts({std::string(7392, 'x'), "y"}), ElementsAre("argc=2:1 a0:7394 ", "a1:3 "));
    EXPECT_THAT(parts({std::string(7391, 'x'), "y"}), ElementsAre("argc=2:1 a0:7393 ", "a1:3 "));
    EXPECT_THAT(parts({std::string(7390, 'x'), "y"}), ElementsAre("argc=2:1 a0:7392 a1:3 "));
    std::vector<std::string> many(3000, "argument");
    many.emplace_back(20000, '\n');
    EXPECT_GT(parts(many).size(), 7U);
}

TEST_F(AuditTest, TheTitleIsCutAsTheKernelCutsIt) {
    const std::string argv = samples::string_list({"cat", std::string(300, 'x')});
    EXPECT_EQ(bytes_of(only(records(executed(argv)), "PROCTITLE").field("proctitle")), argv.substr(0, 128));
    EXPECT_EQ(only(records(executed(std::string_view("cat\0\n\0\0", 7))), "PROCTITLE").field("proctitle"),
              "\"cat\"");
    EXPECT_EQ(only(records(executed(std::string_view("\0\0", 2))), "PROCTITLE").field("proctitle"), "(null)");
}

TEST_F(AuditTest, AddressesAreTheBytesOfTheirStructures) {
    const auto saddr = [&](const std::string& bytes) {
        Event event = samples::call(samples::connect, -ECONNREFUSED);
        event.sockaddr = known(bytes);
        const auto all = records(event);
        const bool has_one =
            std::ranges::any_of(all, [](const Record& record) { return record.type == "SOCKADDR"; });
        if (!has_one) {
            EXPECT_EQ(all[0].field("missing"), "addr");
        }
        return has_one ? only(all, "SOCKADDR").field("saddr") : std::string("none");
    };
    EXPECT_EQ(saddr(samples::inet("\x0a\0\0\x01", 443)), "020001BB0A0000010000000000000000");
    EXPECT_EQ(saddr(samples::inet("\x0a\0\0\x01", 443).substr(0, 8)), "020001BB0A0000010000000000000000");
    EXPECT_EQ(saddr(samples::inet6({0xfe, 0x80}, 22, 2).substr(0, 24)),
              "0A00001600000000FE80000000000000000000000000000000000000");
    EXPECT_EQ(saddr(samples::sockaddr_of(AF_UNIX, "/run/x\n")), "01002F72756E2F780A");
    EXPECT_EQ(saddr(samples::sockaddr_of(AF_UNIX, "")), "01000000");
    EXPECT_EQ(saddr(samples::sockaddr_of(17, "\x01\x02")), "11000102");
    EXPECT_EQ(saddr(samples::sockaddr_of(AF_INET, "\x01")), "none");
    EXPECT_EQ(saddr(samples::sockaddr_of(AF_INET6, "\x01")), "none");
    EXPECT_EQ(saddr(samples::sockaddr_of(AF_NETLINK, "\x01")), "none");
    EXPECT_EQ(saddr("\x02"), "none");
    EXPECT_EQ(saddr(samples::sockaddr_of(99, std::string(500, 'x'))).size(), 256U);
}

TEST_F(AuditTest, AddressesOfTheKernelAreWrittenTheSame) {
    Event event = samples::call(samples::accept, 4);
    event.socket_status = Status::ok;
    event.socket = {AF_INET, SOCK_STREAM, IPPROTO_TCP, 80, 40000, {127, 0, 0, 1}, {10, 0, 0, 9}};
    EXPECT_EQ(only(records(event), "SOCKADDR").field("saddr"), "02009C400A0000090000000000000000");
    const std::string name = samples::sockaddr_of(AF_UNIX, "/run/y");
    event = samples::call(samples::bind, 0);
    event.socket_status = Status::ok;
    event.socket.family = AF_UNIX;
    event.unix_name = name;
    EXPECT_EQ(only(records(event), "SOCKADDR").field("saddr"), "01002F72756E2F79");
}

TEST_F(AuditTest, OneAddressForEachThatMessagesWentTo) {
    Event event = samples::call(samples::sendto, 1);
    const std::string first = samples::inet("\x0a\0\0\x01", 1), second = samples::inet("\x0a\0\0\x02", 2);
    Witnessed witnessed;
    witnessed.address[0] = known(first);
    witnessed.address[1] = known(second);
    witnessed.addresses = witnessed.address_count = 2;
    event.witnessed = &witnessed;
    event.sockaddr = known(first);
    EXPECT_THAT(types(records(event)),
                ElementsAre("SYSCALL", "SOCKADDR", "SOCKADDR", "CWD", "PROCTITLE", "EOE"));
}

TEST_F(AuditTest, ForksAndEndsAreMessagesOfATrustedApplication) {
    Event fork = samples::event(EBT_FORK);
    fork.child_pid = 4243;
    fork.child_status = Status::ok;
    EXPECT_EQ(unnumbered(fork),
              "type=TRUSTED_APP msg=audit(1763759765.000:N): pid=4242 uid=1000 auid=1000 ses=3 "
              "msg='op=process_fork ppid=4200 child_pid=\"4243\" comm=\"cat\" exe=\"/usr/bin/cat\" "
              "hostname=? addr=? terminal=pts0 res=success'\n");
    Event end = samples::event(EBT_EXIT);
    end.ret = 3 << 8;
    EXPECT_EQ(records(end)[0].field("exit_code"), "\"3\"");
    EXPECT_EQ(records(end)[0].field("res"), "failed");
    end.ret = SIGTERM;
    EXPECT_EQ(records(end)[0].field("sig"), "15");
    EXPECT_EQ(records(end)[0].type, "TRUSTED_APP");
}

TEST_F(AuditTest, ACrashIsTheKernelsRecordOfOne) {
    Event end = samples::event(EBT_EXIT);
    end.ret = SIGSEGV | 0x80;
    EXPECT_THAT(types(records(end)), ElementsAre("ANOM_ABEND", "EOE"));
    EXPECT_EQ(unnumbered(end).substr(0, unnumbered(end).find('\n')),
              "type=ANOM_ABEND msg=audit(1763759765.000:N): auid=1000 uid=1000 gid=1001 ses=3 pid=4242 "
              "comm=\"cat\" "
              "exe=\"/usr/bin/cat\" sig=11 res=1");
}

TEST_F(AuditTest, NoCallIsMadeUpForAnExecThatIsNone) {
    Event exec = samples::event(EBT_EXEC);
    const std::string argv = samples::string_list({"cat", "-"});
    exec.image.argv = known<StringList>(argv);
    const auto all = records(exec);
    EXPECT_THAT(types(all), ElementsAre("KERNEL_OTHER", "EXECVE", "CWD", "PROCTITLE", "EOE"));
    EXPECT_EQ(all[0].field("op"), "process_exec");
    EXPECT_FALSE(all[0].has("syscall"));
}

TEST_F(AuditTest, OperationsOfIoUringAreNoCalls) {
    Event event = opened();
    event.via_io_uring = true;
    event.missing = EBT_MISSING_ARGS;
    const Record first = records(event)[0];
    EXPECT_EQ(first.type, "URINGOP");
    EXPECT_EQ(first.field("uring_op"), "18");
    EXPECT_FALSE(first.has("success") || first.has("syscall") || first.has("a0"));
}

TEST_F(AuditTest, LossesAreErrorsOfADaemon) {
    LossEvent loss;
    loss.time_ns = 1'763'759'765'123'000'000;
    loss.cause = "buffer_full";
    loss.count = 17;
    loss.cpu = 2;
    loss.gap = LossEvent::Gap{0, 1201, 1260};
    std::string out;
    formatter_->format(loss, out);
    const Record record = audit_records::parse(out).front();
    EXPECT_EQ(record.type, "DAEMON_ERR");
    EXPECT_THAT(
        out,
        HasSubstr(": op=lost-events cause=buffer_full count=\"17\" cpu=\"2\" slot=\"0\" gap=1201-1260 pid=" +
                  std::to_string(getpid()) + " uid="));
    EXPECT_EQ(record.field("res"), "failed");
}

TEST_F(AuditTest, OfDocumentsTheStreamHasRecordsAndPeopleHaveText) {
    class Some final : public Document {
      public:
        explicit Some(uint64_t time_ns) : time_ns_(time_ns) {}
        std::string text() const override { return "a=\"'\" res=failed'\n"; }
        std::string json() const override { return "{}\n"; }
        uint64_t time_ns() const override { return time_ns_; }

      private:
        uint64_t time_ns_;
    };
    std::string out;
    formatter_->format(Some(0), out);
    EXPECT_EQ(out, Some(0).text());
    out.clear();
    formatter_->format(Some(1'763'759'765'000'000'000), out);
    const Record record = audit_records::parse(out).front();
    EXPECT_EQ(record.type, "TRUSTED_APP");
    EXPECT_EQ(bytes_of(record.field("data")) + '\n', Some(0).text());
    EXPECT_EQ(record.field("res"), "success");
}
