// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

namespace telemetry {

/// Names of users and groups by id, from files alone: asking the system's name services for each event
/// could take seconds.
class AccountNames {
  public:
    AccountNames() = default;
    /// Files in the form of passwd(5) and group(5). Nothing is known of one that cannot be read, and of
    /// what stands behind its first 100,000 lines.
    AccountNames(const std::string& passwd_file, const std::string& group_file);

    /// Empty when the id has no name.
    std::string_view user(uint32_t uid) const { return find(users_, uid); }
    std::string_view group(uint32_t gid) const { return find(groups_, gid); }
    /// Empty when there is no such name.
    std::optional<uint32_t> user_id(std::string_view name) const { return find(users_, name); }
    std::optional<uint32_t> group_id(std::string_view name) const { return find(groups_, name); }
    size_t users() const { return users_.size(); }
    size_t groups() const { return groups_.size(); }

  private:
    using Names = std::unordered_map<uint32_t, std::string>;
    static Names read(const std::string& file);
    static std::string_view find(const Names& names, uint32_t id);
    static std::optional<uint32_t> find(const Names& names, std::string_view name);

    Names users_, groups_;
};

/// The names as /etc/passwd and /etc/group have them now. A thread of its own reads the files again
/// when they change: who asks never waits for a disk.
class AccountFiles {
  public:
    explicit AccountFiles(const std::string& folder = "/etc",
                          std::chrono::milliseconds period = std::chrono::seconds(2));
    ~AccountFiles();
    AccountFiles(const AccountFiles&) = delete;
    AccountFiles& operator=(const AccountFiles&) = delete;

    /// Another one after each change: cheap enough to be asked for with each event.
    uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
    std::shared_ptr<const AccountNames> names() const;

  private:
    std::string state() const;
    void read();
    void watch(std::chrono::milliseconds period);

    std::string passwd_, group_;
    std::string state_; ///< of the files when they were read
    mutable std::mutex mutex_;
    std::condition_variable ends_;
    bool is_ending_ = false;
    std::shared_ptr<const AccountNames> names_;
    std::atomic<uint64_t> generation_ = 0;
    std::thread thread_;
};

/// The names that a formatter works with: they change only when it asks for newer ones.
class CurrentNames {
  public:
    /// `files` may be null: nothing has a name then.
    explicit CurrentNames(std::shared_ptr<const AccountFiles> files)
        : files_(std::move(files)), names_(std::make_shared<const AccountNames>()) {
        refresh();
    }

    void refresh() {
        if (!files_ || files_->generation() == generation_)
            return;
        generation_ = files_->generation();
        names_ = files_->names();
    }
    uint64_t generation() const { return generation_; }
    std::string_view user(uint32_t uid) const { return names_->user(uid); }
    std::string_view group(uint32_t gid) const { return names_->group(gid); }

  private:
    std::shared_ptr<const AccountFiles> files_;
    std::shared_ptr<const AccountNames> names_;
    uint64_t generation_ = 0;
};

} // namespace telemetry
