// SPDX-License-Identifier: MIT
#include <cerrno>
#include <fcntl.h>

#include "test/unit/output/json_support.hpp"

using namespace json_test;
using samples::known;

TEST_F(JsonFormatterTest, OpenatWholeLine) {
    Event event = samples::call(samples::openat, 3, {0xffffff9c, 0x7ffd0010, O_WRONLY | O_TRUNC, 0644});
    samples::add_path(event, EBT_ARG_RET, "/home/ann/notes.txt");
    event.path[0].has_inode = true;
    event.path[0].inode = {77, 0xef53, 0100644, 1000, 1001, 0x800001};
    EXPECT_EQ(
        line(event),
        R"({"@timestamp":"2025-11-21T21:16:05.000000042Z","ecs":{"version":"8.17.0"},)"
        R"("host":{"name":"web1","hostname":"web1","id":"0123456789abcdef0123456789abcdef",)"
        R"("architecture":"x86_64","boot":{"id":"6a3d3e1c-0e0b-4c6c-9d56-8a54c3a7f001"},)"
        R"("ip":["10.0.0.7","fe80::1"],"os":{"type":"linux","name":"Debian GNU/Linux","version":"12",)"
        R"("full":"Debian GNU/Linux 12","platform":"debian","family":"debian",)"
        R"("kernel":"6.1.0-50"}},"agent":{"type":"ebpf_telemetry","version":"1.2.0",)"
        R"("id":"0d6c6f0e-6d0c-5c2e-9d3b-0b6b0c8a9f10",)"
        R"("ephemeral_id":"7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1"},"data_stream":{"type":"logs",)"
        R"("dataset":"ebpf_telemetry.events","namespace":"default"},"event":{"module":"ebpf_telemetry",)"
        R"("dataset":"ebpf_telemetry.events","id":"7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1-3-0-7",)"
        R"("code":"openat","kind":"event","action":"modification","category":["file"],)"
        R"("type":["change"],"outcome":"success"},)"
        R"("process":{"pid":4242,)"
        R"("entity_id":"6a3d3e1c-0e0b-4242-59000000123",)"
        R"("start":"2025-11-21T04:40:59.000000123Z","name":"cat","thread":{"name":"cat"},)"
        R"("executable":"/usr/bin/cat","working_directory":"/home/ann","interactive":true,)"
        R"("tty":{"char_device":{"major":136,"minor":0}},"user":{"id":"1000"},"group":{"id":"1001"},)"
        R"("real_user":{"id":"1000"},"real_group":{"id":"1001"},"parent":{"pid":4200}},)"
        R"("user":{"id":"1000","effective":{"id":"1000"}},"group":{"id":"1001"},)"
        R"("file":{"path":"/home/ann/notes.txt","name":"notes.txt","extension":"txt","inode":"77","device":"8:1",)"
        R"("mode":"0644","uid":"1000","gid":"1001","type":"file"},)"
        R"("linux":{"syscall":{"name":"openat","nr":257,"abi":"x86_64",)"
        R"("args":{"dirfd":"-100","flags":"0x201","mode":"0644"},"ret":3},)"
        R"("audit":{"auid":1000,"ses":3},)"
        R"("process":{"executable":{"inode":"1234","device":"259:2","mode":"0755","uid":"0","gid":"0"},)"
        R"("tty":"pts0"},)"
        R"("telemetry":{"tier":"raw_tp"}}})"
        "\n");
}

TEST_F(JsonFormatterTest, LossEvents) {
    std::string out;
    formatter_->format(LossEvent{1'763'759'765'123'456'789, "buffer_full", 17, 2}, out);
    const json loss = json::parse(out);
    EXPECT_EQ(loss["event"]["action"], "loss");
    EXPECT_EQ(loss["event"]["kind"], "pipeline_error");
    EXPECT_EQ(loss["@timestamp"], "2025-11-21T21:16:05.123456789Z");
    EXPECT_EQ(loss["linux"]["telemetry"]["loss"], json({{"cause", "buffer_full"}, {"count", 17}}));
    EXPECT_EQ(loss["linux"]["telemetry"]["cpu"], 2);
    EXPECT_EQ(loss["linux"]["telemetry"]["tier"], "raw_tp");

    out.clear();
    formatter_->format(LossEvent{0, "buffer_full", 3, 2, LossEvent::Gap{1, 7, 10}}, out);
    EXPECT_EQ(json::parse(out)["linux"]["telemetry"]["slot"], 1);
    EXPECT_EQ(json::parse(out)["linux"]["telemetry"]["loss"]["gap"], json({{"first", 7}, {"last", 10}}));

    out.clear();
    formatter_->format(LossEvent{0, "sink_full", 1, -1}, out);
    EXPECT_FALSE(json::parse(out)["linux"]["telemetry"].contains("cpu"));
    EXPECT_EQ(loss["event"]["id"], "7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1-loss-1");
    EXPECT_EQ(json::parse(out)["event"]["id"], "7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1-loss-3");
    EXPECT_EQ(loss["data_stream"]["dataset"], "ebpf_telemetry.losses");
}

