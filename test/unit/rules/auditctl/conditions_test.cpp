// SPDX-License-Identifier: MIT
// What each option of an auditctl rule selects.
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "telemetry/rules/terms/accounts.hpp"
#include "test/unit/rules/errors_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

namespace {

using namespace rules_test;

constexpr const char* NONE = "/etc/ebt-not-there";

Event on_path(std::string_view name, std::string_view path, std::array<uint64_t, EBT_ARGS> args = {}) {
    Event event = event_of(name);
    event.args = args;
    add_path(event, path);
    return event;
}

TEST(AuditctlConditions, AWatchIsForAFileAndForWhatIsBelow) {
    const std::string watch = std::string("-w ") + NONE + " -p wa -k mine\n";
    EXPECT_TRUE(wants(watch, on_path("unlink", NONE)));
    EXPECT_TRUE(wants(watch, on_path("unlink", "/etc/ebt-not-there/x")));
    EXPECT_FALSE(wants(watch, on_path("unlink", "/etc/ebt-not-there2")));
    EXPECT_TRUE(wants(watch, on_path("fchmod", NONE)));
    EXPECT_TRUE(wants(watch, on_path("openat", NONE, {0, 0, O_WRONLY})));
    EXPECT_FALSE(wants(watch, on_path("openat", NONE, {0, 0, O_RDONLY})));
    EXPECT_FALSE(wants(watch, on_path("execve", NONE)));
    EXPECT_FALSE(wants(watch, on_path("read", NONE)));
    EXPECT_EQ(parse(watch).key(on_path("unlink", NONE)), "mine");
    EXPECT_TRUE(wants("-w /etc/ebt-not-there/", on_path("openat", NONE))) << "without -p everything";
    EXPECT_TRUE(wants("-w /etc/ebt-not-there/", on_path("execve", NONE)));
}

TEST(AuditctlConditions, WhereLinksLead) {
    const TemporaryFolder folder;
    mkdir((folder.path() + "/real").c_str(), 0700);
    ASSERT_EQ(symlink("real", (folder.path() + "/link").c_str()), 0);
    const std::string written = folder.path() + "/link/x", led = folder.path() + "/real/x";
    for (const std::string& rule :
         {"-w " + written + " -p wa", "-a always,exit -F path=" + written + " -F perm=w",
          "-a always,exit -F dir=" + folder.path() + "/link/ -F perm=w"}) {
        EXPECT_TRUE(wants(rule, on_path("unlink", written))) << rule;
        EXPECT_TRUE(wants(rule, on_path("unlink", led))) << rule;
    }
}

TEST(AuditctlConditions, AnExecIsAlsoThatOfTheInterpreter) {
    Event event = on_path("execve", "/root/script");
    event.image.exe.bytes = NONE;
    const std::string watch = std::string("-w ") + NONE + " -p x";
    EXPECT_TRUE(wants(watch, event));
    EXPECT_TRUE(wants("-a always,exit -S execve -F path=/etc/ebt-not-there", event));
    event.ret = -ENOENT;
    EXPECT_FALSE(wants(watch, event)) << "it was this program that called";
    event.path[0].bytes = NONE;
    EXPECT_TRUE(wants(watch, event));
}

TEST(AuditctlConditions, Architectures) {
    const auto of = [](ebt_abi abi) { return with([&](Event& e) { e.abi = abi; }, "fchmod"); };
    const Event native = of(EBT_NATIVE_ABI), compat = of(EBT_COMPAT_ABI);
    const std::string b32 = "-a always,exit -F arch=b32 -S fchmod",
                      b64 = "-a always,exit -F arch=b64 -S fchmod", both = "-a always,exit -S fchmod";
    const auto but = [&](const std::string& arch) {
        return "-a never,exit -F arch=" + arch + " -S fchmod\n" + both;
    };
    EXPECT_TRUE(wants(b64, native));
    EXPECT_FALSE(wants(b64, compat));
    EXPECT_TRUE(wants(b32, compat));
    EXPECT_FALSE(wants(b32, native));
    EXPECT_TRUE(wants(b32 + "\n" + b64, compat));
    EXPECT_TRUE(wants("-a always,exit -F arch!=b64 -S fchmod", compat));
    EXPECT_TRUE(wants(both, compat)) << "without arch both";
#ifdef __x86_64__
    EXPECT_TRUE(wants(b64, of(EBT_X32)));
    EXPECT_TRUE(wants(but("x86_64"), of(EBT_X32)));
    EXPECT_FALSE(wants(but("0xc000003e"), native));
#else
    EXPECT_TRUE(wants(but("aarch64"), compat));
    EXPECT_FALSE(wants(but("0xc00000b7"), native));
    EXPECT_FALSE(wants(but("0x40000028"), compat));
#endif
}

uint16_t row_at(const Rules& rules, ebt_abi abi, uint32_t number) {
    const auto selection = rules.compile();
    const auto found = selection.numbers().find(number);
    return found == selection.numbers().end() ? uint16_t{EBT_ROW_NONE} : found->second.row[EBT_ABI_SLOT(abi)];
}

/// Else every call of a machine would have to be looked at for the few of 32-bit programs.
TEST(AuditctlConditions, OfOtherArchitecturesTheKernelTakesNothing) {
#ifdef __x86_64__
    constexpr uint32_t getppid = 110, execve = 59;
    const std::string native = "x86_64", compat = "i386", others = "{i386, x32}";
#else
    constexpr uint32_t getppid = 173, execve = 221;
    const std::string native = "aarch64", compat = "arm", others = "{arm}";
#endif
    constexpr uint32_t getppid_32 = 64;
    const Rules rules = parse("-a always,exit -F arch=b32 -S all");
    const auto row = ebpf_loader::row_of(call("getppid"));
    EXPECT_EQ(row_at(rules, EBT_NATIVE_ABI, getppid), EBT_ROW_NONE);
    EXPECT_EQ(row_at(rules, EBT_COMPAT_ABI, getppid_32), row);
#ifdef __x86_64__
    EXPECT_EQ(row_at(rules, EBT_X32, getppid), EBT_ROW_NONE);
#endif
    const Rules both = parse("-a always,exit -F arch=b32 -S all\n-a always,exit -F arch=b64 -S getppid");
    EXPECT_EQ(row_at(both, EBT_NATIVE_ABI, getppid), row);
    EXPECT_NE(row_at(rules, EBT_NATIVE_ABI, execve), EBT_ROW_NONE)
        << "the ABI of an exec is that of the new image";
    EXPECT_EQ(row_at(parse("getppid arch in " + others), EBT_NATIVE_ABI, getppid), EBT_ROW_NONE);
    EXPECT_EQ(row_at(parse("getppid arch != " + native), EBT_NATIVE_ABI, getppid), EBT_ROW_NONE);
    EXPECT_EQ(row_at(parse("getppid arch != " + compat + "\ngetppid ret = 1"), EBT_COMPAT_ABI, getppid_32),
              row);
}

TEST(AuditctlConditions, Arguments) {
    const auto selects = [](const std::string& fields, uint64_t a2) {
        return wants("-a always,exit -F arch=b64 -S openat " + fields, "openat", {0, 0, a2});
    };
    EXPECT_TRUE(selects("-F a2&0100", O_CREAT | O_WRONLY)) << "& is any bit";
    EXPECT_TRUE(selects("-F a2&01003", O_WRONLY));
    EXPECT_FALSE(selects("-F a2&01003", O_CREAT));
    EXPECT_FALSE(selects("-F a2&=01003", O_WRONLY)) << "&= is all of them";
    EXPECT_TRUE(selects("-F a2&=01001", O_WRONLY | O_TRUNC));
    EXPECT_TRUE(selects("-F a2=0x41 -F a2!=1 -F a2<66 -F a2>64 -F a2>=65 -F a2<=65", 65));
    EXPECT_TRUE(wants("-a always,exit -S lseek -F a1=-1", "lseek", {0, 0xffffffff}))
        << "auditd's arguments have 32 bits";
    EXPECT_TRUE(wants("-a always,exit -S lseek -F a1=5", "lseek", {0, 0x700000005}));
}

TEST(AuditctlConditions, Results) {
    Event event = event_of("open");
    event.ret = -EACCES;
    EXPECT_TRUE(wants("-a always,exit -S open -F exit=-EACCES", event));
    EXPECT_TRUE(wants("-a always,exit -S open -F exit=-13 -F success=0", event));
    EXPECT_TRUE(wants("-a always,exit -S open -F exit<0", event));
    EXPECT_FALSE(wants("-a always,exit -S open -F exit=-EPERM", event));
    EXPECT_FALSE(wants("-a always,exit -S open -F success=1", event));
    EXPECT_TRUE(wants("-a always,exit -S open -F success!=1", event));
    EXPECT_TRUE(wants("-a always,exit -S all -F exit=-EACCES", event));
}

TEST(AuditctlConditions, Ids) {
    const Event event = with([](Event& e) {
        e.uid = e.suid = 0;
        e.euid = 7;
        e.auid = 1000;
        e.gid = 5;
        e.egid = 6;
        e.ses = 3;
        e.pid = 8;
        e.ppid = 9;
    });
    const auto selects = [&](const std::string& fields) {
        return wants("-a always,exit -S read " + fields, event);
    };
    EXPECT_TRUE(
        selects("-F uid=0 -F euid=7 -F auid>=1000 -F auid!=unset -F auid!=-1 -F loginuid!=4294967295"));
    EXPECT_TRUE(selects("-F gid=5 -F egid>5 -F sessionid=3 -F sessionid!=unset -F pid=8 -F ppid=9"));
    EXPECT_FALSE(selects("-F auid<1000"));
    EXPECT_TRUE(selects("-F uid=root -F gid!=root -F suid=root"));
    EXPECT_TRUE(selects("-C uid!=euid -C uid=suid -C gid!=egid"));
    EXPECT_FALSE(selects("-C uid=euid"));
    EXPECT_FALSE(selects("-C auid!=auid"));
}

TEST(AuditctlConditions, Files) {
    Event event = event_of("rename");
    for (const uint32_t owner : {1000, 0}) {
        PathField& path = add_path(event, "/home/x");
        path.has_inode = true;
        path.inode = {owner + 1, 2, S_IFREG | 0644, owner, owner};
    }
    event.auid = 1000;
    const auto selects = [&](const std::string& fields) {
        return wants("-a always,exit -S all " + fields, event);
    };
    EXPECT_TRUE(selects("-F obj_uid=0 -F obj_gid=1000 -F inode=1001 -F filetype=file"));
    EXPECT_FALSE(selects("-F filetype=dir"));
    EXPECT_TRUE(selects("-F devmajor=9")) << "not known";
    event.path[0].inode.device = event.path[1].inode.device = 0x800101;
    EXPECT_TRUE(selects("-F devmajor=8 -F devminor=257"));
    EXPECT_FALSE(selects("-F devmajor=9"));
    EXPECT_FALSE(selects("-F devminor!=257"));
    event.path[1].inode.device = 0x800102;
    EXPECT_TRUE(selects("-F devminor!=257")) << "of one of them";
    EXPECT_TRUE(selects("-F obj_uid!=1000")) << "of one of them";
    EXPECT_TRUE(selects("-C auid!=obj_uid")) << "of one of them";
    event.path[1].inode.uid = 1000;
    EXPECT_FALSE(selects("-F obj_uid!=1000"));
    EXPECT_FALSE(selects("-C auid!=obj_uid"));
    EXPECT_TRUE(selects("-C auid=obj_uid"));
    EXPECT_TRUE(selects("-F dir=/home -F uid=0 -C auid=obj_uid"));
}

/// auditd has the names of files in events of calls that name them.
TEST(AuditctlConditions, ADirectoryAloneIsForTheCallsThatNameFiles) {
    const std::string rule = "-a always,exit -F dir=/home";
    EXPECT_TRUE(wants(rule, on_path("stat", "/home/x")));
    EXPECT_TRUE(wants(rule, on_path("chdir", "/home/x")));
    EXPECT_TRUE(wants(rule, on_path("fchmod", "/home/x")));
    EXPECT_FALSE(wants(rule, on_path("read", "/home/x")));
    EXPECT_FALSE(wants(rule, on_path("mmap", "/home/x")));
}

TEST(AuditctlConditions, FamiliesOfAddresses) {
    using namespace std::string_view_literals;
    Event event = event_of("connect");
    event.sockaddr.bytes = "\x02\0\0\x50\x7f\0\0\x01"sv;
    event.sockaddr.status = Status::ok;
    EXPECT_TRUE(wants("-a always,exit -S connect -F saddr_fam=2", event));
    EXPECT_FALSE(wants("-a always,exit -S connect -F saddr_fam=10", event));
    EXPECT_TRUE(wants("-a always,exit -F saddr_fam!=10", event));
    EXPECT_TRUE(wants("connect family = AF_INET", event));
    EXPECT_FALSE(wants("-a always,exit -F saddr_fam!=10", event_of("getppid")));
    EXPECT_FALSE(wants("-a always,exit -S connect -F saddr_fam!=10", event_of("connect"))) << "it has none";
}

TEST(AuditctlConditions, Executables) {
    const Event event = event_of("getppid"); // of /usr/bin/dash
    EXPECT_TRUE(wants("-a always,exit -S all -F exe=/usr/bin/dash", event));
    EXPECT_FALSE(wants("-a always,exit -S all -F exe=/usr/bin/da", event));
    EXPECT_FALSE(wants("-a always,exit -S getppid -F exe!=/usr/bin/dash", event));
    EXPECT_TRUE(wants("-a always,exit -S getppid -F exe!=/usr/bin/bash", event));
}

TEST(AuditctlConditions, Calls) {
    const std::string several = "-a always,exit -S fchmodat,fchmod -S fchown",
                      writes = "-a always,exit -S fchmod,openat -F perm=w";
    EXPECT_TRUE(wants(several, event_of("fchown")));
    EXPECT_TRUE(wants(several, event_of("fchmod")));
    EXPECT_FALSE(wants(several, event_of("fchownat")));
    EXPECT_TRUE(wants("-a always,exit -F arch=b64 -S " + std::to_string(native_number("execve")),
                      event_of("execve")));
    EXPECT_TRUE(
        wants("-a always,exit -F arch=b32 -S 11", with([](Event& e) { e.abi = EBT_COMPAT_ABI; }, "execve")));
    EXPECT_TRUE(wants(writes, "openat", {0, 0, O_RDWR}));
    EXPECT_FALSE(wants(writes, "openat", {0, 0, O_RDONLY}));
    EXPECT_FALSE(wants(writes, event_of("fchmod")));
    EXPECT_TRUE(wants("-a always,exit -S read -S lseek -F a2=1", "lseek", {0, 0, 1}));
    EXPECT_TRUE(wants("-a exit,always -Sgetppid -kk", event_of("getppid"))) << "arguments in the same word";
}

TEST(AuditctlConditions, ABlankInAPath) {
    EXPECT_TRUE(wants("-w /etc/ebt\\ a\\\\b -p w", on_path("unlink", "/etc/ebt a\\b")));
}

TEST(RulesAccounts, NamesOfAFile) {
    const TemporaryFolder folder;
    const std::string file = folder.path() + "/passwd";
    std::ofstream(file)
        << "root:x:0:0::/:/bin/sh\nbroken\nx:y\nchrony:x:113:1::/:\nchrony2:x:9\nbig:x:99999999999:\n"
        << "systemd-network:x:101:102::/:\nnegative:x:-1:\n";
    const auto id = [&](std::string_view name) { return rules::terms::find_id(file, name); };
    EXPECT_EQ(id("root"), 0u);
    EXPECT_EQ(id("chrony"), 113u);
    EXPECT_EQ(id("chrony2"), 9u);
    EXPECT_EQ(id("systemd-network"), 101u);
    for (const char* none : {"", "broken", "x", "big", "negative", "chron", "root:x", "nobody"})
        EXPECT_EQ(id(none), std::nullopt) << none;
    EXPECT_EQ(rules::terms::find_id("/not/there", "root"), std::nullopt);
}

TEST(RulesAccounts, NamesInRules) {
    EXPECT_TRUE(
        wants("read uid = root && gid = root && file.uid = root\nread euid = \"root\"", event_of("read")));
    EXPECT_TRUE(wants("read uid in {root, 5}", event_of("read")));
    EXPECT_EQ(error("read uid = nosuchuser1"), "1:12 there is no user \"nosuchuser1\" in /etc/passwd");
    EXPECT_EQ(error("read gid = \"no such\""), "1:12 there is no group \"no such\" in /etc/group");
}

TEST(RulesAccounts, FieldsAreComparedWithEachOther) {
    const Event event = with([](Event& e) { e.euid = 5; });
    EXPECT_TRUE(wants("read uid != euid", event));
    EXPECT_FALSE(wants("read uid = euid", event));
    EXPECT_TRUE(wants("read gid = egid && uid = suid", event));
    EXPECT_EQ(error("read uid < euid"), "1:12 fields are compared with each other by = and != alone");
    EXPECT_EQ(error("read uid = gid"), "1:12 there is no user \"gid\" in /etc/passwd");
    EXPECT_FALSE(parse("read uid != euid").kernel_decides(ebpf_loader::row_of(call("read"))));
}

} // namespace
