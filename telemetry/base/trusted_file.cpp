// SPDX-License-Identifier: MIT
#include "telemetry/base/trusted_file.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

#include <ebpf_loader/error.hpp>

namespace telemetry {

namespace {

/// Who called sudo. The environment of a program that root started is root's.
bool is_who_called_sudo(uid_t owner) {
    const char* const text = std::getenv("SUDO_UID");
    uid_t uid = 0;
    if (!text)
        return false;
    const char* const end = text + std::strlen(text);
    const auto [rest, error] = std::from_chars(text, end, uid);
    return error == std::errc{} && rest == end && uid == owner;
}

bool is_trusted(uid_t owner) {
    return owner == 0 || owner == geteuid() || owner == getuid() || is_who_called_sudo(owner);
}

[[noreturn]] void refuse_file(const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, why);
}

} // namespace

void require_trusted(const std::string& path, const std::string& what) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
        return;
    const std::string kind = S_ISDIR(status.st_mode) ? "directory" : "file";
    if (status.st_mode & S_IWOTH)
        refuse_file(path + ": anyone may write to this " + kind + " of " + what +
                    ", and so decide what is reported.\nTake that away: chmod o-w " + path);
    if (!is_trusted(status.st_uid))
        refuse_file(path + ": this " + kind + " of " + what + " belongs to user " +
                    std::to_string(status.st_uid) +
                    ", who is neither root nor who runs this program.\nIf what is in it is right, make it "
                    "root's: chown root " +
                    path);
}

} // namespace telemetry
