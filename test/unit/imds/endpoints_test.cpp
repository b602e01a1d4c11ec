// SPDX-License-Identifier: MIT
#include "imds/app/endpoints_in_force.hpp"
#include "imds/model/endpoints.hpp"

#include "telemetry/rules/rules.hpp"
#include "test/unit/imds/imds_support.hpp"

using namespace imds_test;
using testing::HasSubstr;

namespace {

const Endpoint* endpoint(const Endpoints& endpoints, const std::string& address, uint16_t port = 80) {
    return endpoints.find(remote_address(ends_to(address, port)));
}

std::string error(const std::string& text) {
    try {
        Endpoints::parse(text, "x.conf");
    } catch (const telemetry::RuleError& mistake) {
        return mistake.what();
    }
    return "no error";
}

} // namespace

TEST(ImdsEndpoints, BuiltInOnesAreAllThere) {
    const Endpoints all = Endpoints::built_in();
    const std::pair<const char*, Provider> unique[] = {
        {"fd00:ec2::254", Provider::aws},         {"169.254.170.2", Provider::ecs},
        {"169.254.170.23", Provider::eks},        {"fd00:ec2::23", Provider::eks},
        {"168.63.129.16", Provider::azure},       {"fd20:ce::254", Provider::gcp},
        {"fd00:c1::a9fe:a9fe", Provider::oracle}, {"100.100.100.200", Provider::alibaba},
        {"169.254.0.23", Provider::tencent},      {"169.254.42.42", Provider::scaleway},
        {"fd00:42::42", Provider::scaleway},      {"fd00:a9fe:a9fe::1", Provider::akamai}};
    for (const auto& [address, provider] : unique) {
        ASSERT_TRUE(endpoint(all, address)) << address;
        EXPECT_EQ(endpoint(all, address)->providers.only(), provider) << address;
    }
    EXPECT_TRUE(endpoint(all, "168.63.129.16", 32526));
    const Endpoint* shared = endpoint(all, "169.254.169.254");
    ASSERT_TRUE(shared);
    for (const Provider provider :
         {Provider::aws, Provider::azure, Provider::gcp, Provider::oracle, Provider::ibm,
          Provider::digitalocean, Provider::openstack, Provider::hetzner, Provider::akamai, Provider::vultr})
        EXPECT_TRUE(shared->providers.has(provider)) << provider_name(provider);
    const Endpoint* link = endpoint(all, "fe80::a9fe:a9fe");
    ASSERT_TRUE(link);
    EXPECT_TRUE(link->providers.has(Provider::openstack) && link->providers.has(Provider::hetzner));
    EXPECT_FALSE(endpoint(all, "169.254.169.254", 8080));
    EXPECT_FALSE(endpoint(all, "169.254.169.253"));
}

TEST(ImdsEndpoints, MappedAddressesAreTheSame) {
    EXPECT_EQ(remote_address(ends_to("::ffff:169.254.169.254")), remote_address(ends_to("169.254.169.254")));
    EXPECT_NE(remote_address(ends_to("::169.254.169.254")), remote_address(ends_to("169.254.169.254")));
}

TEST(ImdsEndpoints, UsersAddAndReplace) {
    Endpoints all = Endpoints::built_in();
    const size_t before = all.all().size();
    all.add(
        Endpoints::parse("10.0.0.1 80,8080 unknown # ours\r\n\n169.254.169.254\t80 openstack\n", "x.conf"));
    EXPECT_EQ(all.all().size(), before + 2);
    EXPECT_TRUE(endpoint(all, "10.0.0.1", 8080));
    EXPECT_EQ(endpoint(all, "169.254.169.254")->providers.only(), Provider::openstack);
}

TEST(ImdsEndpoints, MistakesAreShownWhereTheyAre) {
    EXPECT_EQ(error("# fine\n169.254.169.254 80 aws\n300.1.1.1 80 aws\n"),
              "x.conf:3:1: error: \"300.1.1.1\" is not an IP address\n300.1.1.1 80 aws\n^~~~~~~~~\n"
              "expected: an address such as 169.254.169.254 or fd00:ec2::254\n");
    EXPECT_THAT(error("10.0.0.1"), HasSubstr("x.conf:1:9: error: the line has no port"));
    EXPECT_THAT(error("10.0.0.1 80"), HasSubstr("x.conf:1:12: error: the line has no provider"));
    EXPECT_THAT(error("10.0.0.1 80,,81 aws"), HasSubstr("x.conf:1:13: error: \"\" is not a port"));
    EXPECT_THAT(error("10.0.0.1 0 aws"), HasSubstr("x.conf:1:10: error: \"0\" is not a port"));
    EXPECT_THAT(error("10.0.0.1 65536 aws"), HasSubstr("is not a port"));
    EXPECT_THAT(error("10.0.0.1 99999999999999999999 aws"), HasSubstr("is not a port"));
    EXPECT_THAT(error("10.0.0.1 8o aws"), HasSubstr("is not a port"));
    EXPECT_THAT(error("10.0.0.1 80 amazon"), HasSubstr("x.conf:1:13: error: unknown provider \"amazon\""));
    EXPECT_THAT(error(std::string("10.0.0.1\0 80 aws", 16)), HasSubstr("is not an IP address"));
    const std::string many = error("a\nb\x1b[2J\n");
    EXPECT_THAT(many, HasSubstr("x.conf:1:1"));
    EXPECT_THAT(many, HasSubstr("x.conf:2:1"));
    EXPECT_EQ(many.find('\x1b'), many.npos);
}

TEST(ImdsEndpoints, AFileThatIsNotThere) {
    EXPECT_THROW(Endpoints::load("/nonexistent/endpoints"), telemetry::RuleError);
    EXPECT_THROW(Endpoints::load("/"), telemetry::RuleError);
}

TEST(ImdsEndpoints, AReloadJudgesFromItsTimeOn) {
    telemetry::imds::EndpointsInForce in_force(
        Endpoints::parse("10.0.0.1 80 aws\n10.0.0.2 80 aws\n", "x.conf"));
    const auto find = [&](const char* address, uint64_t time_ns) {
        return in_force.find(remote_address(ends_to(address, 80)), time_ns);
    };
    ASSERT_TRUE(find("10.0.0.1", 1));
    in_force.change(Endpoints::parse("10.0.0.2 80 gcp\n10.0.0.3 80 aws\n", "x.conf"), 1000);
    EXPECT_TRUE(find("10.0.0.1", 999)) << "it happened before, and comes late";
    EXPECT_FALSE(find("10.0.0.1", 1000));
    EXPECT_FALSE(find("10.0.0.3", 999));
    EXPECT_TRUE(find("10.0.0.3", 1000));
    EXPECT_EQ(find("10.0.0.2", 999)->providers.only(), Provider::aws);
    EXPECT_EQ(find("10.0.0.2", 1000)->providers.only(), Provider::gcp);
    EXPECT_EQ(in_force.now().all().size(), 2u);
}
