// SPDX-License-Identifier: MIT
// The table: each client asks each service as its provider documents it, over IPv4, IPv6 and
// IPv4-mapped addresses, and in every tier the event has to be the same.
#include <filesystem>

#include "test/imds/capture_fixture.hpp"
#include "test/imds/requests.hpp"
#include "test/takes_32_bit.hpp"

using nlohmann::json;

namespace {

std::string real_path(const std::string& path) {
    return std::filesystem::canonical(path);
}

std::string word_of(const std::string& text, size_t number) {
    std::istringstream words(text);
    std::string word;
    for (size_t i = 0; i <= number; i++)
        words >> word;
    return word;
}

/// A run of a client: what has to be reported of it, in order.
struct Row {
    std::string client, service, address;
    std::vector<Expected> expected;
    std::vector<std::vector<std::string>> args; ///< of each that was run
    std::vector<pid_t> pids;                    ///< the same for all, if it is one process
    std::string executable;
    std::string name = {}; ///< of the thread, if it is not that of the first argument
};

class Table : public Capture {
  protected:
    using Command = std::vector<std::string> (*)(const Request& request, const std::string& address);

    /// A process for each request.
    void ask_all(const std::string& client, const std::string& executable, const std::string& user_agent,
                 Command command) {
        for (const Service& service : services())
            for (const std::string& address : service.addresses) {
                Row row{client, service.name, address, {}, {}, {}, real_path(executable)};
                for (const Request& request : service.requests) {
                    const std::vector<std::string> args = command(request, address);
                    row.pids.push_back(network_.run(args).pid);
                    row.args.push_back(scrubbed(args));
                    row.expected.push_back(at_address(request, address, user_agent));
                }
                rows_.push_back(row);
            }
    }

    void check() {
        const auto& all = events();
        size_t count = 0;
        for (const Row& row : rows_) {
            SCOPED_TRACE(row.client + ", " + row.service + ", " + row.address);
            check_row(row);
            count += row.expected.size();
            printf("%-12s %-10s %-8s %-24s %2zu events %s\n", GetParam().c_str(), row.client.c_str(),
                   row.service.c_str(), row.address.c_str(), row.expected.size(),
                   HasFailure() ? "FAILED" : "ok");
        }
        EXPECT_EQ(all.size(), count) << tracker_.out();
    }

    std::vector<Row> rows_;

