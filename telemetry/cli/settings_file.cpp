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
                "there is no option " + in_quotes(entry.key) + suggestion(entry.key, names));
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
                        "the option " + entry.key + " is yes or no, not " + in_quotes(entry.value));
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

std::vector<Line> lines_of(const std::vector<IniEntry>& entries, const std::string& file,
                           const FileOptions& known) {
    std::vector<Line> lines;
    for (const IniEntry& entry : entries) {
        const bool is_again =
            std::ranges::any_of(lines, [&](const Line& line) { return line.option.string_key == entry.key; });
        lines.push_back(line_of(known, entry, file));
        if (is_again && !is_repeatable(known.options, entry.key))
            refuse_line(file, entry.line, in_quotes(entry.key) + " is given twice");
    }
    return lines;
}

/// Of one file; what is there already stays.
void add_entries(const std::vector<IniEntry>& entries, const std::string& file, const FileOptions& known,
                 po::variables_map& values, Settings& settings) {
    Settings own;
    po::variables_map file_values;
    po::parsed_options parsed(&known.options);
    for (const Line& line : lines_of(entries, file, known)) {
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

/// The same.
void add_sections(std::vector<IniSection>&& found, const std::string& file,
                  std::vector<FileSection>& sections) {
    const size_t others = sections.size();
    for (IniSection& section : found) {
        const auto has_name = [&](const FileSection& other) { return other.section.name == section.name; };
        const auto same = std::ranges::find_if(sections, has_name);
        if (same == sections.end())
            sections.push_back({file, std::move(section)});
        else if (same >= sections.begin() + static_cast<ptrdiff_t>(others))
            refuse_line(file, section.line, "there are two sections [" + section.name + "]");
    }
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

std::optional<std::string> usual_rules(const std::string& folder) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with('.') && name.ends_with(".rules"))
            return folder;
    }
    return std::nullopt;
}

std::vector<FileSection> add_files(const std::vector<std::string>& files, const FileOptions& known,
                                   po::variables_map& values, Settings& settings) {
    std::vector<FileSection> sections;
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
        require_trusted(*file, "options");
        IniFile ini = parse_ini_file(contents(*file), *file);
        add_entries(ini.entries, *file, known, values, settings);
        add_sections(std::move(ini.sections), *file, sections);
    }
    return sections;
}

std::string settings_text(const po::options_description& options, const Settings& settings,
                          const std::vector<FileSection>& sections) {
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
    for (const auto& [file, section] : sections) {
        text += "\n# " + file + ":" + std::to_string(section.line) + "\n[" + section.name + "]\n";
        for (const IniEntry& entry : section.entries)
            text += entry.key + " = " + entry.value + "\n";
    }
    return text;
}

namespace {

using Values = std::map<std::string, std::vector<std::string>>;

Values values_of(std::string_view text) {
    Values values;
    const IniFile ini = parse_ini_file(text, "options");
    for (const IniEntry& entry : ini.entries)
        values[entry.key].push_back(entry.value);
    for (const IniSection& section : ini.sections) {
        std::vector<std::string>& lines = values["[" + section.name + "]"];
        for (const IniEntry& entry : section.entries)
            lines.push_back(entry.key + " = " + entry.value);
    }
    return values;
}

} // namespace

std::vector<std::string> changed_settings(std::string_view before, std::string_view now) {
    const Values earlier = values_of(before), later = values_of(now);
    std::vector<std::string> names;
    for (const auto& [name, own] : earlier)
        if (!later.contains(name))
            names.push_back(name);
    for (const auto& [name, own] : later)
        if (const auto found = earlier.find(name); found == earlier.end() || found->second != own)
            names.push_back(name);
    return names;
}

} // namespace telemetry::command_line
