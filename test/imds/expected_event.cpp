// SPDX-License-Identifier: MIT
#include "test/imds/expected_event.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

using nlohmann::json;

namespace {

std::string contents(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string process_file(pid_t pid, const std::string& name) {
    return "/proc/" + std::to_string(pid) + '/' + name;
}

std::string line_of(const std::string& path) {
    const std::string text = contents(path);
    return text.substr(0, text.find('\n'));
}

std::string boot_id() {
    static const std::string id = line_of("/proc/sys/kernel/random/boot_id");
    return id;
}

std::string node() {
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    return name;
}

const json root = {{"id", "0"}, {"name", "root"}}; // both the user and the group

pid_t parent_of(pid_t pid) {
    const std::string stat = contents(process_file(pid, "stat"));
    std::istringstream rest(stat.substr(stat.rfind(')') + 1));
    std::string state;
    pid_t parent = 0;
    rest >> state >> parent;
    return parent;
}

json own_args() {
    json args = json::array();
    std::istringstream strings(contents("/proc/self/cmdline"));
    for (std::string one; std::getline(strings, one, '\0');)
        args.push_back(one);
    return args;
}

/// That of its executable; of a thread of the kernel's, its own.
std::string name_of(pid_t pid) {
    std::error_code none;
    const auto executable = std::filesystem::read_symlink(process_file(pid, "exe"), none);
    const std::string name = executable.filename().string();
    constexpr std::string_view removed = " (deleted)"; // as /proc marks it
    return none                      ? line_of(process_file(pid, "comm"))
           : name.ends_with(removed) ? name.substr(0, name.size() - removed.size())
                                     : name;
}

/// The test, and what started it.
json make_own_chain() {
    json chain = json::array();
    for (pid_t pid = getpid(); pid > 0 && chain.size() < 10; pid = parent_of(pid))
        chain.push_back({{"pid", pid}, {"name", name_of(pid)}});
    const auto executable = std::filesystem::read_symlink("/proc/self/exe");
    chain[0].update({{"name", executable.filename()}, {"executable", executable}, {"args", own_args()}});
    chain[0].update({{"user", root}, {"group", root}, {"real_user", root}});
    return chain;
}

const json& own_chain() {
    static const json chain = make_own_chain();
    return chain;
}

json chain_of(const Asker& asker) {
    json chain = json::array();
    for (const pid_t pid : asker.between)
        chain.push_back({{"pid", pid}});
    for (const json& ancestor : own_chain())
        if (chain.size() < 10)
            chain.push_back(ancestor);
    return chain;
}

json namespaces(const MetadataNetwork& network) {
    json all = json::object();
    for (const char* name : {"cgroup", "ipc", "mnt", "pid", "user", "uts"}) {
        struct stat info {};
        if (stat((std::string("/proc/self/ns/") + name).c_str(), &info) == 0)
            all[name] = std::to_string(info.st_ino);
    }
    all["net"] = network.inode();
    return all;
}

json capabilities() {
    const std::pair<const char*, const char*> names[] = {{"effective", "CapEff"},
                                                         {"permitted", "CapPrm"},
                                                         {"inheritable", "CapInh"},
                                                         {"bounding", "CapBnd"},
                                                         {"ambient", "CapAmb"}};
    const std::string status = contents("/proc/self/status");
    json sets;
    for (const auto& [name, key] : names) {
        const size_t at = status.find(std::string(key) + ":\t");
        std::ostringstream hex;
        hex << "0x" << std::hex
            << std::stoull(status.substr(at + std::string(key).size() + 2, 16), nullptr, 16);
        sets[name] = hex.str();
    }
    return sets;
}

/// The longest path of its cgroups, whose controllers differ.
std::string cgroup() {
    std::string best;
    std::istringstream lines(contents("/proc/self/cgroup"));
    for (std::string line; std::getline(lines, line);) {
        const std::string path = line.substr(line.find(':', line.find(':') + 1) + 1);
        if (path.size() > best.size())
            best = path;
    }
    return best;
}

std::string joined(const std::vector<std::string>& args) {
    std::string line;
    for (const std::string& arg : args)
        line += (line.empty() ? "" : " ") + arg;
    return line;
}

json process_of(const Asker& asker) {
    const std::string name = asker.executable.substr(asker.executable.rfind('/') + 1);
    return {{"pid", asker.pid},
            {"name", name},
            {"thread", {{"name", asker.name.empty() ? name.substr(0, 15) : asker.name}}},
            {"user", root},
            {"group", root},
            {"real_user", root},
            {"real_group", root},
            {"executable", asker.executable},
            {"args", asker.args},
            {"args_count", asker.args.size()},
            {"command_line", joined(asker.args)},
            {"working_directory", std::filesystem::current_path()},
            {"parent", chain_of(asker)[0]}};
}

json end_of(const std::string& address) {
    return {{"address", address}, {"ip", address}};
}

json expected_common(const Expected& expected, const Asker& asker, const MetadataNetwork& network,
                     const std::string& tier) {
    const bool is_ipv6 = expected.address.find(':') != std::string::npos;
    json event = {
        {"ecs", {{"version", "8.17.0"}}},
        {"host", {{"name", node()}, {"boot", {{"id", boot_id()}}}}},
        {"event", {{"module", "ebpf_telemetry"}, {"dataset", "ebpf_telemetry.imds"}, {"kind", "event"}}},
        {"source", end_of(expected.address)}, // the namespace has no other interface
        {"destination", end_of(expected.address)},
        {"network",
         {{"type", is_ipv6 ? "ipv6" : "ipv4"},
          {"transport", "tcp"},
          {"iana_number", "6"},
          {"direction", "egress"}}},
        {"process", process_of(asker)},
        {"user", {{"id", "0"}, {"name", "root"}, {"effective", {{"id", "0"}}}}},
        {"group", root},
        {"linux",
         {{"imds", expected.imds},
          {"process",
           {{"capabilities", capabilities()},
            {"namespaces", namespaces(network)},
            {"cgroup", cgroup()},
            {"ancestors", chain_of(asker)}}},
          {"telemetry", {{"tier", tier}}}}},
    };
    event["destination"]["port"] = 80;
    event["linux"]["imds"]["provider"] = expected.provider;
    event["linux"]["imds"]["netns"] = network.inode();
    if (expected.provider != "unknown")
        event["cloud"]["provider"] = expected.provider == "alibaba" ? "alibaba" : expected.provider;
    return event;
}

/// What origin_test.cpp checks: here only that it is there, and the parts of it that are this machine's.
void take_origin(json& event) {
    EXPECT_EQ(event["host"]["os"]["type"], "linux");
    EXPECT_EQ(event["host"]["hostname"], node());
    for (const char* key : {"hostname", "id", "architecture", "ip", "os"})
        event["host"].erase(key);
    const json& agent = event["agent"]["type"]; // `ebpf_telemetry --imds` reports the same events
    EXPECT_TRUE(agent == "imds-tracker" || agent == "ebpf_telemetry") << agent;
    EXPECT_EQ(event["data_stream"]["dataset"], event["event"]["dataset"]);
    const std::string id = event["event"].value("id", "");
    EXPECT_TRUE(id.starts_with(event["agent"].value("ephemeral_id", "?") + "-imds-")) << id;
    event["event"].erase("id");
    event.erase("agent");
    event.erase("data_stream");
}

void expect_time(const json& time) {
    static const std::regex form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z)");
    ASSERT_TRUE(time.is_string());
    EXPECT_TRUE(std::regex_match(time.get<std::string>(), form)) << time;
}

/// The start of a process, and the id that is made of it.
void take_start(json& process, bool must_have_id) {
    expect_time(process["start"]);
    if (must_have_id || process.contains("entity_id")) {
        const std::string begin =
            boot_id().substr(0, 13) + '-' + std::to_string(process["pid"].get<pid_t>()) + '-';
        const std::string id = process.value("entity_id", "");
        EXPECT_TRUE(id.starts_with(begin) && id.size() > begin.size()) << process;
    }
    process.erase("start");
    process.erase("entity_id");
}

/// Of what is not the test's own, only who it is: others may become another program meanwhile.
void take_ancestor(json& ancestor) {
    const bool is_test = ancestor["pid"] == getpid();
    take_start(ancestor, false);
    if (is_test)
        return;
    ancestor.erase("ended");
    for (const char* key : {"executable", "args", "user", "group", "real_user"})
        ancestor.erase(key);
}

void take_ancestors(json& event) {
    json& parent = event["process"]["parent"];
    const json& known = own_chain();
    const auto take = [&](json& ancestor) {
        take_ancestor(ancestor);
        const bool is_known =
            std::ranges::any_of(known, [&](const json& one) { return one["pid"] == ancestor["pid"]; });
        if (!is_known)
            ancestor.erase("name");
    };
    take(parent);
    for (json& ancestor : event["linux"]["process"]["ancestors"])
        take(ancestor);
}

} // namespace

