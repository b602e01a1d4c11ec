// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

namespace telemetry {

/// What a container is called by who runs it. What is not known is empty.
struct ContainerNames {
    std::string name;
    std::string image; ///< as it was asked for: "nginx:1.27"
    std::string pod;
    std::string pod_namespace;
    bool operator==(const ContainerNames&) const = default;
};

/// From the files that docker, containerd (of Kubernetes), CRI-O and podman keep of a running container,
/// below `root`, which is empty or a folder. Only regular files are read, up to 1 MiB of one, and only of an
/// id of 64 hexadecimal digits. Names of more than 512 bytes are left out.
ContainerNames read_container_names(const std::string& root, std::string_view id);

/// The names of containers as far as they are known. A thread of its own reads the files: who asks never
/// waits for a disk. What is not there yet is looked for again, three times in all.
class ContainerFiles {
  public:
    static constexpr size_t most_known = 4096; ///< containers, of which all are forgotten when there are more
    static constexpr size_t most_wanted = 256; ///< that wait to be read; others are asked for again

    explicit ContainerFiles(std::string root = {},
                            std::chrono::milliseconds again_after = std::chrono::seconds(2));
    ~ContainerFiles();
    ContainerFiles(const ContainerFiles&) = delete;
    ContainerFiles& operator=(const ContainerFiles&) = delete;

    /// Another one whenever names have become known: cheap enough to be asked for with each event.
    uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
    /// Null: not known, or not yet. Waits for no disk.
    std::shared_ptr<const ContainerNames> names(std::string_view id);

  private:
    using Clock = std::chrono::steady_clock;
    struct Known {
        std::shared_ptr<const ContainerNames> names; ///< null: none found
        unsigned attempts = 0;
        bool is_wanted = false;
        Clock::time_point again_at;
    };

    void want(const std::string& id, Known& known);
    void work();

    const std::string root_;
    const std::chrono::milliseconds again_after_;
    std::mutex mutex_;
    std::condition_variable wakes_;
    bool is_ending_ = false;
    std::unordered_map<std::string, Known> known_;
    std::deque<std::string> wanted_;
    std::atomic<uint64_t> generation_ = 0;
    std::thread thread_;
};

/// The names that a formatter works with: what it was told is at hand until more is known.
class CurrentContainers {
  public:
    /// `files` may be null: nothing has a name then.
    explicit CurrentContainers(std::shared_ptr<ContainerFiles> files) : files_(std::move(files)) {}

    /// Null: not known. Until the next call.
    const ContainerNames* names(std::string_view id);

  private:
    static constexpr size_t places = 64;
    static constexpr unsigned events_between = 64; ///< two questions for names that are not known yet
    struct Place {
        std::string id;
        uint64_t generation = 0;
        unsigned asked_before = 0; ///< events
        std::shared_ptr<const ContainerNames> names;
    };

    std::shared_ptr<ContainerFiles> files_;
    std::array<Place, places> places_;
};

} // namespace telemetry
