// SPDX-License-Identifier: MIT
#pragma once
#include <string>

namespace telemetry {

/// A library that is loaded when an output needs it: the other runs do not pay for it in memory and time. It
/// stays loaded. Programs that are linked statically have none of these.
class SharedLibrary {
  public:
    /// `user`, "kind = http", is what cannot be without it. Throws ebpf_loader::Error(usage) that names the
    /// Debian package.
    SharedLibrary(std::string user, std::string file, const std::string& package);

    /// Throws ebpf_loader::Error(usage) when the library is too old to have it; `needed`: "libcurl 7.66".
    template <class Function> void find(const char* name, const char* needed, Function& function) const {
        function = reinterpret_cast<Function>(symbol(name, needed));
    }

    /// The same; null when it is too old.
    template <class Function> void find_optional(const char* name, Function& function) const {
        function = reinterpret_cast<Function>(optional_symbol(name));
    }

  private:
    void* optional_symbol(const char* name) const;
    void* symbol(const char* name, const char* needed) const;

    std::string user_, file_;
    void* library_;
};

} // namespace telemetry
