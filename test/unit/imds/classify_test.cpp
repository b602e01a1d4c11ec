// SPDX-License-Identifier: MIT
// Provider, version and class: by endpoint, headers and path together, and never by default.
#include "test/unit/imds/imds_support.hpp"

using namespace imds_test;

namespace {

struct Case {
    const char* line;
    const char* headers;
    const char* answer_headers;
    const char* expected; ///< "provider version class"
};

std::string verdict(const std::string& address, const Case& given) {
    SimulatedConnection simulated;
    simulated.ends = ends_to(address);
    simulated.ask(given.line, given.headers, response("200 OK", given.answer_headers, "{}"));
    const ImdsEvent& event = simulated.only();
    return std::string(provider_name(event.provider)) + ' ' + std::string(version_name(event.version)) + ' ' +
           std::string(class_name(event.request_class));
}

void expect_all(const std::string& address, std::initializer_list<Case> cases) {
    for (const Case& given : cases)
        EXPECT_EQ(verdict(address, given), given.expected) << given.line << '\n' << given.headers;
}

constexpr const char* ec2_server = "Server: EC2ws\r\n";
constexpr const char* aws_token = "X-aws-ec2-metadata-token: AQAEAH==\r\n";

} // namespace

TEST(ImdsClassify, Amazon) {
    expect_all(
        "169.254.169.254",
        {{"GET /latest/meta-data/", "", ec2_server, "aws v1 instance"},
         {"GET /latest/meta-data/instance-id", aws_token, "", "aws v2 instance"},
         {"GET /latest/meta-data/instance-id", "x-AWS-EC2-metadata-TOKEN: x\r\n", "", "aws v2 instance"},
         {"PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n", "", "aws v2 token"},
         {"PUT /latest/api/token", "", ec2_server, "aws v2 token"},
         {"GET /latest/api/token", "", ec2_server, "aws v1 other"},
         {"GET /latest/meta-data/iam/security-credentials/", "", "", "aws v1 credentials"},
         {"GET /latest/meta-data/iam/security-credentials/web", aws_token, "", "aws v2 credentials"},
         {"GET /2021-07-15/meta-data/iam/security-credentials/web", "", "", "aws v1 credentials"},
         {"GET /latest/meta-data/iam//security-credentials/web", "", "", "aws v1 credentials"},
         {"GET /latest/x/../meta-data/%69am/security-credentials/web", "", "", "aws v1 credentials"},
         {"GET http://169.254.169.254/latest/meta-data/iam/security-credentials/web", "", "",
          "aws v1 credentials"},
         {"GET /latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance", "", "",
          "aws v1 credentials"},
         {"GET /latest/meta-data/iam/info", "", "", "aws v1 identity"},
         {"GET /latest/dynamic/instance-identity/document", aws_token, "", "aws v2 identity"},
         {"GET /latest/user-data", "", ec2_server, "aws v1 user-data"},
         {"GET /latest/meta-data/network/interfaces/macs/", "", ec2_server, "aws v1 network"},
         {"GET /latest/meta-data/local-ipv4", "", ec2_server, "aws v1 network"},
         {"GET /favicon.ico", "", ec2_server, "aws v1 other"}});
    expect_all("fd00:ec2::254", {{"GET /latest/meta-data/ami-id", "", "", "aws v1 instance"}});
}

TEST(ImdsClassify, UnknownWhenUnsure) {
    expect_all("169.254.169.254",
               {{"GET /latest/meta-data/instance-id", "", "", "unknown unknown instance"},
                {"GET /", "", "Server: nginx\r\n", "unknown unknown other"},
                {"GET /v1/user-data", "", "", "unknown unknown other"},
                {"GET /metadata/v1", "", "", "unknown unknown instance"},
                // headers that contradict each other
                {"GET /x", "Metadata: true\r\nMetadata-Flavor: Google\r\n", "", "unknown unknown other"}});
}

TEST(ImdsClassify, TheServiceKnowsBestWhoItIs) {
    expect_all("169.254.169.254",
               {{"GET /latest/meta-data/iam/security-credentials/", "", "Metadata-Flavor: Google\r\n",
                 "gcp none other"},
                {"GET /latest/meta-data/", "", "Server: IMDS/150.870.65.1854\r\n", "azure none other"}});
}

TEST(ImdsClassify, WhatAnEndpointProvedToBeIsRemembered) {
    SimulatedConnection simulated;
    simulated.ask("GET /latest/meta-data/", "", ec2("x"));
    simulated.send(request("GET /latest/meta-data/ami-id"));
    simulated.close();
    ASSERT_EQ(simulated.events.size(), 2U);
    EXPECT_EQ(simulated.events[1].provider, Provider::aws);
    EXPECT_EQ(simulated.events[1].version, Version::v1);
}

TEST(ImdsClassify, AnErrorIsJudgedByItsRequest) {
    SimulatedConnection simulated;
    simulated.ask("GET /latest/meta-data/", "", ec2("", "401 Unauthorized"));
    EXPECT_EQ(simulated.only().version, Version::v1);
}

TEST(ImdsClassify, TheContainersOfAmazon) {
    expect_all("169.254.170.2", {{"GET /v2/credentials/0f1e", "", "", "ecs none credentials"},
                                 {"GET /v4/0f1e-1/task", "", "", "ecs none instance"}});
    expect_all("169.254.170.23",
               {{"GET /v1/credentials", "Authorization: ey\r\n", "", "eks none credentials"}});
    expect_all("fd00:ec2::23", {{"GET /v1/credentials", "", "", "eks none credentials"}});
}

