// SPDX-License-Identifier: MIT
// What the services hand out is in no output, log or request to Datadog, unless --unsafe asks for it.
#include "test/imds/capture_fixture.hpp"
#include "test/imds/requests.hpp"
#include "test/unit/sink/intake_server.hpp"

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr const char* api_key = "SECRET-datadog-api-key";

/// The program at its most talkative, with an intake for Datadog.
class Talkative {
  public:
    explicit Talkative(const std::string& format, const std::vector<std::string>& more = {})
        : intake_([](size_t) { return 202; }), program_(arguments(format, more), setting()) {
        EXPECT_TRUE(program_.reports()) << program_.err();
    }
    /// Each service by its own client and by curl, each kind of call, and answers that are none.
    void be_asked() const {
        for (const Service& service : services())
            for (const Request& request : service.requests)
                ask(service.addresses[0], request);
        for (const char* call :
             {"bytewise", "sendmmsg", "splice-in", "child", "passed", "sendfile", "garbage"})
            network_.run({CLIENT, call, "/latest/meta-data/iam/security-credentials/test-role"});
        for (const char* odd : {"garbage", "cut", "hangs-up"})
            network_.run({"curl", "-s", url_of("169.254.169.254", std::string("/latest/test/") + odd)}, {},
                         false);
        network_.run(
            {"curl", "-s", "-K", "-"}, // options come by standard input
            "data = SECRET-sent\nheader = \"Cookie: SECRET-cookie\"\nheader = \"Authorization: SECRET\"\n"
            "header = \"X-Own: SECRET\"\nuser-agent = x\n"
            "url = \"http://169.254.169.254/latest/meta-data/SECRET%20x?SECRET=1&api-version=SECRET\"\n",
            false);
    }
    void end() {
        program_.send(SIGTERM);
        EXPECT_EQ(program_.wait(), 0) << program_.err();
    }
    std::string out() const { return program_.out(); }
    std::string err() const { return program_.err(); }
    std::vector<imds_test::IntakeRequest> requests() const { return intake_.requests(); }
    /// All events that went to the intake.
    json sent() const {
        json all = json::array();
        for (const auto& request : requests())
            for (const json& event : json::parse(request.body))
                all.push_back(event);
        return all;
    }

  private:
    static std::vector<std::string> arguments(const std::string& format,
                                              const std::vector<std::string>& more) {
        std::vector<std::string> all = {"-c",    usable_config(), "-f",        format,     "--log-level",
                                        "trace", "--datadog",     "--summary", "--stats=1"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    RunningProgram::Setting setting() const {
        RunningProgram::Setting setting;
        setting.before = [url = intake_.url()] {
            setenv("DD_API_KEY", api_key, 1);
            setenv("DD_LOGS_URL", url.c_str(), 1);
        };
        return setting;
    }
    void ask(const std::string& address, const Request& request) const {
        std::vector<std::string> own = {CLIENT, "write", request.target, address, request.expected.method};
        own.insert(own.end(), request.headers.begin(), request.headers.end());
        network_.run(own);
        std::vector<std::string> curl = {"curl", "-s", "-o", "/dev/null", "-X", request.expected.method};
        for (const std::string& header : request.headers)
            curl.insert(curl.end(), {"-H", header});
        curl.push_back(url_of(address, request.target));
        network_.run(curl);
    }

    imds_test::IntakeServer intake_;
    MetadataNetwork network_;
    RunningProgram program_;
};

constexpr size_t all_asked = 2 * (6 + 2 + 3 + 4) + 7 + 3 + 1;

class Secrets : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Formats, Secrets, testing::Values("json", "text"));

TEST_P(Secrets, AreNowhere) {
    Talkative program(GetParam());
    program.be_asked();
    program.end();
    EXPECT_GE(lines_of(program.out()).size(), all_asked) << program.out(); // others may ask as well
    EXPECT_GE(program.sent().size(), all_asked);
    for (const std::string& text : {program.out(), program.sent().dump(), program.err()})
        EXPECT_THAT(text, Not(HasSubstr(metadata::secret)));
    EXPECT_THAT(program.sent().dump(), HasSubstr("X-aws-ec2-metadata-token: <redacted:31>"));
    for (const auto& request : program.requests()) {
        EXPECT_EQ(request.header("DD-API-KEY"), api_key);
        EXPECT_THAT(request.body, HasSubstr("scrubbed:true"));
    }
}

TEST_P(Secrets, AreShownByUnsafeWhichSaysSo) {
    using namespace metadata;
    Talkative program(GetParam(), {"--unsafe"});
    program.be_asked();
    program.end();
    const std::string err = program.err(), sent = program.sent().dump();
    const size_t warning =
        err.find("warning: --unsafe: bodies and URLs are shown including the secrets in them");
    EXPECT_LT(warning, err.find("info: reporting"));
    for (const std::string& one :
         {aws_token, aws_key, aws_credential_token, alibaba_token, alibaba_key, alibaba_security_token,
          azure_token, gcp_token, gcp_identity, user_data_secret, std::string("SECRET-azure-custom-data"),
          std::string("SECRET-sent")}) {
        EXPECT_THAT(program.out(), HasSubstr(one));
        EXPECT_THAT(sent, HasSubstr(one));
    }
    EXPECT_THAT(err, Not(HasSubstr(metadata::secret))); // a log is no output
    for (const auto& request : program.requests())
        EXPECT_THAT(request.body, HasSubstr("scrubbed:false"));
}

} // namespace
