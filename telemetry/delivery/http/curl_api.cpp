// SPDX-License-Identifier: MIT
#include "telemetry/delivery/http/curl_api.hpp"

#include <dlfcn.h>
#include <string>

#include <ebpf_loader/error.hpp>

namespace telemetry {

namespace {

#ifdef EBT_PORTABLE

CurlApi load() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return {::curl_easy_init,     ::curl_easy_cleanup,     ::curl_easy_setopt,         ::curl_easy_getinfo,
            ::curl_easy_strerror, ::curl_slist_append,     ::curl_slist_free_all,      ::curl_multi_init,
            ::curl_multi_cleanup, ::curl_multi_add_handle, ::curl_multi_remove_handle, ::curl_multi_perform,
            ::curl_multi_poll,    ::curl_multi_info_read};
}

#else

constexpr const char* library_name = "libcurl.so.4";

template <class Function> void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (!function)
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, std::string("kind = http: ") + library_name +
                                                                    " has no function " + name +
                                                                    ": libcurl 7.66 or newer is needed");
}

CurlApi load() {
    void* const library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 std::string("kind = http needs libcurl, which cannot be loaded: ") +
                                     dlerror() + ". Install it, on Debian the package libcurl4");
    decltype(&::curl_global_init) global_init = nullptr;
    find(library, "curl_global_init", global_init);
    global_init(CURL_GLOBAL_DEFAULT);
    CurlApi api{};
    find(library, "curl_easy_init", api.easy_init);
    find(library, "curl_easy_cleanup", api.easy_cleanup);
    find(library, "curl_easy_setopt", api.easy_setopt);
    find(library, "curl_easy_getinfo", api.easy_getinfo);
    find(library, "curl_easy_strerror", api.easy_strerror);
    find(library, "curl_slist_append", api.slist_append);
    find(library, "curl_slist_free_all", api.slist_free_all);
    find(library, "curl_multi_init", api.multi_init);
    find(library, "curl_multi_cleanup", api.multi_cleanup);
    find(library, "curl_multi_add_handle", api.multi_add_handle);
    find(library, "curl_multi_remove_handle", api.multi_remove_handle);
    find(library, "curl_multi_perform", api.multi_perform);
    find(library, "curl_multi_poll", api.multi_poll);
    find(library, "curl_multi_info_read", api.multi_info_read);
    return api;
}

#endif

} // namespace

const CurlApi& curl_api() {
    static const CurlApi api = load(); // once, before the first thread that uses it
    return api;
}

} // namespace telemetry
