// SPDX-License-Identifier: MIT
// What most tests include besides.
#pragma once
#include "build-scripts/precompiled/standard.hpp"

#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
