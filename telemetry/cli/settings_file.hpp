// SPDX-License-Identifier: MIT
// Files with options: /etc/ebpf-telemetry/ebpf-telemetry.conf, and those of conf.d beside it.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options.hpp>

#include "telemetry/base/text/ini.hpp"

namespace telemetry::command_line {

/// An option as a file or the command line has it.
struct Setting {
    std::string value; ///< empty: it takes none
    std::string where; ///< "FILE:LINE", "command line"
};
/// By the option's long name; those that may be given more than once, in order.
using Settings = std::map<std::string, std::vector<Setting>, std::less<>>;

/// The files of a program in a folder such as /etc, in the order in which they count: FOLDER/NAME/NAME.conf,
/// then FOLDER/NAME/conf.d/*.conf by name. Those that are there.
std::vector<std::string> usual_files(const std::string& folder, const std::string& name);

/// A folder of rules, such as /etc/ebpf-telemetry/rules.d, if it has files *.rules that are not hidden; else
/// none.
std::optional<std::string> usual_rules(const std::string& folder);

/// Those that may stand in a file, and those that do not: they say what the program shall do instead of a
/// run, or where files are.
struct FileOptions {
    const boost::program_options::options_description& options;
    const boost::program_options::options_description& commands;
};

/// Adds what the files have to `values`, which may have options of the command line: those win, and of files
/// the later. `settings` gets all that counts. Returns the sections, of several with the same name that of
/// the latest file, as a whole. Throws ebpf_loader::Error(usage) with file and line.
std::vector<FileSection> add_files(const std::vector<std::string>& files, const FileOptions& known,
                                   boost::program_options::variables_map& values, Settings& settings);

/// All options that may stand in a file, with their values and where those are from, and the sections, as a
/// file that says the same.
std::string settings_text(const boost::program_options::options_description& options,
                          const Settings& settings, const std::vector<FileSection>& sections = {});

/// The names of the options and sections that differ in two such texts, but for where they are from.
std::vector<std::string> changed_settings(std::string_view before, std::string_view now);

} // namespace telemetry::command_line
