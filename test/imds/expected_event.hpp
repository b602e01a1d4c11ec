// SPDX-License-Identifier: MIT
// Whole events, as they have to be.
#pragma once
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "test/imds/metadata_network.hpp"

/// A request and its answer, and what has to be reported of them.
struct Expected {
    std::string method = "GET";
    std::string path;
    std::string query; ///< as shown
    std::string host = "169.254.169.254";
    std::string address = "169.254.169.254"; ///< of the endpoint
    std::string user_agent;
    uint64_t sent_body = 0;

    int status = 200; ///< 0: no response
    std::string mime = "text/plain";
    uint64_t received_body = 0;

    std::string provider = "aws";
    nlohmann::json imds; ///< linux.imds, without provider and netns
};

/// Who asks, in the network's namespace.
struct Asker {
    pid_t pid = 0;
    std::string executable;
    std::vector<std::string> args;
    std::vector<pid_t> between = {}; ///< processes between it and the test, which it descends from
    bool is_thread = false;          ///< not the first one of its process
    std::string name = {};           ///< if it is not that of the executable
};

/// What an event that was reported has to be, but for what `without_volatile` takes out.
nlohmann::json expected_request(const Expected& expected, const Asker& asker, const MetadataNetwork& network,
                                const std::string& tier);
nlohmann::json expected_connection(const Expected& expected, const Asker& asker,
                                   const MetadataNetwork& network, const std::string& tier,
                                   const std::string& content, uint64_t sent, uint64_t received);

/// Checks what cannot be known beforehand (times, ports, ids made of times) and takes it out.
nlohmann::json without_volatile(nlohmann::json event);

/// The same but for what is volatile; prints what differs.
void expect_event(const nlohmann::json& event, nlohmann::json expected);