json expected_request(const Expected& expected, const Asker& asker, const MetadataNetwork& network,
                      const std::string& tier) {
    json event = expected_common(expected, asker, network, tier);
    event["event"].update({{"action", "imds_request"},
                           {"category", {"network", "web"}},
                           {"type", {"connection", "access"}},
                           {"outcome", !expected.status         ? "unknown"
                                       : expected.status >= 400 ? "failure"
                                                                : "success"}});
    if (!expected.path.empty()) {
        event["url"] = {{"original", expected.path},
                        {"scheme", "http"},
                        {"domain", expected.host},
                        {"port", 80},
                        {"path", expected.path}};
        if (!expected.query.empty()) {
            event["url"]["original"] = expected.path + '?' + expected.query;
            event["url"]["query"] = expected.query;
        }
        event["http"]["request"] = {{"method", expected.method}, {"body", {{"bytes", expected.sent_body}}}};
    }
    if (expected.status) {
        event["http"]["response"] = {{"status_code", expected.status},
                                     {"body", {{"bytes", expected.received_body}}}};
        if (!expected.mime.empty())
            event["http"]["response"]["mime_type"] = expected.mime;
    }
    if (!expected.user_agent.empty())
        event["user_agent"]["original"] = expected.user_agent;
    return event;
}