TEST(ImdsClassify, Azure) {
    constexpr const char* header = "Metadata: true\r\n";
    expect_all("169.254.169.254",
               {{"GET /metadata/instance?api-version=2021-02-01", header, "", "azure none instance"},
                {"GET /metadata/instance/network?api-version=2021-02-01", header, "", "azure none network"},
                {"GET /metadata/identity/oauth2/token?resource=https%3A%2F%2Fvault.azure.net", header, "",
                 "azure none credentials"},
                {"GET /metadata/attested/document", header, "", "azure none identity"},
                {"GET /metadata/instance/compute/userData", header, "", "azure none user-data"}});
    expect_all("168.63.129.16", {{"GET /machine/?comp=goalstate", "", "", "azure none instance"},
                                 {"GET /machine/x/y?comp=certificates", "", "", "azure none credentials"}});
}

TEST(ImdsClassify, Google) {
    constexpr const char* header = "Metadata-Flavor: Google\r\n";
    expect_all(
        "169.254.169.254",
        {{"GET /computeMetadata/v1/instance/service-accounts/default/token", header, "",
          "gcp none credentials"},
         {"GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=x", header, "",
          "gcp none identity"},
         {"GET /computeMetadata/v1/instance/attributes/startup-script", header, "", "gcp none user-data"},
         {"GET /computeMetadata/v1/instance/network-interfaces/", header, "", "gcp none network"},
         {"GET /computeMetadata/v1/project/project-id", "", "", "gcp none instance"}});
}

TEST(ImdsClassify, Alibaba) {
    expect_all("100.100.100.200",
               {{"GET /latest/meta-data/ram/security-credentials/role", "", "", "alibaba v1 credentials"},
                {"GET /latest/meta-data/instance-id", "X-aliyun-ecs-metadata-token: x\r\n", "",
                 "alibaba v2 instance"},
                {"PUT /latest/api/token", "X-aliyun-ecs-metadata-token-ttl-seconds: 180\r\n", "",
                 "alibaba v2 token"}});
}

TEST(ImdsClassify, TheOthers) {
    expect_all(
        "169.254.169.254",
        {{"GET /opc/v2/instance/", "Authorization: Bearer Oracle\r\n", "", "oracle v2 instance"},
         {"GET /opc/v1/vnics/", "", "", "oracle v1 network"},
         {"GET /opc/v2/identity/key.pem", "Authorization: bearer oracle\r\n", "", "oracle v2 credentials"},
         {"PUT /instance_identity/v1/token?version=2022-03-01", "Metadata-Flavor: ibm\r\n", "",
          "ibm none token"},
         {"POST /instance_identity/v1/iam_token?version=2022-03-01", "", "", "ibm none credentials"},
         {"GET /metadata/v1/instance/initialization", "Authorization: Bearer x\r\n", "",
          "ibm none user-data"},
         {"GET /metadata/v1/user-data", "", "", "digitalocean none user-data"},
         {"GET /metadata/v1.json", "", "", "digitalocean none instance"},
         {"GET /openstack/latest/meta_data.json", "", "", "openstack none instance"},
         {"GET /openstack/latest/password", "", "", "openstack none credentials"},
         {"GET /hetzner/v1/userdata", "", "", "hetzner none user-data"},
         {"GET /v1.json", "", "", "vultr none instance"},
         {"PUT /v1/token", "Metadata-Token-Expiry-Seconds: 3600\r\n", "", "akamai none token"},
         {"GET /v1/user-data", "Metadata-Token: x\r\n", "", "akamai none user-data"}});
    expect_all("169.254.42.42", {{"GET /conf?format=json", "", "", "scaleway none instance"},
                                 {"GET /user_data/cloud-init", "", "", "scaleway none user-data"}});
    expect_all("169.254.0.23",
               {{"GET /latest/meta-data/cam/security-credentials/r", "", "", "tencent none credentials"}});
}

/// Libraries ask like that to find out on which cloud they run; there is nothing to migrate.
TEST(ImdsClassify, AProbeForAnotherCloudIsNotV1) {
    SimulatedConnection simulated;
    simulated.ask("GET /computeMetadata/v1/instance/id", "Metadata-Flavor: Google\r\n",
                  ec2("", "404 Not Found"));
    EXPECT_EQ(simulated.only().provider, Provider::aws);
    EXPECT_EQ(simulated.only().version, Version::unknown);
    for (const auto& [service, row] : simulated.summary.rows())
        EXPECT_EQ(row.v1, 0U) << service.executable;
    expect_all("169.254.169.254",
               {{"GET /metadata/instance?api-version=2021-02-01", "Metadata: true\r\n", ec2_server,
                 "aws unknown other"},
                {"GET /", "Metadata-Flavor: Google\r\n", ec2_server, "aws unknown other"},
                {"GET /opc/v1/instance/", "", ec2_server, "aws unknown other"},
                {"GET /latest/meta-data/", "Metadata-Flavor: Google\r\n", ec2_server, "aws v1 instance"},
                {"GET /", "", ec2_server, "aws v1 other"}});
}