TEST_F(JsonFormatterTest, TheEntityIsThatOfTheProcessAlone) {
    Event event = samples::event();
    const std::string entity = object(event)["process"]["entity_id"];
    event.tid = 4300;
    event.exec_id = 9;
    event.time_ns += 1000;
    event.comm = "other";
    EXPECT_EQ(object(event)["process"]["entity_id"], entity);
    event.start_time_ns += 1;
    EXPECT_NE(object(event)["process"]["entity_id"], entity);
    event.start_time_ns -= 1;
    event.pid += 1;
    EXPECT_NE(object(event)["process"]["entity_id"], entity);
}

TEST_F(JsonFormatterTest, WithoutBootTimeThereIsNoStart) {
    FormatContext context = samples::context();
    context.boot_time_ns = 0;
    context.boot_id.clear();
    const auto formatter = format_named("json").make(context);
    const json made = json::parse(samples::formatted(*formatter, samples::event()));
    EXPECT_FALSE(made["process"].contains("start"));
    EXPECT_EQ(made["process"]["entity_id"], "4242-59000000123");
    EXPECT_FALSE(made["host"].contains("boot"));
}

TEST_F(JsonFormatterTest, SuccessfulExec) {
    const std::string argv = samples::string_list({"ls", "-l", "a b", ""});
    Event event = samples::call(samples::execve, 0);
    event.image.argv = known<StringList>(argv);
    const json made = object(event);
    EXPECT_EQ(made["process"]["args"], json({"ls", "-l", "a b", ""}));
    EXPECT_EQ(made["process"]["args_count"], 4);
    EXPECT_EQ(made["process"]["command_line"], "ls -l a b ");
    EXPECT_EQ(made["process"]["title"], "ls -l a b ");
    const std::string long_one = samples::string_list({"sh", "-c", std::string(2000, 'x')});
    event.image.argv = known<StringList>(long_one);
    const json cut = object(event);
    EXPECT_EQ(cut["process"]["title"], "sh -c " + std::string(1018, 'x'));
    EXPECT_EQ(cut["linux"]["telemetry"]["truncated"],
              json::parse(R"([{"field":"process.title","original_length":2007}])"));
    EXPECT_EQ(made["event"]["category"], json({"process"}));
    EXPECT_EQ(made["event"]["type"], json({"start"}));
    EXPECT_FALSE(made["linux"]["syscall"].contains("argv"));
}

TEST_F(JsonFormatterTest, TheFirstEventOfAProcessThatRanBeforeHasItsArguments) {
    const std::string argv = samples::string_list({"cat", "-"});
    Event event = samples::call(samples::openat, 3);
    event.image.argv = known<StringList>(argv);
    EXPECT_EQ(object(event)["process"]["args"], json({"cat", "-"}));
    event.carries_image = true;
    EXPECT_EQ(object(event)["process"]["args"], json({"cat", "-"}));
}

TEST_F(JsonFormatterTest, FailedExecIsNotTheProcess) {
    const std::string argv = samples::string_list({"/nope", "x"});
    Event event = samples::call(samples::execve, -ENOENT);
    event.exec_argv = known<StringList>(argv, Source::user_memory);
    samples::add_path(event, 0, "/nope", Source::user_memory);
    const json made = object(event);
    EXPECT_FALSE(made["process"].contains("args"));
    EXPECT_EQ(made["linux"]["syscall"]["argv"], json({"/nope", "x"}));
    EXPECT_EQ(made["file"]["path"], "/nope");
    EXPECT_EQ(made["error"]["code"], "ENOENT");
    EXPECT_EQ(made["event"]["outcome"], "failure");
    EXPECT_EQ(made["linux"]["telemetry"]["user_memory"], json({"file.path", "linux.syscall.argv"}));
}

TEST_F(JsonFormatterTest, AnExecThatOnlyChecksDoesNotChangeTheProcess) {
    const std::string argv = samples::string_list({"ls"});
    Event event = samples::call(samples::execve, 0);
    event.executed = false;
    event.image.argv = known<StringList>(argv);
    json made = object(event);
    EXPECT_EQ(made["event"]["type"], json({"info"}));
    EXPECT_EQ(made["linux"]["telemetry"]["missing"], json({"linux.syscall.argv"}));
    event.exec_argv = known<StringList>(argv, Source::user_memory);
    made = object(event);
    EXPECT_EQ(made["linux"]["syscall"]["argv"], json({"ls"}));
    EXPECT_FALSE(made["linux"]["telemetry"].contains("missing"));
}