  private:
    /// Programs name their version behind their name; it is the machine's.
    static void expect_agent(const json& event, std::string& agent) {
        const std::string reported = event.value(json::json_pointer("/user_agent/original"), "");
        if (agent.find('/') == agent.npos && reported.starts_with(agent + '/'))
            agent = reported;
    }
    void check_row(const Row& row) {
        for (size_t i = 0, nth = 0; i < row.expected.size(); i++) {
            SCOPED_TRACE(row.expected[i].method + ' ' + row.expected[i].path);
            nth = i && row.pids[i] == row.pids[i - 1] ? nth + 1 : 0;
            const auto reported = events_of(row.pids[i]);
            ASSERT_GT(reported.size(), nth);
            const Asker asker{.pid = row.pids[i],
                              .executable = row.executable,
                              .args = row.args[i],
                              .name = row.name.empty()
                                          ? row.args[i][0].substr(row.args[i][0].rfind('/') + 1, 15)
                                          : row.name};
            Expected expected = row.expected[i];
            expect_agent(reported[nth], expected.user_agent);
            expect_event(reported[nth], expected_request(expected, asker, network_, GetParam()));
        }
    }
};

/// Of this program's own, for 64 and 32 bits.
class OwnClientTable : public Table {
  protected:
    void check_without_brackets() {
        for (Row& row : rows_)
            for (Expected& expected : row.expected)
                std::erase_if(expected.host, [](char c) { return c == '[' || c == ']'; });
        check();
    }
};

template <const char* client>
std::vector<std::string> own(const Request& request, const std::string& address) {
    std::vector<std::string> args = {client, "write", request.target, address, request.expected.method};
    args.insert(args.end(), request.headers.begin(), request.headers.end());
    return args;
}
constexpr char client64[] = CLIENT, client32[] = CLIENT32;

TEST_P(OwnClientTable, Static) {
    ask_all("static64", client64, "write", own<client64>);
    check_without_brackets();
}

TEST_P(OwnClientTable, StaticOf32Bits) {
    if (!takes_32_bit_calls())
        GTEST_SKIP() << no_32_bit_calls;
    ask_all("static32", client32, "write", own<client32>);
    check_without_brackets();
}
INSTANTIATE_TEST_SUITE_P(Tiers, OwnClientTable, testing::ValuesIn(tiers_here()), name_of_tier);

TEST_P(Table, Curl) {
    const std::string version = word_of(network_.run({"/usr/bin/curl", "--version"}).out, 1);
    ask_all("curl", "/usr/bin/curl", "curl/" + version,
            [](const Request& request, const std::string& address) {
                std::vector<std::string> args = {"/usr/bin/curl",        "-sS", "-g", "-o", "/dev/null", "-X",
                                                 request.expected.method};
                for (const std::string& header : request.headers)
                    args.insert(args.end(), {"-H", header});
                args.push_back(url_of(address, request.target));
                return args;
            });
    check();
}

TEST_P(Table, Wget) {
    const std::string version = word_of(network_.run({"/usr/bin/wget", "--version"}).out, 2);
    ask_all("wget", "/usr/bin/wget", "Wget/" + version,
            [](const Request& request, const std::string& address) {
                std::vector<std::string> args = {"/usr/bin/wget", "-q", "-O", "/dev/null"};
                if (request.expected.method != "GET")
                    args.push_back("--method=" + request.expected.method);
                for (const std::string& header : request.headers)
                    args.push_back("--header=" + header);
                args.push_back(url_of(address, request.target));
                return args;
            });
    check();
}

/// One process for all requests of a service, as SDKs are.
TEST_P(Table, Urllib) {
    const std::string script = "import json, sys, urllib.request as r\n"
                               "for url, method, headers in json.loads(sys.stdin.read()):\n"
                               "    r.urlopen(r.Request(url, method=method, headers=headers)).read()\n";
    const std::string version =
        network_.run({"/usr/bin/python3", "-c", "import urllib.request as r; print(r.__version__, end='')"})
            .out;
    for (const Service& service : services())
        for (const std::string& address : service.addresses) {
            Row row{"urllib", service.name, address, {}, {}, {}, real_path("/usr/bin/python3")};
            json asked = json::array();
            for (const Request& request : service.requests) {
                json headers = json::object();
                for (const std::string& header : request.headers)
                    headers[header.substr(0, header.find(':'))] = header.substr(header.find(':') + 2);
                asked.push_back({url_of(address, request.target), request.expected.method, headers});
                row.expected.push_back(at_address(request, address, "Python-urllib/" + version));
            }
            const std::vector<std::string> args = {"/usr/bin/python3", "-c", script};
            row.pids.assign(asked.size(), network_.run(args, asked.dump()).pid);
            row.args.assign(asked.size(), args);
            rows_.push_back(row);
        }
    check();
}
/// By its usual credential provider: a token, the roles, the role.
TEST_P(Table, AwsCli) {
    const std::string roles = "/latest/meta-data/iam/security-credentials/";
    const std::string script = real_path("/usr/bin/aws");
    const pid_t pid = network_
                          .run({"/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "HOME=/nonexistent", script,
                                "configure", "export-credentials"})
                          .pid;
    const std::vector<Request>& aws = services()[0].requests;
    Request list = aws[1];
    list.expected.path = roles;
    list.expected.mime = "text/plain";
    list.expected.received_body = 9;
    list.expected.imds = {{"version", "v2"},
                          {"class", "credentials"},
                          {"token", true},
                          {"server", "EC2ws"},
                          {"content_length", 9}};
    Row row{"awscli", "aws", services()[0].addresses[0], {}, {}, {}, real_path("/usr/bin/python3")};
    for (const Request& request : {aws[2], list, aws[4]}) {
        row.expected.push_back(at_address(request, row.address, "aws-cli"));
        row.args.push_back({"/usr/bin/python3", script, "configure", "export-credentials"});
        row.pids.push_back(pid);
    }
    row.name = "aws";
    rows_ = {row};
    check();
}

INSTANTIATE_TEST_SUITE_P(Tiers, Table, testing::ValuesIn(tiers_here()), name_of_tier);

} // namespace
