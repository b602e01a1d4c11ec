// SPDX-License-Identifier: MIT
#include "telemetry/stack/demangle.hpp"

#include <cctype>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <string_view>

namespace telemetry {
namespace {

constexpr size_t longest_mangled = 1024;
constexpr size_t longest_shown = 512;
constexpr int most_references = 24;

/// References to what came before in the name: each pair of them can double its length.
int references(std::string_view name) {
    int count = 0;
    for (size_t i = 0; i + 1 < name.size(); ++i) {
        const auto next = static_cast<unsigned char>(name[i + 1]);
        count += (name[i] == 'S' || name[i] == 'T') && (next == '_' || isdigit(next) || isupper(next));
    }
    return count;
}

} // namespace

std::string demangled(const std::string& name) {
    std::string shown = name;
    if (name.starts_with("_Z") && name.size() <= longest_mangled && references(name) <= most_references) {
        int status = -1;
        const std::unique_ptr<char, void (*)(void*)> text(
            abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
        if (text && status == 0)
            shown = text.get();
    }
    if (shown.size() > longest_shown) {
        shown.resize(longest_shown);
        shown += "...";
    }
    return shown;
}

} // namespace telemetry