TEST_F(JsonFormatterTest, ProcessEvents) {
    Event fork = samples::event(EBT_FORK);
    fork.child_pid = 5000;
    fork.child_start_time_ns = 60'000'000'000;
    fork.child_status = Status::ok;
    json made = object(fork);
    EXPECT_EQ(made["event"]["action"], "fork");
    EXPECT_EQ(made["event"]["category"], json({"process"}));
    EXPECT_EQ(made["event"]["outcome"], "success");
    EXPECT_EQ(made["linux"]["process"]["child"]["pid"], 5000);
    EXPECT_EQ(made["linux"]["process"]["child"]["entity_id"], "6a3d3e1c-0e0b-5000-60000000000");
    EXPECT_FALSE(made["linux"].contains("syscall"));

    const std::string argv = samples::string_list({"cat"});
    Event exec = samples::event(EBT_EXEC);
    exec.image.argv = known<StringList>(argv);
    made = object(exec);
    EXPECT_EQ(made["event"]["action"], "exec");
    EXPECT_EQ(made["process"]["args"], json({"cat"}));

    Event exit = samples::event(EBT_EXIT);
    exit.ret = 3 << 8;
    made = object(exit);
    EXPECT_EQ(made["event"]["action"], "end");
    EXPECT_EQ(made["event"]["type"], json({"end"}));
    EXPECT_EQ(made["event"]["outcome"], "failure"); // as the rules' success
    EXPECT_EQ(made["process"]["exit_code"], 3);
    EXPECT_EQ(made["process"]["end"], made["@timestamp"]);

    exit.ret = 0;
    EXPECT_EQ(object(exit)["event"]["outcome"], "success");
    exit.ret = 9;
    made = object(exit);
    EXPECT_EQ(made["event"]["outcome"], "failure");
    EXPECT_FALSE(made["process"].contains("exit_code"));
    EXPECT_EQ(made["linux"]["process"]["signal"], 9);
    EXPECT_EQ(made["linux"]["process"]["core_dumped"], false);
}

TEST_F(JsonFormatterTest, Outcomes) {
    Event event = samples::call(samples::openat, -512);
    EXPECT_EQ(object(event)["event"]["outcome"], "unknown"); // the kernel makes the call again
    EXPECT_EQ(object(event)["error"]["code"], "ERESTARTSYS");
    event.ret = -EINTR;
    event.interrupted = true;
    EXPECT_EQ(object(event)["event"]["outcome"], "unknown");
    EXPECT_EQ(object(event)["linux"]["syscall"]["interrupted"], true);
    event.interrupted = false;
    EXPECT_EQ(object(event)["event"]["outcome"], "failure");
    event.ret = -EACCES;
    EXPECT_EQ(object(event)["event"]["outcome"], "failure");
    EXPECT_EQ(object(event)["error"]["code"], "EACCES");
    event.ret = -4096; // no error of any name
    EXPECT_FALSE(object(event).contains("error"));
    event.call = &samples::exit_group;
    event.returns = false;
    const json made = object(event);
    EXPECT_EQ(made["event"]["outcome"], "unknown");
    EXPECT_FALSE(made["linux"]["syscall"].contains("ret"));
}

TEST_F(JsonFormatterTest, WhatAnOpenDoesDependsOnItsFlags) {
    const auto is = [&](uint64_t flags, int64_t ret) {
        const json made = object(samples::call(samples::openat, ret, {0, 0, flags, 0}))["event"];
        return json({made["action"], made["type"][0]});
    };
    EXPECT_EQ(is(O_RDONLY, 3), json({"open", "access"}));
    EXPECT_EQ(is(O_WRONLY, 3), json({"open", "change"}));
    EXPECT_EQ(is(O_RDWR | O_CREAT, 3), json({"open", "change"})); // it may have been there
    EXPECT_EQ(is(O_RDWR | O_CREAT | O_EXCL, 3), json({"creation", "creation"}));
    EXPECT_EQ(is(O_RDWR | O_CREAT | O_EXCL, -EEXIST), json({"openat", "access"}));
    EXPECT_EQ(is(O_RDONLY | O_TRUNC, 3), json({"modification", "change"}));
    EXPECT_EQ(is(O_RDWR | O_TMPFILE, 3), json({"creation", "creation"}));
    for (const int ignored : {O_CREAT | O_EXCL, O_TRUNC, O_RDWR, O_TMPFILE | O_RDWR})
        EXPECT_EQ(is(static_cast<uint64_t>(O_PATH | ignored), 3), json({"open", "access"})) << ignored;
}

