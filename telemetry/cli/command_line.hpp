// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "telemetry/base/refuse.hpp"
#include "telemetry/base/text/ini.hpp"
#include "telemetry/cli/options.hpp"

/// What the programs on this engine share of their command lines.
namespace telemetry::command_line {

namespace po = boost::program_options;

/// The options that every program has, as --help groups them; a program adds its own.
struct Groups {
    po::options_description events{"Events"};
    po::options_description kernel{"Kernel"};
    po::options_description run{"Run"};
    po::options_description other{"Other actions"};

    explicit Groups(const SinkKinds& sinks = common_sinks());
    po::options_description all() const;
    /// But for the other actions: what a file of options may have.
    po::options_description of_runs() const;
};

/// What the command line and the files of options have; the command line wins.
struct Parsed {
    po::variables_map values;
    std::string settings;              ///< all of it, as a file of options
    std::vector<FileSection> sections; ///< of the files, not looked into
};
/// `name`: of the files, in /etc, unless the command line names another. Throws ebpf_loader::Error(usage) on
/// what the groups do not know.
Parsed parse(int argc, const char* const argv[], const Groups& groups, const std::string& name);

/// The shared options, checked; the others keep their defaults.
/// Throws ebpf_loader::Error(usage).
Options shared_options(const Parsed& parsed, const SinkKinds& sinks = common_sinks());

std::optional<std::string> text_of(const po::variables_map& values, const char* name);

/// Without slashes at its end: files are looked for below it. Throws ebpf_loader::Error(usage) unless it
/// begins with one.
std::string folder_of(const po::variables_map& values, const char* name, const std::string& usual);

/// Throws ebpf_loader::Error(usage) but for a number from 0.001 to 1e9.
std::optional<std::chrono::milliseconds> seconds_of(const po::variables_map& values, const char* name);

/// Throws ebpf_loader::Error(usage) but for a whole number from 1 to `most`. `of` is what
/// the message calls it.
uint32_t whole_number(const char* option, const std::string& text, uint32_t most,
                      const char* of = "a number");

/// "0.1.0"
std::string version();

} // namespace telemetry::command_line
