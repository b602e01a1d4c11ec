// SPDX-License-Identifier: MIT
#include "telemetry/delivery/shared_library.hpp"

#include <dlfcn.h>
#include <utility>

#include <ebpf_loader/error.hpp>

namespace telemetry {

using ebpf_loader::Error;
using ebpf_loader::ErrorCode;

SharedLibrary::SharedLibrary(std::string user, std::string file, const std::string& package)
    : user_(std::move(user)), file_(std::move(file)), library_(dlopen(file_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!library_)
        throw Error(ErrorCode::usage, user_ + " needs " + file_ + ", which cannot be loaded: " + dlerror() +
                                          ". Install it, on Debian the package " + package);
}

void* SharedLibrary::optional_symbol(const char* name) const {
    return dlsym(library_, name);
}

void* SharedLibrary::symbol(const char* name, const char* needed) const {
    void* const found = optional_symbol(name);
    if (!found)
        throw Error(ErrorCode::usage, user_ + ": " + file_ + " has no function " + name + ": " + needed +
                                          " or newer is needed");
    return found;
}

} // namespace telemetry
