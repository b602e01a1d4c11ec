// SPDX-License-Identifier: LGPL-2.1
// Offsets out of this cache decide what the engine reads in kernel memory, so it takes them from
// nobody but the user that it runs as.
#include "loader/src/offsets/cache.hpp"

#include "loader/src/base/kernel_image.hpp"
#include "loader/src/base/text.hpp"

#include <ebpf_loader/error.hpp>
#include <ebpf_loader/unique_fd.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace ebpf_loader {
namespace {

constexpr const char* usual_folder = "/var/cache/ebpf_telemetry";
constexpr size_t largest_file = 1 << 20;

std::string running_kernel() {
    return std::string(trim(read_file("/proc/version", 4096).value_or("")));
}

/// FNV-1a: names files, protects nothing.
std::string hash_of(std::string_view text) {
    uint64_t hash = 0xcbf29ce484222325;
    for (unsigned char c : text)
        hash = (hash ^ c) * 0x100000001b3;
    char digits[17];
    snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(hash));
    return digits;
}

std::string file_name(const std::string& kernel) {
    std::string release = running_release();
    std::replace(release.begin(), release.end(), '/', '_');
    return release + "-" + hash_of(kernel) + ".conf";
}

/// Ours, and nobody else's to write.
bool is_ours(const struct stat& status) {
    return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Writes all of it or nothing, under the name or not at all.
void write_whole(const std::string& file, std::string_view text) {
    std::string temporary = file + ".XXXXXX";
    const UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC)); // with mode 0600
    const auto fail = [&] {
        const int error = errno;
        unlink(temporary.c_str());
        throw std::system_error(error, std::generic_category());
    };
    if (!fd)
        throw std::system_error(errno, std::generic_category());
    for (size_t done = 0; done < text.size();) {
        const ssize_t written = ::write(fd.get(), text.data() + done, text.size() - done);
        if (written < 0 && errno != EINTR)
            fail();
        done += static_cast<size_t>(std::max<ssize_t>(written, 0));
    }
    if (fsync(fd.get()) || rename(temporary.c_str(), file.c_str()))
        fail();
}

} // namespace

OffsetCache::OffsetCache(std::string folder, std::string kernel, Log log)
    : folder_(std::move(folder)), kernel_(std::move(kernel)), file_(folder_ + "/" + file_name(kernel_)),
      log_(std::move(log)) {}

OffsetCache::OffsetCache(Log log) : OffsetCache(usual_folder, running_kernel(), std::move(log)) {}

std::string OffsetCache::header() const {
    return "# Kernel: " + printable(kernel_) + "\n";
}

std::optional<Offsets> OffsetCache::read() const {
    struct stat folder {
    }, status{};
    const UniqueFd fd(open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd || lstat(folder_.c_str(), &folder) || fstat(fd.get(), &status))
        return std::nullopt; // none is kept yet
    if (!S_ISDIR(folder.st_mode) || !is_ours(folder) || !S_ISREG(status.st_mode) || !is_ours(status)) {
        say("not using " + file_ + ": other users than this one can change it");
        return std::nullopt;
    }
    const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
    const std::string text = read_file(path, largest_file).value_or("");
    if (kernel_.empty() || !text.starts_with(header())) {
        say("not using " + file_ + ": it was made for another kernel");
        return std::nullopt;
    }
    try {
        Offsets offsets = Offsets::from_config(path);
        require_sound(offsets);
        offsets.source = "discovery, kept in " + file_;
        return offsets;
    } catch (const Error& error) {
        say("not using " + file_ + ", it is damaged: " + error.what());
        return std::nullopt;
    }
}

void OffsetCache::write(const Offsets& offsets) const {
    try {
        std::filesystem::create_directories(folder_);
        std::ostringstream text;
        text << header();
        offsets.write_config(text);
        write_whole(file_, text.str());
    } catch (const std::system_error& error) {
        say("the discovered offsets cannot be kept in " + file_ + ": " + error.code().message() +
            "; the next start discovers them again");
    }
}

} // namespace ebpf_loader
