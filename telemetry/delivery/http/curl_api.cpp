// SPDX-License-Identifier: MIT
#include "telemetry/delivery/http/curl_api.hpp"

#include "telemetry/delivery/shared_library.hpp"

namespace telemetry {

namespace {

#ifdef EBT_PORTABLE

CurlApi load() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return {::curl_easy_init,
            ::curl_easy_cleanup,
            ::curl_easy_setopt,
            ::curl_easy_getinfo,
            ::curl_easy_strerror,
            ::curl_slist_append,
            ::curl_slist_free_all,
            ::curl_multi_init,
            ::curl_multi_cleanup,
            ::curl_multi_add_handle,
            ::curl_multi_remove_handle,
            ::curl_multi_perform,
            ::curl_multi_poll,
            ::curl_multi_info_read,
            ::curl_url,
            ::curl_url_cleanup,
            ::curl_url_set,
            ::curl_url_get,
            ::curl_free};
}

#else

CurlApi load() {
    const SharedLibrary library("Output by HTTP", "libcurl.so.4", "libcurl4");
    const auto find = [&](const char* name, auto& function) { library.find(name, "libcurl 7.66", function); };
    decltype(&::curl_global_init) global_init = nullptr;
    find("curl_global_init", global_init);
    global_init(CURL_GLOBAL_DEFAULT);
    CurlApi api{};
    find("curl_easy_init", api.easy_init);
    find("curl_easy_cleanup", api.easy_cleanup);
    find("curl_easy_setopt", api.easy_setopt);
    find("curl_easy_getinfo", api.easy_getinfo);
    find("curl_easy_strerror", api.easy_strerror);
    find("curl_slist_append", api.slist_append);
    find("curl_slist_free_all", api.slist_free_all);
    find("curl_multi_init", api.multi_init);
    find("curl_multi_cleanup", api.multi_cleanup);
    find("curl_multi_add_handle", api.multi_add_handle);
    find("curl_multi_remove_handle", api.multi_remove_handle);
    find("curl_multi_perform", api.multi_perform);
    find("curl_multi_poll", api.multi_poll);
    find("curl_multi_info_read", api.multi_info_read);
    find("curl_url", api.url);
    find("curl_url_cleanup", api.url_cleanup);
    find("curl_url_set", api.url_set);
    find("curl_url_get", api.url_get);
    find("curl_free", api.free_memory);
    return api;
}

#endif

} // namespace

const CurlApi& curl_api() {
    static const CurlApi api = load(); // once, before the first thread that uses it
    return api;
}

} // namespace telemetry