TEST_F(JsonFormatterTest, AnOpenThatMadeItsFileIsACreation) {
    for (const auto flags : {O_WRONLY | O_CREAT | O_TRUNC, O_RDONLY | O_CREAT, 0 /* not known */}) {
        Event event = samples::call(samples::openat, 3, {0, 0, static_cast<uint64_t>(flags), 0});
        event.paths = 1;
        event.path[0].created = true;
        EXPECT_EQ(object(event)["event"]["action"], "creation");
        EXPECT_EQ(object(event)["event"]["type"], json({"creation"}));
    }
}

TEST_F(JsonFormatterTest, WhatFailedChangedNothing) {
    const auto is = [&](const ebpf_loader::SyscallRow& call, int64_t ret) {
        const json made = object(samples::call(call, ret))["event"];
        return json({made["action"], made["type"], made["outcome"]});
    };
    EXPECT_EQ(is(samples::rename, 0), json({"rename", {"change"}, "success"}));
    EXPECT_EQ(is(samples::rename, -EACCES), json({"rename", {"info"}, "failure"}));
    EXPECT_EQ(is(samples::execve, 0), json({"exec", {"start"}, "success"}));
    EXPECT_EQ(is(samples::execve, -ENOENT), json({"execve", {"info"}, "failure"}));
    EXPECT_EQ(is(samples::connect, -ECONNREFUSED),
              json({"connection_attempted", {"connection", "start"}, "failure"}));
    EXPECT_EQ(is(samples::connect, -EINPROGRESS),
              json({"connection_attempted", {"connection", "start"}, "unknown"}));
    EXPECT_EQ(is(samples::accept, -EAGAIN), json({"accept", {"connection"}, "failure"}));
}

TEST_F(JsonFormatterTest, UnknownCalls) {
    Event event = samples::event();
    event.nr = 999;
    event.args = {1, 2, 3, 4, 5, UINT64_MAX};
    const json made = object(event);
    EXPECT_EQ(made["event"]["action"], "syscall_999");
    EXPECT_EQ(made["event"]["category"], json({"api"}));
    EXPECT_EQ(made["linux"]["syscall"]["nr"], 999);
    EXPECT_FALSE(made["linux"]["syscall"].contains("name"));
    EXPECT_EQ(made["linux"]["syscall"]["args"]["a5"], "0xffffffffffffffff");
}

TEST_F(JsonFormatterTest, ArgumentsReadBackWithBaseZero) {
    Event event = samples::call(samples::openat, 3, {0xffffffff00000005, UINT64_MAX, 0x80000, 04755});
    const json args = object(event)["linux"]["syscall"]["args"];
    const auto number = [&](const char* name) {
        return std::stoull(args[name].get<std::string>(), nullptr, 0);
    };
    EXPECT_EQ(args["dirfd"], "5"); // the kernel takes 32 bits of it
    EXPECT_FALSE(args.contains("pathname")) << "the path is there, and not where it was";
    EXPECT_EQ(number("flags"), 0x80000U);
    EXPECT_EQ(number("mode"), 04755U);
}

TEST_F(JsonFormatterTest, BothPathsWithTheirArguments) {
    Event event = samples::call(samples::rename, 0);
    samples::add_path(event, 0, "/old");
    samples::add_path(event, 1, "new");
    event.path[1].relative = true;
    const json made = object(event);
    EXPECT_EQ(made["file"], json::parse(R"({"path":"new","Ext":{"original":{"path":"/old","name":"old"}}})"));
    EXPECT_EQ(made["linux"]["syscall"]["paths"],
              json::parse(R"([{"argument":"oldpath","path":"/old"},{"argument":"newpath","path":"new"}])"));
    EXPECT_EQ(made["linux"]["telemetry"]["relative"], json({"file.path", "linux.syscall.paths[1].path"}));
}

TEST_F(JsonFormatterTest, TheTargetOfASymbolicLinkIsNotTheFile) {
    const ebpf_loader::SyscallRow symlink = {
        "symlink",
        {88, 83, 88},
        samples::EventClass::file_creation,
        ebpf_loader::ReturnKind::number,
        0,
        2,
        {{"target", samples::ArgKind::path_text}, {"linkpath", samples::ArgKind::path, EBT_LINK_CWD}}};
    Event event = samples::call(symlink, 0);
    samples::add_path(event, 0, "../target", Source::user_memory);
    event.path[0].relative = true;
    samples::add_path(event, 1, "/link", Source::user_memory);
    const json made = object(event);
    EXPECT_EQ(made["file"]["path"], "/link");
    EXPECT_EQ(made["file"]["target_path"], "../target");
    EXPECT_FALSE(made["linux"]["telemetry"].contains("relative"));
}