json expected_connection(const Expected& expected, const Asker& asker, const MetadataNetwork& network,
                         const std::string& tier, const std::string& content, uint64_t sent,
                         uint64_t received) {
    json event = expected_common(expected, asker, network, tier);
    event["event"].update({{"action", "imds_connection"},
                           {"category", {"network"}},
                           {"type", {"connection", "info"}},
                           {"outcome", "unknown"}});
    event["linux"]["imds"]["connection"] = {{"content", content}, {"sent", sent}, {"received", received}};
    return event;
}

json without_volatile(json event) {
    expect_time(event["@timestamp"]);
    event.erase("@timestamp");
    take_origin(event);
    EXPECT_GT(event["source"]["port"], 0);
    event["source"].erase("port");
    const bool is_exchange = event.contains("url") && event["http"].contains("response");
    EXPECT_TRUE(!is_exchange || event["event"]["duration"].is_number_unsigned()) << event["event"];
    event["event"].erase("duration");
    json& process = event["process"];
    take_start(process, true);
    EXPECT_TRUE(process["thread"].value("id", json(1u)).is_number_unsigned());
    process["thread"].erase("id");                    // of a worker
    EXPECT_TRUE(process["interactive"].is_boolean()); // the tests may run at a terminal
    for (json* of_terminal : {&process, &event["linux"]["process"]})
        for (const char* key : {"interactive", "tty"})
            of_terminal->erase(key);
    take_ancestors(event);
    json& telemetry = event["linux"]["telemetry"]; // the threads of some clients share their directory
    EXPECT_TRUE(!telemetry.contains("shared") || telemetry["shared"] == json{"process.working_directory"});
    telemetry.erase("shared");
    // Those of a child that executes nothing itself were read from its memory.
    if (telemetry.contains("user_memory") && telemetry["user_memory"] == json{"process.args"})
        telemetry.erase("user_memory");
    if (event["linux"]["imds"].contains("reader"))
        event["linux"]["imds"]["reader"].erase("entity_id");
    return event;
}

namespace {

/// A process that was gone before anyone could look has what its parent had, and it says so. The
/// parent is outside of the network, or it is a client in there.
void expect_inherited(const json& reported, json& expected) {
    struct stat info {};
    stat("/proc/self/ns/net", &info);
    const json::json_pointer net("/linux/process/namespaces/net");
    if (reported.value(net, "") == std::to_string(info.st_ino))
        expected[net] = reported[net];
    expected["linux"]["process"]["inherited"] = true;
}

} // namespace

void expect_event(const json& event, json expected) {
    json reported = without_volatile(event);
    if (reported["linux"]["process"].contains("inherited"))
        expect_inherited(reported, expected);
    json& imds = reported["linux"]["imds"];
    const json::json_pointer body("/http/response/body/bytes");
    if (expected.value(body, 0U) > 100'000 && imds.contains("not_captured")) {
        EXPECT_LT(imds["not_captured"], reported["http"]["response"]["body"]["bytes"]); // by how it was read
        imds.erase("not_captured");
    }
    if (reported != expected)
        ADD_FAILURE() << "reported, compared with what was expected: "
                      << json::diff(expected, reported).dump(2)
                      << "\nprocess: " << event["process"]["command_line"];
}
