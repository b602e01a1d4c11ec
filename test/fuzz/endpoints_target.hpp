// SPDX-License-Identifier: MIT
// What must hold for any file of endpoints.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "imds/model/endpoints.hpp"
#include "telemetry/rules/rules.hpp"

namespace endpoints_fuzz {

using namespace telemetry::imds;

inline void fuzz_endpoints(std::string_view text) {
    try {
        Endpoints endpoints = Endpoints::parse(text, "fuzz");
        for (const Endpoint& endpoint : endpoints.all())
            if (endpoints.find(endpoint.address) != &endpoint) {
                std::fputs("broken: an endpoint is not found\n", stderr);
                std::abort();
            }
        const size_t before = endpoints.all().size();
        endpoints.add(Endpoints::parse(text, "fuzz"));
        if (endpoints.all().size() != before) {
            std::fputs("broken: the same endpoints are others\n", stderr);
            std::abort();
        }
    } catch (const telemetry::RuleError& error) {
        if (*error.what() == '\0')
            std::abort();
    }
}

} // namespace endpoints_fuzz
