// SPDX-License-Identifier: MIT
// What the clouds document how to ask, and what has to be reported of it.
#pragma once
#include <string>
#include <vector>

#include "test/imds/expected_event.hpp"

struct Request {
    Expected expected; ///< but for user agent, host and address
    std::string target;
    std::vector<std::string> headers;
};

struct Service {
    std::string name;
    std::vector<std::string> addresses;
    std::vector<Request> requests;
};

const std::vector<Service>& services();

/// The same event, as it is for a client that asks at this address.
Expected at_address(const Request& request, const std::string& address, const std::string& user_agent);

/// "http://[fd00::1]/target"
std::string url_of(const std::string& address, const std::string& target);

/// Command lines as they are shown.
std::vector<std::string> scrubbed(std::vector<std::string> args);
