// SPDX-License-Identifier: MIT
#include "telemetry/process/account_names.hpp"

#include <charconv>
#include <fstream>
#include <sys/stat.h>

#include "telemetry/rights/aside_thread.hpp"

namespace telemetry {
namespace {

constexpr size_t most_lines = 100'000;

/// "name:password:id:...", as both files have it.
void add(std::unordered_map<uint32_t, std::string>& names, std::string_view line) {
    const size_t name_end = line.find(':');
    const size_t password_end = name_end == line.npos ? line.npos : line.find(':', name_end + 1);
    if (password_end == line.npos || name_end == 0)
        return;
    const std::string_view text =
        line.substr(password_end + 1, line.find(':', password_end + 1) - password_end - 1);
    uint32_t id = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error == std::errc{} && stop == text.data() + text.size())
        names.emplace(id, line.substr(0, name_end)); // of two names with the same id the first counts
}

/// What changes when a file is written or replaced.
std::string state_of(const std::string& file) {
    struct stat info {};
    if (stat(file.c_str(), &info) != 0)
        return "absent;";
    return std::to_string(info.st_ino) + ' ' + std::to_string(info.st_size) + ' ' +
           std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) + ';';
}

} // namespace

AccountNames::AccountNames(const std::string& passwd_file, const std::string& group_file)
    : users_(read(passwd_file)), groups_(read(group_file)) {}

AccountNames::Names AccountNames::read(const std::string& path) {
    Names names;
    std::ifstream file(path);
    size_t lines = 0;
    for (std::string line; lines < most_lines && std::getline(file, line); ++lines)
        add(names, line);
    return names;
}

std::string_view AccountNames::find(const Names& names, uint32_t id) {
    const auto found = names.find(id);
    return found == names.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<uint32_t> AccountNames::find(const Names& names, std::string_view name) {
    for (const auto& [id, its_name] : names)
        if (its_name == name)
            return id;
    return std::nullopt;
}

AccountFiles::AccountFiles(const std::string& folder, std::chrono::milliseconds period)
    : passwd_(folder + "/passwd"), group_(folder + "/group") {
    read();
    thread_ = start_aside([this, period] { watch(period); });
}

AccountFiles::~AccountFiles() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    ends_.notify_all();
    thread_.join();
}

std::shared_ptr<const AccountNames> AccountFiles::names() const {
    const std::lock_guard lock(mutex_);
    return names_;
}

std::string AccountFiles::state() const {
    return state_of(passwd_) + state_of(group_);
}

/// The state is that from before: what changes while the files are read is read again.
void AccountFiles::read() {
    state_ = state();
    auto names = std::make_shared<const AccountNames>(passwd_, group_);
    {
        const std::lock_guard lock(mutex_);
        names_ = std::move(names);
    }
    generation_.fetch_add(1, std::memory_order_release);
}

void AccountFiles::watch(std::chrono::milliseconds period) {
    std::unique_lock lock(mutex_);
    while (!ends_.wait_for(lock, period, [this] { return is_ending_; })) {
        lock.unlock();
        if (state() != state_)
            read();
        lock.lock();
    }
}

} // namespace telemetry
