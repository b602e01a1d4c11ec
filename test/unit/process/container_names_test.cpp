// SPDX-License-Identifier: MIT
#include "telemetry/process/container_names.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

#include "test/unit/support/temporary_folder.hpp"

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

const std::string id(64, 'a');
constexpr const char* docker = "/var/lib/docker/containers/";
constexpr const char* containerd = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/";
constexpr const char* storage = "/var/lib/containers/storage/overlay-containers/";
const ContainerNames none;

/// The root of a machine, with files in it.
class ContainerNamesTest : public testing::Test {
  protected:
    void put(const std::string& name, std::string_view text) const {
        const std::filesystem::path path = root() + name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    ContainerNames read(std::string_view container = id) const {
        return read_container_names(root(), container);
    }
    std::string root() const { return folder_.path(); }

  private:
    TemporaryFolder folder_;
};

/// Asks as often as events would, for a second at most.
template <class Ask> bool comes(Ask is_there) {
    for (int i = 0; i < 1000; ++i, std::this_thread::sleep_for(1ms))
        if (is_there())
            return true;
    return false;
}

TEST_F(ContainerNamesTest, OfDocker) {
    put(docker + id + "/config.v2.json",
        R"({"ID":"x","Config":{"Image":"nginx:1.27","Labels":{"other":"1"}},"Name":"/web"})");
    EXPECT_EQ(read(), (ContainerNames{"web", "nginx:1.27", "", ""}));
    EXPECT_EQ(read(std::string(64, 'b')), none);
    put(docker + id + "/config.v2.json",
        R"({"Name":"/k8s_x","Config":{"Image":"i","Labels":{"io.kubernetes.pod.name":"p","io.kubernetes.pod.namespace":"n"}}})");
    EXPECT_EQ(read(), (ContainerNames{"k8s_x", "i", "p", "n"}));
}

TEST_F(ContainerNamesTest, OfKubernetesWithContainerd) {
    put(containerd + id + "/config.json",
        R"({"ociVersion":"1.1.0","annotations":{"io.kubernetes.cri.container-name":"web",
            "io.kubernetes.cri.image-name":"docker.io/library/nginx:1.27",
            "io.kubernetes.cri.sandbox-name":"web-7c5d-x2","io.kubernetes.cri.sandbox-namespace":"shop"}})");
    EXPECT_EQ(read(), (ContainerNames{"web", "docker.io/library/nginx:1.27", "web-7c5d-x2", "shop"}));
}

TEST_F(ContainerNamesTest, OfKubernetesWithCriO) {
    put("/run/containers/storage/overlay-containers/" + id + "/userdata/config.json",
        R"({"annotations":{"io.kubernetes.container.name":"web","io.kubernetes.cri-o.ImageName":"quay.io/nginx:1",
            "io.kubernetes.pod.name":"web-0","io.kubernetes.pod.namespace":"shop"}})");
    EXPECT_EQ(read(), (ContainerNames{"web", "quay.io/nginx:1", "web-0", "shop"}));
}

TEST_F(ContainerNamesTest, OfPodman) {
    put(storage + std::string("containers.json"),
        R"([{"id":"b"},{"id":")" + id +
            R"(","metadata":"{\"image-name\":\"docker.io/library/redis:7\",\"name\":\"cache\"}"}])");
    EXPECT_EQ(read(), (ContainerNames{"cache", "docker.io/library/redis:7", "", ""}));
}

TEST_F(ContainerNamesTest, NothingIsMadeOfOtherFiles) {
    for (const std::string_view text : {"", "{", "[]", "null", "7", R"({"Name":7,"Config":[]})",
                                        R"({"Config":{"Labels":null}})", "{\"Name\":\"\xff\"}"}) {
        put(docker + id + "/config.v2.json", text);
        put(storage + std::string("containers.json"), text);
        EXPECT_EQ(read(), none) << text;
    }
    put(docker + id + "/config.v2.json", std::string(1 << 20, '['));
    EXPECT_EQ(read(), none) << "deep";
    put(docker + id + "/config.v2.json", R"({"Name":"/)" + std::string(513, 'n') + R"("})");
    EXPECT_EQ(read(), none) << "a long name";
    put(docker + id + "/config.v2.json", R"({"Name":"/web"})" + std::string(1 << 20, ' '));
    EXPECT_EQ(read(), none) << "a large file";
}

