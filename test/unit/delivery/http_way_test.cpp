// SPDX-License-Identifier: MIT
// Which hosts libcurl connects to, and that it asks nobody for them.
#include <map>

#include <gmock/gmock.h>

#include "telemetry/delivery/http/way.hpp"

using namespace telemetry;

namespace {

using Variables = std::map<std::string, std::string>;

/// "proxy of it|host:port host:port"
std::string way(const std::string& url, const Variables& variables = {}, const std::string& proxy = "",
                const std::string& no_proxy = "") {
    const HttpWay found = http_way(url, proxy, no_proxy, [&](const char* name) {
        const auto variable = variables.find(name);
        return variable == variables.end() ? nullptr : variable->second.c_str();
    });
    std::string text = found.proxy + "|";
    for (const auto& [name, port] : found.hosts)
        text += (text.ends_with('|') ? "" : " ") + name + ":" + std::to_string(port);
    return text;
}

TEST(HttpWay, IsTheServersOwn) {
    EXPECT_EQ(way("https://intake.example/path"), "|intake.example:443");
    EXPECT_EQ(way("http://Intake.example:8080"), "|Intake.example:8080");
    EXPECT_EQ(way("http://[2001:db8::1]:81/x"), "|2001:db8::1:81");
    EXPECT_EQ(way("http://intake.example", {{"https_proxy", "p"}, {"HTTP_PROXY", "p"}}), "|intake.example:80")
        << "these are not for it";
}

TEST(HttpWay, IsByAProxy) {
    const std::string url = "https://intake.example";
    EXPECT_EQ(way(url, {}, "proxy.example"), "proxy.example|proxy.example:1080");
    EXPECT_EQ(way(url, {}, "https://u:p@proxy.example"), "https://u:p@proxy.example|proxy.example:443");
    EXPECT_EQ(way(url, {}, "http://proxy.example:3128/"), "http://proxy.example:3128/|proxy.example:3128");
    EXPECT_EQ(way(url, {}, "socks5h://proxy.example"), "socks5h://proxy.example|proxy.example:1080");
    EXPECT_EQ(way(url, {}, "socks5://proxy.example"),
              "socks5://proxy.example|proxy.example:1080 intake.example:443")
        << "such a proxy gets addresses";
    EXPECT_EQ(way(url, {{"HTTPS_PROXY", "one:1"}, {"ALL_PROXY", "two:2"}}), "one:1|one:1");
    EXPECT_EQ(way("http://intake.example", {{"http_proxy", "three:3"}}), "three:3|three:3");
    EXPECT_EQ(way(url, {{"all_proxy", "two:2"}}), "two:2|two:2");
    EXPECT_EQ(way(url, {{"https_proxy", "one:1"}}, "own:9"), "own:9|own:9");
}

TEST(HttpWay, SomeHostsAreReachedDirectly) {
    const std::string url = "https://intake.example", proxy = "proxy:1";
    EXPECT_EQ(way(url, {{"no_proxy", "example"}}, proxy), "|intake.example:443");
    EXPECT_EQ(way(url, {{"NO_PROXY", "*"}}, proxy), "|intake.example:443");
    EXPECT_EQ(way(url, {{"no_proxy", "example"}}, proxy, "other"), "proxy:1|proxy:1") << "the option counts";
    for (const char* list :
         {"intake.example", "a,INTAKE.example.", "x .example", ".intake.example", "example,b"})
        EXPECT_TRUE(is_without_proxy("intake.example", list)) << list;
    for (const char* list :
         {"", "take.example", "intake.example.org", "a.intake.example", "192.0.2.0/8", ","})
        EXPECT_FALSE(is_without_proxy("intake.example", list)) << list;
    for (const char* list : {"192.0.2.7", "10.0.0.0/8,192.0.2.0/29", "192.0.2.7/32", "192.0.2.6/31"})
        EXPECT_TRUE(is_without_proxy("192.0.2.7", list)) << list;
    for (const char* list : {"192.0.2.8", "192.0.2.8/29", "192.0.2.7/33", ".2.7", "2.7", "192.0.2.0/x"})
        EXPECT_FALSE(is_without_proxy("192.0.2.7", list)) << list;
    EXPECT_TRUE(is_without_proxy("2001:db8::1", "2001:db8::/32"));
    EXPECT_FALSE(is_without_proxy("2001:db9::1", "2001:db8::/32"));
}

} // namespace
