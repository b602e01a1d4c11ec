// SPDX-License-Identifier: MIT
#include "telemetry/cli/settings_file.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/text/ini.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/base/trusted_file.hpp"

namespace telemetry::command_line {

namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr size_t largest_file = 1 << 20;

std::string contents(const std::string& file) {
    auto text = read_text_file(file, largest_file);
    if (!text || text->size() > largest_file)
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 file + ": this file of options cannot be read, or is longer than 1 MiB");
    return std::move(*text);
}

std::vector<IniEntry> entries_of(std::string_view text, const std::string& file) {
    std::vector<IniEntry> entries;
    for (const IniLine& line : ini_lines(text)) {
        const auto entry = ini_entry(line);
        if (!entry)
            refuse_line(file, line.number, "a line is OPTION = VALUE, not " + telemetry::quoted(line.text));
        entries.push_back(*entry);
    }
    return entries;
}

bool has(const po::options_description& options, const std::string& name) {
    const po::option_description* found = options.find_nothrow(name, false);
    return found && found->long_name() == name;
}

const po::option_description& description_of(const FileOptions& known, const IniEntry& entry,
                                             const std::string& file) {
    if (has(known.options, entry.key))
        return known.options.find(entry.key, false);
    if (has(known.commands, entry.key))
        refuse_line(file, entry.line, "the option " + entry.key + " is for the command line alone");
    std::vector<std::string_view> names;
    for (const auto& option : known.options.options())
        names.push_back(option->long_name());
    refuse_line(file, entry.line,
                "there is no option " + telemetry::quoted(entry.key) + suggestion(entry.key, names));
}

/// yes or no; neither: a value.
enum class Switch { on, off, neither };
Switch switch_of(const std::string& value) {
    for (const char* word : {"yes", "true", "on", "1"})
        if (value == word)
            return Switch::on;
    for (const char* word : {"no", "false", "off", "0"})
        if (value == word)
            return Switch::off;
    return Switch::neither;
}

/// One line of a file.
struct Line {
    po::option option;
    Setting setting;
    bool counts = true; ///< false: it says no
};

Line line_of(const FileOptions& known, const IniEntry& entry, const std::string& file) {
    const po::option_description& description = description_of(known, entry, file);
    Line line{po::option(entry.key, {}), {entry.value, file + ":" + std::to_string(entry.line)}};
    const Switch is = switch_of(entry.value);
    if (description.semantic()->max_tokens() == 0) {
        if (is == Switch::neither)
            refuse_line(file, entry.line,
                        "the option " + entry.key + " is yes or no, not " + telemetry::quoted(entry.value));
        line.setting.value.clear();
        line.counts = is == Switch::on;
        return line;
    }
    if (description.semantic()->min_tokens() == 0 && is != Switch::neither) { // its value may be left out
        line.setting.value.clear();
        line.counts = is == Switch::on;
        return line;
    }
    line.option.value = {entry.value};
    return line;
}

bool is_repeatable(const po::options_description& options, const std::string& name) {
    const auto* typed = dynamic_cast<const po::typed_value_base*>(options.find(name, false).semantic().get());
    return typed && typed->value_type() == typeid(Texts);
}

std::vector<Line> lines_of(const std::string& file, const FileOptions& known) {
    require_trusted(file, "options");
    std::vector<Line> lines;
    for (const IniEntry& entry : entries_of(contents(file), file)) {
        const bool is_again =
            std::ranges::any_of(lines, [&](const Line& line) { return line.option.string_key == entry.key; });
        lines.push_back(line_of(known, entry, file));
        if (is_again && !is_repeatable(known.options, entry.key))
            refuse_line(file, entry.line, telemetry::quoted(entry.key) + " is given twice");
    }
    return lines;
}

/// Of one file; what is there already stays.
void add_file(const std::string& file, const FileOptions& known, po::variables_map& values,
              Settings& settings) {
    Settings own;
    po::variables_map file_values;
    po::parsed_options parsed(&known.options);
    for (const Line& line : lines_of(file, known)) {
        std::vector<Setting>& all = own[line.option.string_key];
        if (!line.counts)
            continue;
        po::parsed_options alone(&known.options);
        alone.options.push_back(line.option);
        try {
            po::variables_map tried;
            po::store(alone, tried); // to know which line it is
        } catch (const po::error& error) {
            throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, line.setting.where + ": " + error.what());
        }
        all.push_back(line.setting);
        if (!settings.contains(line.option.string_key))
            parsed.options.push_back(line.option);
    }
    po::store(parsed, values);
    settings.merge(own);
}

} // namespace

std::vector<std::string> usual_files(const std::string& folder, const std::string& name) {
    const std::filesystem::path own = std::filesystem::path(folder) / name;
    std::error_code error;
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(own / "conf.d", error))
        if (entry.path().extension() == ".conf")
            files.push_back(entry.path());
    std::ranges::sort(files);
    if (const auto main = own / (name + ".conf"); std::filesystem::exists(main, error))
        files.insert(files.begin(), main);
    return files;
}

void add_files(const std::vector<std::string>& files, const FileOptions& known, po::variables_map& values,
               Settings& settings) {
    for (auto file = files.rbegin(); file != files.rend(); ++file)
        add_file(*file, known, values, settings);
}

std::string settings_text(const po::options_description& options, const Settings& settings) {
    std::string text;
    for (const auto& option : options.options()) {
        const std::string name = option->long_name();
        const auto found = settings.find(name);
        const bool is_switch = option->semantic()->max_tokens() == 0;
        if (found == settings.end()) {
            text += "# " + name + (is_switch ? " = no\n" : " =\n");
            continue;
        }
        for (const Setting& setting : found->second)
            text += "# " + setting.where + "\n" + name + " = " +
                    (setting.value.empty() ? "yes" : setting.value) + "\n";
        if (found->second.empty())
            text += name + " = no\n";
    }
    return text;
}

std::vector<std::string> changed_settings(std::string_view before, std::string_view now) {
    std::map<std::string, std::vector<std::string>> values[2];
    for (const bool is_now : {false, true})
        for (const IniLine& line : ini_lines(is_now ? now : before))
            if (const auto entry = ini_entry(line))
                values[is_now][entry->key].push_back(entry->value);
    std::vector<std::string> names;
    for (const auto& [name, own] : values[0])
        if (!values[1].contains(name))
            names.push_back(name);
    for (const auto& [name, own] : values[1])
        if (const auto found = values[0].find(name); found == values[0].end() || found->second != own)
            names.push_back(name);
    return names;
}

} // namespace telemetry::command_line