TEST_F(ContainerNamesTest, OnlyRegularFilesOfContainersAreRead) {
    put("/elsewhere", R"({"Name":"/web"})");
    put(docker + id + "/other", "");
    std::filesystem::create_symlink(root() + "/elsewhere", root() + docker + id + "/config.v2.json");
    EXPECT_EQ(read(), none) << "a link";
    std::filesystem::remove(root() + docker + id + "/config.v2.json");
    ASSERT_EQ(mkfifo((root() + docker + id + "/config.v2.json").c_str(), 0600), 0);
    EXPECT_EQ(read(), none) << "a pipe, which is not waited for";
    put(docker + std::string("x/config.v2.json"), R"({"Name":"/web"})");
    put("/var/lib/docker/config.v2.json", R"({"Name":"/web"})");
    for (const std::string& other :
         {std::string("x"), std::string(".."), std::string(64, '.'), std::string(64, 'A'), std::string()})
        EXPECT_EQ(read(other), none) << other;
}

TEST_F(ContainerNamesTest, AreFoundAsideAndKept) {
    put(docker + id + "/config.v2.json", R"({"Name":"/web","Config":{"Image":"nginx"}})");
    ContainerFiles files(root());
    EXPECT_EQ(files.generation(), 0u);
    ASSERT_TRUE(comes([&] { return files.names(id) != nullptr; }));
    EXPECT_EQ(files.generation(), 1u);
    std::filesystem::remove_all(root() + docker + id);
    EXPECT_EQ(*files.names(id), (ContainerNames{"web", "nginx", "", ""}))
        << "it has ended, its events may still come";
    EXPECT_EQ(files.names("lxc-name"), nullptr);
}

TEST_F(ContainerNamesTest, AreLookedForAgain) {
    ContainerFiles files(root(), 1ms);
    EXPECT_EQ(files.names(id), nullptr);
    std::this_thread::sleep_for(5ms);
    put(docker + id + "/config.v2.json", R"({"Name":"/web"})");
    EXPECT_TRUE(comes([&] { return files.names(id) != nullptr; }));
    ContainerFiles patient(root(), 1h);
    const std::string late(64, 'b');
    EXPECT_EQ(patient.names(late), nullptr);
    std::this_thread::sleep_for(20ms);
    put(docker + late + "/config.v2.json", R"({"Name":"/late"})");
    for (int i = 0; i < 20; ++i, std::this_thread::sleep_for(1ms))
        EXPECT_EQ(patient.names(late), nullptr) << "not before its time";
}

TEST_F(ContainerNamesTest, AreAtHandForEachEvent) {
    put(docker + id + "/config.v2.json", R"({"Name":"/web"})");
    CurrentContainers current(std::make_shared<ContainerFiles>(root()));
    ASSERT_TRUE(comes([&] { return current.names(id) != nullptr; }));
    const ContainerNames* const first = current.names(id);
    EXPECT_EQ(first, current.names(id));
    std::string other = id; // with the same place
    other.back() = 'b';
    EXPECT_EQ(current.names(other), nullptr);
    EXPECT_EQ(current.names(id)->name, "web");
    EXPECT_EQ(CurrentContainers(nullptr).names(id), nullptr);
    EXPECT_EQ(current.names(""), nullptr);
}

TEST_F(ContainerNamesTest, TheirNumberIsBounded) {
    ContainerFiles files(root(), 1h);
    put(docker + id + "/config.v2.json", R"({"Name":"/web"})");
    ASSERT_TRUE(comes([&] { return files.names(id) != nullptr; }));
    for (size_t i = 0; i < ContainerFiles::most_known; ++i) {
        std::string another = std::to_string(i);
        another.resize(64, 'c');
        EXPECT_EQ(files.names(another), nullptr);
    }
    EXPECT_EQ(files.names(id), nullptr) << "forgotten, and asked for again";
    EXPECT_TRUE(comes([&] { return files.names(id) != nullptr; }));
}

} // namespace
