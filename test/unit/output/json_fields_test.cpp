// SPDX-License-Identifier: MIT
// --fields: which fields a line of JSON has. What one has of those that are chosen is what a full line has.
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include <ebpf_loader/error.hpp>

#include "telemetry/process/container_names.hpp"
#include "telemetry/process/lineage.hpp"
#include "test/unit/output/json_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace json_test;
using samples::known;
using testing::HasSubstr;

namespace {

struct Row {
    std::string name;
    bool is_object;
};
const std::vector<Row> rows = {
#define OBJECT(id, name) {name, true},
#define FIELD(id, name, rules, compact) {name, false},
#include "telemetry/output/json/fields/fields.def"
#undef FIELD
#undef OBJECT
};

std::set<std::string> always() {
    return {"@timestamp", "event.id", "event.action", "event.outcome", "process.pid", "process.entity_id"};
}

/// What is left of a line when only these fields are; `unknown` gets those of no row of the table.
json filtered(const json& object, const std::set<std::string>& fields, std::vector<std::string>& unknown,
              const std::string& prefix = "") {
    json left = json::object();
    for (const auto& [key, value] : object.items()) {
        const std::string name = prefix.empty() ? key : std::string(prefix).append(1, '.').append(key);
        const auto row = std::ranges::find(rows, name, &Row::name);
        if (row == rows.end() && name != "@timestamp")
            unknown.push_back(name);
        else if (row != rows.end() && row->is_object) {
            if (const json inner = filtered(value, fields, unknown, name); !inner.empty())
                left[key] = inner;
        } else if (fields.contains(name)) {
            left[key] = value;
        }
    }
    return left;
}

/// They are about the fields that a line has.
void drop_notes(json& object) {
    if (!object.contains("linux") || !object["linux"].contains("telemetry"))
        return;
    json& about = object["linux"]["telemetry"];
    for (const char* mark : {"fault", "truncated", "user_memory", "shared", "procfs", "lexical", "relative",
                             "detached", "foreign", "deleted", "raw", "missing"})
        about.erase(mark);
    if (about.empty())
        object["linux"].erase("telemetry");
    if (object["linux"].empty())
        object.erase("linux");
}

class JsonFieldsTest : public JsonFormatterTest {
  protected:
    JsonFieldsTest() {
        std::ofstream(folder_.path() + "/passwd") << "ann:x:1000:1001\n";
        std::ofstream(folder_.path() + "/group") << "staff:x:1001:\n";
        context_ = samples::context();
        context_.accounts = std::make_shared<const AccountFiles>(folder_.path());
        name_container();
        argv_ = samples::string_list({"cat", "-", "caf\xe9"});
        variables_ = samples::string_list({"LD_PRELOAD=/tmp/x.so"});
        inet_ = samples::inet("\x0a\x01\x02\x03", 443);
        make_events();
    }

