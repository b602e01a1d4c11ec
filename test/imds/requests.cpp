// SPDX-License-Identifier: MIT
#include "test/imds/requests.hpp"

#include "test/imds/metadata_server.hpp"

using namespace metadata;
using nlohmann::json;

namespace {

const std::string role = "iam/security-credentials/test-role";

Request request(const std::string& method, const std::string& path, const std::string& body,
                const json& imds) {
    Request made;
    made.target = path;
    made.expected.method = method;
    made.expected.path = path;
    made.expected.received_body = body.size();
    made.expected.imds = imds;
    made.expected.imds["content_length"] = body.size();
    return made;
}

Service aws() {
    const std::string token = "/latest/api/token", instance = "/latest/meta-data/instance-id";
    const std::string credentials = "/latest/meta-data/" + role;
    const auto ask = [](const std::string& method, const std::string& path, const std::string& body,
                        json imds, const std::vector<std::string>& headers = {}) {
        imds["server"] = "EC2ws";
        Request made = request(method, path, body, imds);
        made.headers = headers;
        return made;
    };
    const std::string id = "i-0123456789abcdef0";
    json keys = {{"class", "credentials"},
                 {"code", "Success"},
                 {"type", "AWS-HMAC"},
                 {"access_key_id", "ASIATESTACCESSKEY000"},
                 {"last_updated", "2026-01-01T00:00:00Z"},
                 {"expiration", "2099-01-01T06:00:00Z"}};
    std::vector<Request> all;
    all.push_back(ask("GET", instance, id, {{"version", "v1"}, {"class", "instance"}}));
    keys["version"] = "v1";
    all.push_back(ask("GET", credentials, aws_credentials(), keys));
    all.push_back(ask("PUT", token, aws_token, {{"version", "v2"}, {"class", "token"}},
                      {"X-aws-ec2-metadata-token-ttl-seconds: 21600"}));
    const std::string header = "X-aws-ec2-metadata-token: " + aws_token;
    all.push_back(
        ask("GET", instance, id, {{"version", "v2"}, {"class", "instance"}, {"token", true}}, {header}));
    keys["version"] = "v2";
    keys["token"] = true;
    all.push_back(ask("GET", credentials, aws_credentials(), keys, {header}));
    all.push_back(ask("GET", "/latest/user-data", user_data(),
                      {{"version", "v2"}, {"class", "user-data"}, {"token", true}}, {header}));
    for (size_t i = 1; i + 1 < all.size(); i += 3)
        all[i].expected.mime = "application/json";
    all.back().expected.mime = "application/octet-stream";
    return {"aws", {"169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"}, all};
}

Service azure() {
    const auto ask = [](const std::string& path, const std::string& query, const std::string& shown,
                        const std::string& body, json imds) {
        imds["server"] = "IMDS/150.870.65.1854";
        imds["version"] = "none";
        Request made = request("GET", path, body, imds);
        made.target = path + '?' + query;
        made.headers = {"Metadata: true"};
        made.expected.query = shown;
        made.expected.provider = "azure";
        made.expected.mime = "application/json; charset=utf-8";
        return made;
    };
    const json keys = {{"class", "credentials"},
                       {"client_id", "5E29463D-71DA-4FE0-8E69-999B57DB23B0"},
                       {"expires_in", "86399"},
                       {"expires_on", "1767225600"},
                       {"resource", "https://management.azure.com/"},
                       {"token_type", "Bearer"}};
    return {"azure",
            {"169.254.169.254", "::ffff:169.254.169.254"},
            {ask("/metadata/instance", "api-version=2021-02-01", "api-version=<redacted:10>",
                 azure_instance(), {{"class", "instance"}}),
             ask("/metadata/identity/oauth2/token",
                 "api-version=2018-02-01&resource=https://management.azure.com/",
                 "api-version=<redacted:10>&resource=<redacted:29>", azure_oauth(), keys)}};
}

Service gcp() {
    const std::string account = "/computeMetadata/v1/instance/service-accounts/default/";
    const auto ask = [](const std::string& path, const std::string& body, const std::string& mime,
                        json imds) {
        imds["server"] = "Metadata Server for VM";
        imds["version"] = "none";
        Request made = request("GET", path, body, imds);
        made.headers = {"Metadata-Flavor: Google"};
        made.expected.provider = "gcp";
        made.expected.mime = mime;
        return made;
    };
    Request identity = ask(account + "identity", gcp_identity, "text/html", {{"class", "identity"}});
    identity.target += "?audience=https://example.com&format=full";
    identity.expected.query = "audience=<redacted:19>&format=<redacted:4>";
    return {"gcp",
            {"169.254.169.254", "fd20:ce::254", "::ffff:169.254.169.254"},
            {ask("/computeMetadata/v1/project/project-id", "test-project", "application/text",
                 {{"class", "instance"}}),
             ask(account + "token", gcp_oauth(), "application/json",
                 {{"class", "credentials"}, {"expires_in", "3599"}, {"token_type", "Bearer"}}),
             identity}};
}

Service alibaba() {
    const std::string instance = "/latest/meta-data/instance-id", id = "i-bp67acfmxazb4p****";
    const std::string credentials = "/latest/meta-data/ram/security-credentials/test-role";
    json keys = {{"class", "credentials"},
                 {"code", "Success"},
                 {"access_key_id", "STS.TESTACCESSKEY000"},
                 {"last_updated", "2026-01-01T00:00:00Z"},
                 {"expiration", "2026-01-01T06:00:00Z"},
                 {"version", "v1"}};
    Service all = {"alibaba", {"100.100.100.200", "fd00:100::100:200", "::ffff:100.100.100.200"}, {}};
    all.requests.push_back(request("GET", instance, id, {{"version", "v1"}, {"class", "instance"}}));
    all.requests.push_back(request("GET", credentials, alibaba_credentials(), keys));
    all.requests.push_back(
        request("PUT", "/latest/api/token", alibaba_token, {{"version", "v2"}, {"class", "token"}}));
    all.requests.back().headers = {"X-aliyun-ecs-metadata-token-ttl-seconds: 21600"};
    keys["version"] = "v2";
    keys["token"] = true;
    all.requests.push_back(request("GET", credentials, alibaba_credentials(), keys));
    all.requests.back().headers = {"X-aliyun-ecs-metadata-token: " + alibaba_token};
    all.requests[1].expected.mime = all.requests[3].expected.mime = "application/json";
    for (Request& one : all.requests)
        one.expected.provider = "alibaba";
    return all;
}

} // namespace

const std::vector<Service>& services() {
    static const std::vector<Service> all = {aws(), azure(), gcp(), alibaba()};
    return all;
}

Expected at_address(const Request& request, const std::string& address, const std::string& user_agent) {
    Expected expected = request.expected;
    expected.user_agent = user_agent;
    expected.address = address; // also an IPv4-mapped one: that is what the socket has
    expected.host = address.find(':') == address.npos ? address : '[' + address + ']';
    return expected;
}

std::string url_of(const std::string& address, const std::string& target) {
    return "http://" + (address.find(':') == address.npos ? address : '[' + address + ']') + target;
}

std::vector<std::string> scrubbed(std::vector<std::string> args) {
    for (std::string& arg : args)
        for (const std::string& token : {aws_token, alibaba_token})
            if (const size_t at = arg.find(token); at != arg.npos)
                arg.replace(at, token.size(), "<redacted:" + std::to_string(token.size()) + '>');
    return args;
}