TEST_F(JsonFormatterTest, AnEventThatStandsForSeveralHasItsSpan) {
    Event event = samples::on_connection(samples::connect);
    EXPECT_FALSE(object(event)["event"].contains("start"));
    const Fold fold{.count = 12, .first_ns = event.time_ns - 42};
    event.fold = &fold;
    const json made = object(event);
    EXPECT_EQ(made["event"]["start"], "2025-11-21T21:16:05.000000000Z");
    EXPECT_EQ(made["event"]["end"], made["@timestamp"]);
    EXPECT_EQ(made["linux"]["folded"], 12);
}

TEST_F(JsonFormatterTest, WhatIsNotKnownIsAbsentAndListed) {
    Event event = samples::call(samples::openat, -EFAULT);
    event.missing = EBT_MISSING_ARGS | EBT_MISSING_PPID | EBT_MISSING_AUDIT | EBT_MISSING_CREDENTIALS |
                    EBT_MISSING_ABI | EBT_MISSING_START_TIME;
    event.image = Image();
    event.cwd.status = Status::unavailable;
    event.paths = 1;
    event.path[0].status = Status::fault;
    event.lost_fields = true;
    event.dropped_before = 5;
    const json made = object(event);
    EXPECT_FALSE(made.contains("user"));
    EXPECT_FALSE(made.contains("file"));
    EXPECT_FALSE(made["process"].contains("executable"));
    EXPECT_FALSE(made["process"].contains("entity_id"));
    const json about = made["linux"]["telemetry"];
    EXPECT_EQ(about["missing"],
              json({"linux.syscall.args", "process.parent.pid", "linux.audit", "user", "linux.syscall.abi",
                    "process.entity_id", "process.executable", "process.working_directory"}));
    EXPECT_EQ(about["fault"], json({"file.path"}));
    EXPECT_EQ(about["lost_fields"], true);
    EXPECT_EQ(about["dropped_before"], 5);
}

TEST_F(JsonFormatterTest, TruncationTellsTheWholeLength) {
    Event event = samples::call(samples::openat, -ENAMETOOLONG);
    samples::add_path(event, 1, "/aaa/bb", Source::user_memory);
    event.path[0].status = Status::truncated;
    event.path[0].original_length = 5000;
    event.path[0].length_is_minimum = true;
    const json made = object(event);
    EXPECT_EQ(made["linux"]["telemetry"]["truncated"],
              json::parse(R"([{"field":"file.path","original_length":5000,"at_least":true}])"));
    EXPECT_FALSE(made["file"].contains("name")); // what is left need not be the end
}

TEST_F(JsonFormatterTest, UserChangesWithTheEvent) {
    Event event = samples::event();
    EXPECT_EQ(object(event)["user"]["id"], "1000");
    event.euid = 0;
    json made = object(event);
    EXPECT_EQ(made["user"]["id"], "0");
    EXPECT_EQ(made["process"]["user"]["id"], "0");
    EXPECT_EQ(made["process"]["real_user"]["id"], "1000");
    EXPECT_EQ(made["linux"]["process"]["fsuid"], 1000); // it is another one now
    event.auid = event.ses = UINT32_MAX;                // not set
    EXPECT_FALSE(object(event)["linux"].contains("audit"));
    event.missing = EBT_MISSING_CREDENTIALS;
    EXPECT_FALSE(object(event).contains("user"));
    event.missing = 0;
    EXPECT_EQ(object(event)["user"]["id"], "0");
}

TEST_F(JsonFormatterTest, StringsChrootAndThreads) {
    Event event = samples::call(samples::setxattr, 0);
    event.strings = 1;
    event.string[0] = known<StringField>("user.x", Source::user_memory);
    event.string[0].argument = 1;
    event.root = known("/srv/jail");
    event.tid = 4300;
    const json made = object(event);
    EXPECT_EQ(made["linux"]["syscall"]["strings"], json({{"name", "user.x"}}));
    EXPECT_EQ(made["linux"]["process"]["root"], "/srv/jail");
    EXPECT_EQ(made["process"]["thread"]["id"], 4300);
    EXPECT_EQ(made["linux"]["telemetry"]["user_memory"], json({"linux.syscall.strings.name"}));
}
