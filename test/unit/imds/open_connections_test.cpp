// SPDX-License-Identifier: MIT
// Which connections to endpoints are open, by what the kernel lists, and what ends when one is not.
#include <fstream>

#include "test/unit/imds/imds_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace imds_test;

namespace {

constexpr uint32_t netns = 4026531840;
const std::string headings = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";

/// A line of /proc/net/tcp.
std::string line(const std::string& local, const std::string& remote, const std::string& state, int inode) {
    return "   0: " + local + " " + remote + " " + state + " 00000000:00000000 02:00000000 00000000   0  0 " +
           std::to_string(inode) + " 1 0000000037d2dced 100 0 0 10 0\n";
}

const std::string local = "0100000A:9C40"; // 10.0.0.1, port 40000
const std::string remote = "FEA9FEA9:0050";

/// Processes with what they see of the network.
class Proc {
  public:
    const std::string& root() const { return folder_.path(); }
    void put(int pid, uint32_t inode, const std::string& tcp, const std::string& tcp6 = headings) {
        const std::filesystem::path process = root() + "/" + std::to_string(pid);
        std::filesystem::create_directories(process / "ns");
        std::filesystem::create_directories(process / "net");
        std::filesystem::remove(process / "ns/net");
        std::filesystem::create_symlink("net:[" + std::to_string(inode) + "]", process / "ns/net");
        std::ofstream(process / "net/tcp") << tcp;
        std::ofstream(process / "net/tcp6") << tcp6;
    }
    OpenConnections look() const { return OpenConnections::list(root(), Endpoints::built_in()); }

  private:
    TemporaryFolder folder_;
};

ServiceAddress address_of(const std::string& address, uint16_t port = 80) {
    return remote_address(ends_to(address, port));
}

TEST(ImdsOpenConnections, AreThoseWithADescriptorToAnEndpoint) {
    Proc proc;
    proc.put(1, netns,
             headings + line(local, "0101A8C0:0050", "01", 5)       // to elsewhere
                 + line("0100000A:9C41", remote, "06", 0)           // TIME_WAIT
                 + line("0100000A:9C42", remote, "04", 0)           // FIN_WAIT1, and left alone
                 + line("0100000A:9C43", remote, "08", 9)           // CLOSE_WAIT
                 + line("0100000A:9C44", "FEA9FEA9:01BB", "02", 10) // SYN_SENT
                 + line(remote, "0100000A:9C43", "01", 11) + "garbage\n" + line("x", remote, "01", 1));
    const OpenConnections open = proc.look();
    EXPECT_FALSE(open.is_unknown());
    EXPECT_EQ(open.size(), 2U);
    EXPECT_TRUE(open.has(address_of("169.254.169.254"), 40003, netns));
    EXPECT_TRUE(open.has(address_of("169.254.169.254", 443), 40004, netns));
    EXPECT_TRUE(open.has(address_of("169.254.169.254"), 40003, 0));
    EXPECT_FALSE(open.has(address_of("169.254.169.254"), 40003, netns + 1));
    EXPECT_FALSE(open.has(address_of("169.254.169.254"), 40002, netns));
    EXPECT_FALSE(open.has(address_of("169.254.169.254"), 0, 0));
}

TEST(ImdsOpenConnections, OfAllNamespacesAndOfIpv6) {
    Proc proc;
    proc.put(1, netns, headings);
    proc.put(
        20, 77, headings,
        headings +
            line("0000000000000000FFFF00000100000A:0400", "0000000000000000FFFF0000FEA9FEA9:0050", "01", 3) +
            line("00000000000000000000000001000000:0401", "C20E00FD000000000000000054020000:0050", "01", 4));
    const OpenConnections open = proc.look();
    EXPECT_EQ(open.size(), 2U);
    EXPECT_TRUE(open.has(address_of("169.254.169.254"), 1024, 77));
    EXPECT_TRUE(open.has(address_of("fd00:ec2::254"), 1025, 77));
    EXPECT_FALSE(open.has(address_of("fd00:ec2::254"), 1025, netns));
}

TEST(ImdsOpenConnections, NobodyCanTell) {
    EXPECT_TRUE(Proc().look().is_unknown());
    EXPECT_TRUE(OpenConnections::list("/nonexistent", Endpoints::built_in()).is_unknown());
    Proc proc;
    proc.put(1, netns, headings);
    EXPECT_FALSE(proc.look().is_unknown());
    EXPECT_TRUE(proc.look().empty());
}

class Looked : public testing::Test {
  protected:
    void look(const OpenConnections& open) {
        scene_.tracker.take(open, scene_.now + millisecond, scene_.now + 2 * millisecond);
        scene_.now += 1000 * millisecond;
    }
    static OpenConnections with_it(uint32_t space = netns) {
        OpenConnections open;
        open.add(address_of("169.254.169.254"), 40000, space);
        return open;
    }
    SimulatedConnection scene_;
};

TEST_F(Looked, TwiceNotFoundIsTheEnd) {
    scene_.send(request("GET /latest/meta-data/"));
    look(with_it());
    look({});
    look(with_it());
    look({});
    EXPECT_TRUE(scene_.events.empty());
    EXPECT_TRUE(scene_.tracker.has_connections());
    look(with_it(netns + 1));
    EXPECT_EQ(scene_.only().end, Exchange::End::closed);
    EXPECT_FALSE(scene_.tracker.has_connections());
}

TEST_F(Looked, AConnectionWithoutContentIsTold) {
    scene_.connect();
    look({});
    look({});
    EXPECT_EQ(scene_.only().kind, ImdsEvent::Kind::connection);
    EXPECT_EQ(scene_.only().connection_content, ConnectionReport::Content::no_bytes);
    EXPECT_FALSE(scene_.tracker.has_connections());
}

/// What came since the look began was not there to be found.
TEST_F(Looked, WhatIsNewIsNotEnded) {
    scene_.connect();
    scene_.tracker.take(OpenConnections(), scene_.now - 1, scene_.now + 1);
    scene_.tracker.take(OpenConnections(), scene_.now, scene_.now + 1);
    EXPECT_TRUE(scene_.events.empty());
    EXPECT_TRUE(scene_.tracker.has_connections());
}

/// The end of a connection comes after the next one got the same piece of the kernel's memory.
TEST_F(Looked, AnEndIsForItsOwnConnection) {
    scene_.send(request("GET /latest/meta-data/"));
    const Transfer end = scene_.segment(Direction::closed, {});
    scene_.ends.local_port = 40001;
    scene_.send(request("GET /latest/user-data"));
    EXPECT_EQ(scene_.only().end, Exchange::End::closed);
    scene_.tracker.take(end);
    scene_.receive(ec2("x"));
    ASSERT_EQ(scene_.events.size(), 2U);
    EXPECT_EQ(scene_.events[1].status, 200);
    EXPECT_TRUE(scene_.events[1].has_request);
}

TEST_F(Looked, WithoutAPortNobodyCanTell) {
    scene_.ends.local_port = 0;
    scene_.connect();
    look({});
    look({});
    look({});
    EXPECT_TRUE(scene_.events.empty());
}

} // namespace
