// SPDX-License-Identifier: MIT
// -f ocsf: which class an event is of, and what each has.
#include <cerrno>
#include <csignal>

#include <ebpf_loader/syscalls.hpp>

#include "telemetry/process/lineage.hpp"
#include "test/unit/output/json_support.hpp"

using namespace json_test;
using samples::known;

namespace {

const ebpf_loader::SyscallRow& row(std::string_view name) {
    const auto rows = ebpf_loader::syscall_rows();
    const auto found = std::ranges::find(rows, name, &ebpf_loader::SyscallRow::name);
    EXPECT_NE(found, rows.end()) << name;
    return *found;
}

class OcsfTest : public JsonFormatterTest {
  protected:
    OcsfTest() { formatter_ = format_named("ocsf").make(samples::context()); }

    /// class_uid, activity_id and status_id.
    json kind(const Event& event) {
        const json made = object(event);
        EXPECT_EQ(made["type_uid"], made["class_uid"].get<int>() * 100 + made["activity_id"].get<int>());
        EXPECT_FALSE(made["activity_name"].get<std::string>().empty());
        return json({made["class_uid"], made["activity_id"], made["status_id"]});
    }
    Event on_path(std::string_view name, int64_t ret = 0) {
        Event event = samples::call(row(name), ret);
        samples::add_path(event, 0, "/home/ann/notes.txt");
        return event;
    }
    Event on_socket(std::string_view name, int64_t ret = 0) { return samples::on_connection(row(name), ret); }
};

TEST_F(OcsfTest, AnEventThatStandsForSeveralCountsThem) {
    Event event = on_socket("connect");
    const Fold fold{.count = 12, .first_ns = event.time_ns - 2'000'000};
    event.fold = &fold;
    const json made = object(event);
    EXPECT_EQ(made["count"], 12);
    EXPECT_EQ(made["start_time"].get<uint64_t>() + 2, made["end_time"].get<uint64_t>());
    EXPECT_EQ(made["end_time"], made["time"]);
}

TEST_F(OcsfTest, ALine) {
    Event event = samples::call(samples::openat, 3, {0xffffff9c, 0x7ffd0010, 0x201, 0644});
    samples::add_path(event, 1, "/home/ann/notes.txt");
    event.path[0].has_inode = true;
    event.path[0].inode = {77, 0xef53, 0100644, 1000, 1001, 0x800001};
    event.key = "notes";
    EXPECT_EQ(
        line(event),
        R"({"metadata":{"version":"1.8.0","product":{"name":"ebpf_telemetry","vendor_name":"ebpf_telemetry",)"
        R"("version":"1.2.0","uid":"0d6c6f0e-6d0c-5c2e-9d3b-0b6b0c8a9f10"},"log_name":"ebpf_telemetry",)"
        R"("profiles":["container","host","linux/linux_users"],)"
        R"("uid":"7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1-3-0-7","event_code":"openat","labels":["notes"]},)"
        R"("time":1763759765000,"severity_id":1,"severity":"Informational","category_uid":1,)"
        R"("category_name":"System Activity","class_uid":1001,"class_name":"File System Activity",)"
        R"("activity_id":3,"activity_name":"Update","type_uid":100103,)"
        R"("type_name":"File System Activity: Update","status_id":1,"status":"Success",)"
        R"("device":{"type_id":0,"type":"Unknown","hostname":"web1","uid":"0123456789abcdef0123456789abcdef",)"
        R"("ip":"10.0.0.7","boot_uid":"6a3d3e1c-0e0b-4c6c-9d56-8a54c3a7f001","os":{"type_id":200,"type":"Linux",)"
        R"("name":"Debian GNU/Linux","version":"12","kernel_release":"6.1.0-50"}},)"
        R"("actor":{"process":{"pid":4242,"uid":"6a3d3e1c-0e0b-4242-59000000123",)"
        R"("created_time":1763700059000,"name":"cat","ptid":4242,)"
        R"("file":{"name":"cat","path":"/usr/bin/cat","type_id":1,"type":"Regular File","owner":{"uid":"0"}},)"
        R"("working_directory":"/home/ann","auid":1000,"euid":1000,"egid":1001,"user":{"uid":"1000"},)"
        R"("group":{"uid":"1001"},"session":{"uid":"3","terminal":"pts0"},"parent_process":{"pid":4200}},)"
        R"("user":{"uid":"1000"}},)"
        R"("file":{"name":"notes.txt","path":"/home/ann/notes.txt","parent_folder":"/home/ann","ext":"txt",)"
        R"("type_id":1,"type":"Regular File","uid":"77","owner":{"uid":"1000"}},)"
        R"("unmapped":{"time":"2025-11-21T21:16:05.000000042Z","suid":1000,"sgid":1001,)"
        R"("file":{"inode":"77","device":"8:1","mode":"0644","uid":"1000","gid":"1001","type":"file"},)"
        R"("linux":{"syscall":{"name":"openat","nr":257,"abi":"x86_64",)"
        R"("args":{"dirfd":"-100","flags":"0x201","mode":"0644"},"ret":3},)"
        R"("audit":{"auid":1000,"ses":3},)"
        R"("process":{"executable":{"inode":"1234","device":"259:2","mode":"0755","uid":"0","gid":"0"},"tty":"pts0"},)"
        R"("telemetry":{"tier":"raw_tp"}}}})"
        "\n");
}

TEST_F(OcsfTest, WhatAFileCallDoes) {
    EXPECT_EQ(kind(on_path("creat", 3)), json({1001, 3, 1})); // whether it made it is not known
    EXPECT_EQ(kind(on_path("unlink")), json({1001, 4, 1}));
    EXPECT_EQ(kind(on_path("chmod")), json({1001, 7, 1}));
    EXPECT_EQ(kind(on_path("utime")), json({1001, 6, 1}));
    EXPECT_EQ(kind(on_path("stat")), json({1001, 8, 1}));
    EXPECT_EQ(kind(on_path("getxattr")), json({1001, 9, 1}));
    EXPECT_EQ(kind(on_path("truncate")), json({1001, 3, 1}));
    EXPECT_EQ(kind(on_path("mkdir")), json({1001, 1, 1}));
    EXPECT_EQ(kind(on_path("umount2")), json({1001, 13, 1}));
    EXPECT_EQ(kind(on_path("open", -ENOENT)), json({1001, 14, 2}));
    EXPECT_EQ(object(on_path("open", -ENOENT))["status_code"], "ENOENT");
    EXPECT_EQ(kind(on_path("sethostname")), json({1003, 4, 1}));
    EXPECT_EQ(kind(samples::call(row("unlink"), -EFAULT)), json({1003, 4, 2})); // which file is not known
}

TEST_F(OcsfTest, ARenameHasBothNames) {
    Event event = samples::call(samples::rename, 0);
    samples::add_path(event, 0, "/home/ann/a.txt");
    samples::add_path(event, 1, "/home/ann/b");
    const json made = object(event);
    EXPECT_EQ(made["activity_id"], 5);
    EXPECT_EQ(made["file"]["path"], "/home/ann/a.txt");
    EXPECT_EQ(made["file_result"]["name"], "b");
}

TEST_F(OcsfTest, Connections) {
    EXPECT_EQ(kind(on_socket("connect")), json({4001, 1, 1}));
    EXPECT_EQ(kind(on_socket("connect", -EINPROGRESS)), json({4001, 1, 0}));
    EXPECT_EQ(kind(on_socket("connect", -ECONNREFUSED)), json({4001, 5, 2}));
    EXPECT_EQ(kind(on_socket("connect", -EHOSTUNREACH)), json({4001, 4, 2}));
    EXPECT_EQ(kind(on_socket("accept4", 5)), json({4001, 1, 1}));
    EXPECT_EQ(kind(on_socket("sendto", 5)), json({4001, 6, 1}));
    EXPECT_EQ(kind(on_socket("listen")), json({4001, 7, 1}));
    EXPECT_EQ(kind(on_socket("bind")), json({4001, 99, 1}));
    EXPECT_EQ(object(on_socket("bind"))["activity_name"], "bind");
    EXPECT_EQ(object(on_socket("getsockname"))["activity_name"], "getsockname");
    EXPECT_EQ(kind(samples::call(row("connect"), -EFAULT)), json({1003, 4, 2}));
    const json made = object(on_socket("connect"));
    EXPECT_EQ(made["src_endpoint"], json({{"ip", "1.2.3.4"}, {"port", 1122}}));
    EXPECT_EQ(made["dst_endpoint"], json({{"ip", "5.6.7.8"}, {"port", 3344}}));
    EXPECT_EQ(made["connection_info"]["direction_id"], 2);
    EXPECT_EQ(made["connection_info"]["protocol_num"], 6);
    EXPECT_EQ(made["connection_info"]["community_uid"], "1:wCb3OG7yAFWelaUydu0D+125CLM=");
    EXPECT_EQ(object(on_socket("accept4", 5))["src_endpoint"]["ip"], "5.6.7.8");
}

TEST_F(OcsfTest, AnExecIsLaunchedByTheParent) {
    const std::string argv = samples::string_list({"cat", "-", "caf\xe9"}),
                      variables = samples::string_list({"A=b=c", "D"});
    Event event = samples::event(EBT_EXEC);
    event.image.argv = known<StringList>(argv);
    event.image.environment = known<StringList>(variables);
    const json made = object(event);
    EXPECT_EQ(kind(event), json({1007, 1, 1}));
    EXPECT_EQ(made["launch_type_id"], 3);
    EXPECT_EQ(made["actor"], json({{"process", {{"pid", 4200}}}}));
    EXPECT_EQ(made["process"]["pid"], 4242);
    EXPECT_EQ(made["process"]["cmd_line"], "cat - caf\ufffd");
    EXPECT_EQ(made["process"]["environment_variables"],
              json({{{"name", "A"}, {"value", "b=c"}}, {{"name", "D"}, {"value", ""}}}));
    EXPECT_EQ(made["unmapped"]["args"][1], "-");
    EXPECT_EQ(from_base64(made["unmapped"]["linux"]["telemetry"]["raw"][0]["base64"]), argv);
}

TEST_F(OcsfTest, AFailedExecNamesWhatWasAskedFor) {
    const std::string argv = samples::string_list({"no", "such"});
    Event event = samples::call(samples::execve, -ENOENT);
    samples::add_path(event, 0, "/bin/no", Source::user_memory);
    event.exec_argv = known<StringList>(argv);
    const json made = object(event);
    EXPECT_EQ(kind(event), json({1007, 1, 2}));
    EXPECT_EQ(made["process"]["path"], "/bin/no");
    EXPECT_EQ(made["process"]["name"], "no");
    EXPECT_EQ(made["process"]["cmd_line"], "no such");
    EXPECT_EQ(made["actor"]["process"]["file"]["path"], "/usr/bin/cat");
}

TEST_F(OcsfTest, ProcessesThatBeginAndEnd) {
    Event fork = samples::event(EBT_FORK);
    fork.child_pid = 4300;
    fork.child_start_time_ns = 60'000'000'000;
    fork.child_status = Status::ok;
    const json made = object(fork);
    EXPECT_EQ(kind(fork), json({1007, 1, 1}));
    EXPECT_EQ(made["launch_type_id"], 2);
    EXPECT_EQ(made["process"]["pid"], 4300);
    EXPECT_EQ(made["actor"]["process"]["pid"], 4242);
    Event end = samples::event(EBT_EXIT);
    end.ret = 0x300;
    EXPECT_EQ(kind(end), json({1007, 2, 2}));
    EXPECT_EQ(object(end)["exit_code"], 3);
    end.ret = SIGSEGV;
    EXPECT_FALSE(object(end).contains("exit_code"));
    EXPECT_EQ(object(end)["unmapped"]["linux"]["process"]["signal"], SIGSEGV);
}

TEST_F(OcsfTest, WhatAProcessDoesToAnother) {
    Event event = samples::call(row("kill"), 0, {77, SIGKILL});
    EXPECT_EQ(kind(event), json({1007, 2, 1}));
    EXPECT_EQ(object(event)["process"], json({{"pid", 77}}));
    event.args[1] = SIGUSR1;
    EXPECT_EQ(kind(event), json({1007, 99, 1}));
    event.args[0] = UINT32_MAX; // all
    EXPECT_EQ(kind(event), json({1003, 4, 1}));
    event.args[0] = 77;
    event.image.namespaces.pid = 5; // it is not the machine's 77
    EXPECT_EQ(kind(event), json({1003, 4, 1}));
    EXPECT_EQ(kind(samples::call(row("process_vm_writev"), 8, {77})), json({1007, 4, 1}));
    EXPECT_EQ(kind(samples::call(row("process_vm_readv"), 8, {77})), json({1007, 3, 1}));
    EXPECT_EQ(kind(samples::call(row("setuid"), 0, {0})), json({1007, 5, 1}));
    EXPECT_EQ(kind(samples::call(row("setsid"), 4242)), json({1007, 99, 1}));
    EXPECT_EQ(kind(samples::call(row("setgid"), 0, {0})), json({3003, 2, 1}));
    EXPECT_EQ(object(samples::call(row("setgid"), 0, {0}))["groups"], json({{{"uid", "1001"}}}));
    EXPECT_EQ(kind(samples::call(row("setgid"), -EPERM, {0})), json({1003, 4, 2}));
    EXPECT_EQ(kind(samples::call(row("getpid"), 4242)), json({1003, 4, 1}));
}

TEST_F(OcsfTest, Modules) {
    Event event = on_path("finit_module");
    EXPECT_EQ(kind(event), json({1005, 1, 1}));
    EXPECT_EQ(object(event)["module"]["file"]["path"], "/home/ann/notes.txt");
    EXPECT_EQ(kind(samples::call(row("init_module"), -EPERM)), json({1005, 1, 2}));
    Event out = samples::call(row("delete_module"), 0);
    out.strings = 1;
    out.string[0] = known<StringField>("nfs");
    EXPECT_EQ(kind(out), json({1005, 2, 1}));
    EXPECT_EQ(object(out)["module"]["file"]["name"], "nfs");
}

TEST_F(OcsfTest, UnknownCallsAndLosses) {
    Event event = samples::event();
    event.nr = 999;
    EXPECT_EQ(object(event)["kernel"]["name"], "syscall_999");
    std::string out;
    formatter_->format({.time_ns = 1'763'759'765'000'000'042, .cause = "buffer_full", .count = 17}, out);
    const json loss = json::parse(out);
    EXPECT_EQ(loss["class_uid"], 0);
    EXPECT_EQ(loss["type_uid"], 99);
    EXPECT_EQ(loss["message"], "17 lost: buffer_full");
    EXPECT_EQ(loss["unmapped"]["linux"]["telemetry"]["loss"]["count"], 17);
}

TEST_F(OcsfTest, HostileBytesStayInside) {
    for (const std::string& bytes : samples::hostile_strings()) {
        const std::string argv = samples::string_list({bytes.substr(0, bytes.find('\0'))});
        Event event = samples::call(samples::execve, 0);
        event.comm = std::string_view(bytes).substr(0, 15);
        event.image.argv = known<StringList>(argv);
        event.image.exe = known<PathField>(bytes);
        event.cwd = known(bytes);
        samples::add_path(event, 0, bytes);
        const json made = object(event);
        EXPECT_EQ(made["class_uid"], 1007);
        EXPECT_EQ(made["process"]["pid"], 4242);
    }
}

} // namespace
