// SPDX-License-Identifier: MIT
#include "telemetry/process/user_names.hpp"

#include <charconv>
#include <fstream>

namespace telemetry {
namespace {

constexpr size_t most_users = 100'000;

} // namespace

UserNames::UserNames(const std::string& passwd_file) {
    std::ifstream file(passwd_file);
    for (std::string line; names_.size() < most_users && std::getline(file, line);)
        add(line);
}

/// "name:password:uid:..."; of two names with the same id the first counts.
void UserNames::add(std::string_view line) {
    const size_t name_end = line.find(':');
    const size_t password_end = name_end == line.npos ? line.npos : line.find(':', name_end + 1);
    if (password_end == line.npos || name_end == 0)
        return;
    const std::string_view id =
        line.substr(password_end + 1, line.find(':', password_end + 1) - password_end - 1);
    uint32_t uid = 0;
    const auto [stop, error] = std::from_chars(id.data(), id.data() + id.size(), uid);
    if (error == std::errc{} && stop == id.data() + id.size())
        names_.emplace(uid, line.substr(0, name_end));
}

std::string_view UserNames::name_of(uint32_t uid) const {
    const auto found = names_.find(uid);
    return found == names_.end() ? std::string_view() : std::string_view(found->second);
}

} // namespace telemetry
