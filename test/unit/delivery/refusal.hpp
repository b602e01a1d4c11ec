// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include <gtest/gtest.h>

#include <ebpf_loader/error.hpp>

#include "telemetry/delivery/config.hpp"

/// Why a file of outputs with this text is refused; a failure of the test if it is not.
inline std::string outputs_refusal(const std::string& text, const std::string& file = "f") {
    try {
        telemetry::parse_outputs(text, file);
    } catch (const ebpf_loader::Error& error) {
        EXPECT_EQ(error.code(), ebpf_loader::ErrorCode::usage);
        return error.what();
    }
    ADD_FAILURE() << "not refused: " << text;
    return {};
}
