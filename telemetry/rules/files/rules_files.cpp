// SPDX-License-Identifier: MIT
#include "telemetry/rules/files/rules_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "telemetry/base/trusted_file.hpp"
#include "telemetry/rules/rules.hpp"

namespace telemetry {
namespace {

constexpr size_t longest = 16 << 20;

[[noreturn]] void cannot_read(const std::string& path, const std::string& why) {
    throw RuleError(path + ": error: cannot read the rules: " + why +
                    "\nexpected: the path of a rules file that can be read, or of a directory of *.rules\n");
}

/// Of at most `room` bytes.
std::string read_file(const std::string& path, size_t room) {
    const std::unique_ptr<FILE, int (*)(FILE*)> stream(std::fopen(path.c_str(), "re"), std::fclose);
    if (!stream)
        cannot_read(path, std::strerror(errno));
    std::string text;
    std::array<char, 65536> buffer;
    while (const size_t got = std::fread(buffer.data(), 1, buffer.size(), stream.get())) {
        text.append(buffer.data(), got);
        if (text.size() > room)
            cannot_read(path, "the rules are longer than 16 MiB");
    }
    if (std::ferror(stream.get()))
        cannot_read(path, std::strerror(errno));
    return text;
}

std::vector<std::string> rules_files_of(const std::string& directory) {
    namespace fs = std::filesystem;
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (!name.starts_with('.') && name.ends_with(".rules"))
            names.push_back(entry->path());
    }
    if (error)
        cannot_read(directory, error.message());
    if (names.empty())
        cannot_read(directory, "the directory has no file *.rules");
    std::sort(names.begin(), names.end(), [](const std::string& one, const std::string& other) {
        return strverscmp(one.c_str(), other.c_str()) < 0;
    });
    return names;
}

} // namespace

std::vector<RulesFile> read_rules_files(const std::string& path) {
    require_trusted(path, "rules");
    std::error_code error;
    if (!std::filesystem::is_directory(path, error))
        return {{path, read_file(path, longest)}};
    std::vector<RulesFile> files;
    size_t room = longest;
    for (const std::string& name : rules_files_of(path)) {
        if (!std::filesystem::is_regular_file(name, error)) // a pipe would never end
            cannot_read(name, "it is no regular file");
        require_trusted(name, "rules");
        files.push_back({name, read_file(name, room)});
        room -= files.back().text.size();
    }
    return files;
}

} // namespace telemetry