    void name_container() {
        const std::string kept = folder_.path() + "/var/lib/docker/containers/" + container_;
        std::filesystem::create_directories(kept);
        std::ofstream(kept + "/config.v2.json")
            << R"({"Name":"/web","Config":{"Image":"nginx:1.27","Labels":{"io.kubernetes.pod.name":"web-0",)"
               R"("io.kubernetes.pod.namespace":"shop"}}})";
        context_.containers = std::make_shared<ContainerFiles>(folder_.path());
        for (int i = 0; i < 5000 && !context_.containers->names(container_); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ASSERT_TRUE(context_.containers->names(container_));
    }

    void choose(const FieldChoice& fields) {
        context_.fields = fields;
        formatter_ = format_named("json").make(context_);
    }

    Event& add(Event event) {
        event.image.argv = known<StringList>(argv_);
        return events_.emplace_back(event);
    }

    /// A process with a parent, in a pod.
    const LineageNode* lineage() {
        Event event = samples::event();
        event.image.argv = known<StringList>(argv_);
        event.pid = event.tid = event.ppid;
        event.ppid = 1;
        event.start_time_ns -= 5'000'000'000;
        lineage_.note(event);
        Event fork = event;
        fork.kind = EBT_FORK;
        fork.child_pid = 4242;
        fork.child_start_time_ns = samples::event().start_time_ns;
        fork.child_status = Status::ok;
        lineage_.note(fork);
        Event exec = samples::event(EBT_EXEC);
        exec.image.argv = event.image.argv;
        auto* node = const_cast<LineageNode*>(lineage_.note(exec));
        node->facts.container.id = container_;
        node->facts.container.runtime = "docker";
        node->facts.container.pod = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
        keep_ = lineage_.find(exec);
        Event other = event;
        other.pid = other.tid = 77;
        lineage_.note(other);
        elder_ = lineage_.find(other);
        node->session_leader = node->group_leader = elder_;
        node->entry_leader = keep_;
        return node;
    }

    void make_events() {
        add(samples::event());
        Event& open = add(samples::call(samples::openat, 3, {0xffffff9c, 0x7ffd0010, 0x241, 0644}));
        samples::add_path(open, 1, "/home/ann/notes.txt");
        open.path[0].has_inode = true;
        open.path[0].inode = {77, 0xef53, 0100644, 1000, 1001, 0x800001};
        Event& failed = add(samples::call(samples::openat, -ENOENT, {0xffffff9c, 0x7ffd0010, 0, 0}));
        samples::add_path(failed, 1, "no\xff/such", Source::user_memory);
        failed.root = known("/srv/jail");
        failed.fsuid = failed.fsgid = 5;
        failed.key = "secrets";
        failed.image.namespaces = {1, 2, 3};
        failed.dropped_before = 4;
        failed.missing = EBT_MISSING_AUDIT;
        failed.execution = EBT_SKIPPED;
        Event& renamed = add(samples::call(samples::rename, 0));
        samples::add_path(renamed, 0, "/home/ann/a.txt");
        samples::add_path(renamed, 1, "/home/ann/b");
        renamed.tid = 4300;
        renamed.suid = renamed.sgid = 5;
        Event& connected = add(samples::call(samples::connect, 0));
        connected.sockaddr = known(inet_);
        connected.socket_status = Status::ok;
        connected.socket = {.family = AF_INET, .type = SOCK_STREAM, .protocol = IPPROTO_TCP, .local_port = 5};
        Event& local = add(samples::call(samples::accept, 5));
        local.sockaddr = known(unix_);
        Event& exec = add(samples::call(samples::execve, 0));
        samples::add_path(exec, 0, "/usr/bin/cat");
        exec.image.environment = known<StringList>(variables_);
        exec.image.capabilities = {true, 0x3, 0x1};
        add(samples::event(EBT_EXIT)).ret = 11;
        add(samples::event(EBT_EXIT)).ret = 0x100;
        Event& fork = add(samples::event(EBT_FORK));
        fork.child_pid = 4300;
        fork.child_status = Status::ok;
        Event& of_pod = add(events_[1]);
        of_pod.lineage = lineage();
        add(samples::event(EBT_EXIT)).lineage = of_pod.lineage;
    }

    TemporaryFolder folder_;
    const std::string container_ = std::string(64, 'a');
    FormatContext context_;
    std::string argv_, variables_, inet_, unix_ = samples::sockaddr_of(AF_UNIX, std::string("\0name", 5));
    Lineage lineage_{"/nonexistent"};
    std::shared_ptr<const LineageNode> keep_, elder_;
    std::vector<Event> events_;
};

TEST_F(JsonFieldsTest, AnyChoiceWritesWhatAFullLineHasOfIt) {
    choose({});
    std::vector<json> full;
    for (const Event& event : events_)
        full.push_back(object(event));
    std::mt19937 random(7);
    std::set<std::string> seen;
    for (size_t round = 0; round < 2 * rows.size(); ++round) {
        std::set<std::string> fields = always();
        std::string file;
        // Each of them alone, then many together.
        for (size_t i = 0; i < rows.size(); ++i)
            if (!rows[i].is_object && (round < rows.size() ? round == i : random() % (1 + round % 4) == 0)) {
                fields.insert(rows[i].name);
                file += rows[i].name + '\n';
            }
        if (file.empty())
            continue;
        choose(parse_fields(file, "x"));
        for (size_t i = 0; i < events_.size(); ++i) {
            std::vector<std::string> unknown;
            json expected = filtered(full[i], fields, unknown), made = object(events_[i]);
            EXPECT_THAT(unknown, testing::IsEmpty());
            drop_notes(expected);
            drop_notes(made);
            ASSERT_EQ(made, expected) << "of the fields\n" << file;
        }
    }
}

TEST_F(JsonFieldsTest, AnObjectStandsForItsFields) {
    choose(parse_fields("process.parent # who\n\n  linux.syscall.name  \n@timestamp", "x"));
    const json made = object(events_[10]);
    EXPECT_EQ(made["process"]["parent"]["name"], "cat");
    EXPECT_TRUE(made["process"]["parent"].contains("command_line"));
    EXPECT_FALSE(made["process"].contains("name"));
    EXPECT_EQ(made["linux"], json({{"syscall", {{"name", "openat"}}}}));
}

TEST_F(JsonFieldsTest, NotesAreAboutWhatIsWrittenAlone) {
    choose(parse_fields("linux.telemetry\nprocess.args", "x"));
    const json about = object(events_[2])["linux"]["telemetry"];
    EXPECT_FALSE(about.contains("user_memory")); // file.path
    EXPECT_EQ(about["raw"][0]["field"], "process.args[2]");
    EXPECT_EQ(about["raw"].size(), 1U);
}

TEST_F(JsonFieldsTest, WhatIsWrongIsSaidWithItsPlace) {
    const auto refusal = [](const std::string& text) -> std::string {
        try {
            parse_fields(text, "my.fields");
        } catch (const ebpf_loader::Error& error) {
            EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
            return error.what();
        }
        return "none";
    };
    EXPECT_THAT(refusal("file.path\n# one\nprocess.executeable\n"), HasSubstr("my.fields:3: "));
    EXPECT_THAT(refusal("process.executeable"), HasSubstr("the nearest is process.executable"));
    EXPECT_THAT(refusal("proces.parent.naem"), HasSubstr("process.parent.name"));
    EXPECT_THAT(refusal("a\x1b[31m"), HasSubstr("\\x1b"));
    EXPECT_THAT(refusal(std::string(100'000, 'x')), HasSubstr("my.fields:1"));
    EXPECT_THAT(refusal("# nothing\n"), HasSubstr("no field"));
    EXPECT_THROW(choose_fields("/nonexistent"), ebpf_loader::Error);
}

TEST_F(JsonFieldsTest, AFileIsRead) {
    const std::string path = folder_.path() + "/fields";
    std::ofstream(path) << "file.path\n";
    choose(choose_fields(path));
    EXPECT_EQ(object(events_[1])["file"], json({{"path", "/home/ann/notes.txt"}}));
    EXPECT_FALSE(object(events_[1]).contains("host"));
}

TEST_F(JsonFieldsTest, ThoseOfThePublicRules) {
    choose(choose_fields("rules"));
    const json made = object(events_[10]);
    EXPECT_EQ(made["host"]["os"], json({{"type", "linux"}}));
    EXPECT_EQ(made["process"]["parent"]["executable"], "/usr/bin/cat");
    EXPECT_EQ(made["process"]["entry_leader"]["entry_meta"]["type"], "unknown");
    EXPECT_FALSE(made.contains("linux"));
}

TEST_F(JsonFieldsTest, ALossIsWrittenWhole) {
    const LossEvent loss = {.time_ns = 1'763'759'765'000'000'042, .cause = "buffer_full", .count = 17};
    const auto line_of = [&] {
        std::string out;
        formatter_->format(loss, out);
        return out;
    };
    choose({});
    const std::string full = line_of();
    choose(choose_fields("compact"));
    EXPECT_EQ(line_of(), full);
}

class CompactTest : public JsonFieldsTest {
  protected:
    CompactTest() { choose(choose_fields("compact")); }
    bool says_all(const Event& event) {
        const json made = object(event);
        EXPECT_TRUE(made.contains("@timestamp") && made["event"].contains("id") &&
                    made["event"].contains("action") && made["event"].contains("outcome") &&
                    made["process"].contains("entity_id"))
            << made;
        EXPECT_EQ(made.contains("host"), made["process"].contains("executable"));
        return made["process"].contains("executable");
    }
};

TEST_F(CompactTest, WhatALineOfTheProcessHasSaidIsNotRepeated) {
    Event event = events_[1];
    const json first = object(event);
    EXPECT_EQ(first["host"]["name"], "web1");
    EXPECT_EQ(first["process"]["working_directory"], "/home/ann");
    EXPECT_EQ(first["process"]["user"]["id"], "1000");
    const json second = object(event);
    EXPECT_EQ(second["process"], json({{"pid", 4242}, {"entity_id", first["process"]["entity_id"]}}));
    EXPECT_EQ(second["file"], first["file"]);
    EXPECT_EQ(second["event"], first["event"]);
    EXPECT_FALSE(second.contains("host"));
}

TEST_F(CompactTest, WhatChangedIsSaidAgain) {
    Event event = events_[1];
    EXPECT_TRUE(says_all(event));
    EXPECT_FALSE(says_all(event));
    const auto expect_again = [&](const char* what) {
        EXPECT_TRUE(says_all(event)) << what;
        EXPECT_FALSE(says_all(event)) << what;
    };
    event.euid = 0;
    expect_again("effective user");
    event.cwd = known("/home/bob");
    expect_again("working directory of the same length");
    event.image.exe = known<PathField>("/usr/bin/dog");
    expect_again("executable");
    event.image.exe.deleted = true; // as it was when the image was first seen: it changes with it alone
    event.image.tty = {};
    expect_again("terminal");
    event.auid = 7;
    expect_again("login user");
    event.root = known("/srv");
    expect_again("root");
    event.image.namespaces.mnt = 9;
    expect_again("namespace");
    const std::string other = samples::string_list({"cat", "-", "cafe"});
    event.image.argv = known<StringList>(other);
    expect_again("arguments");
    event.start_time_ns += 1;
    expect_again("another process of the same id");
    event.time_ns += 61'000'000'000;
    expect_again("after a minute");
    event.lineage = events_[10].lineage;
    expect_again("lineage");
}

TEST_F(CompactTest, AnExecSaysAll) {
    Event event = events_[1];
    EXPECT_TRUE(says_all(event));
    Event exec = event;
    exec.kind = EBT_EXEC;
    exec.call = nullptr;
    EXPECT_TRUE(says_all(exec));
    EXPECT_FALSE(says_all(event));
}

TEST_F(CompactTest, AThreadOfAnotherNameSaysThatAlone) {
    Event event = events_[1];
    EXPECT_TRUE(says_all(event));
    event.tid = 4243;
    event.comm = "worker";
    const json made = object(event);
    EXPECT_EQ(made["process"]["thread"], json({{"id", 4243}, {"name", "worker"}}));
    EXPECT_FALSE(made["process"].contains("executable"));
}

TEST_F(CompactTest, TwoProcessesOfOnePlaceAreBothDescribed) {
    Event one = events_[1], other = one;
    other.pid += 2048;
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(says_all(one));
        EXPECT_TRUE(says_all(other));
    }
}

TEST_F(CompactTest, WithoutAnEntityIdEachLineSaysAll) {
    Event event = events_[1];
    event.missing = EBT_MISSING_START_TIME;
    for (int i = 0; i < 2; ++i)
        EXPECT_TRUE(object(event)["process"].contains("executable"));
}

TEST_F(CompactTest, ALineStaysSmall) {
    Event event = events_[10];
    const std::string first = line(event), second = line(event);
    EXPECT_LE(first.size(), 2300U);
    EXPECT_LE(second.size(), 900U);
}

} // namespace
