// SPDX-License-Identifier: MIT
#include "telemetry/delivery/config.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <sys/stat.h>
#include <utility>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/base/trusted_file.hpp"
#include "telemetry/delivery/kinds.hpp"
#include "telemetry/delivery/line_limit.hpp"

namespace telemetry {

namespace {

constexpr std::string_view common_options[] = {"kind", "format", "keys", "queue", "max_line"};
constexpr size_t largest_file = 1 << 20;
constexpr size_t usual_queue = 8 << 20;
constexpr size_t longest_name = 32;
constexpr std::string_view prefix = "output.";

constexpr const DeliveryKind* all_kinds[] = {
#define DELIVERY(name) &name##_delivery,
#include "telemetry/delivery/kinds.def"
#undef DELIVERY
};

/// Ledgers keep views of causes, and outputs live as long as the program.
std::string_view lasting(const std::string& text) {
    static std::set<std::string, std::less<>> texts;
    return *texts.insert(text).first;
}

bool is_name(std::string_view name) {
    const auto is_fine = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, is_fine);
}

const DeliveryKind& kind_of(const Settings& settings) {
    const std::string name = settings.required("kind");
    std::string names;
    std::vector<std::string_view> candidates;
    for (const DeliveryKind* kind : all_kinds) {
        if (kind->name == name)
            return *kind;
        names.append(names.empty() ? "" : ", ").append(kind->name);
        candidates.push_back(kind->name);
    }
    settings.refuse("kind", "is one of " + names + ", not " + in_quotes(name) + suggestion(name, candidates));
}

void refuse_unknown(const Settings& settings, const DeliveryKind& kind, const std::string& file) {
    std::vector<std::string_view> known(std::begin(common_options), std::end(common_options));
    known.insert(known.end(), kind.options.begin(), kind.options.end());
    for (const IniEntry& entry : settings.section().entries)
        if (!std::ranges::count(known, entry.key) &&
            (kind.option_prefix.empty() || !entry.key.starts_with(kind.option_prefix)))
            refuse_line(file, entry.line,
                        "an output of kind " + std::string(kind.name) + " has no option " +
                            in_quotes(entry.key) + suggestion(entry.key, known));
}

const Format& format_of(const Settings& settings, const DeliveryKind& kind) {
    const std::string name = settings.text("format");
    if (name.empty() || name == json_format.name)
        return json_format;
    if (kind.needs_json)
        settings.refuse("format", "has to be json for kind = " + std::string(kind.name));
    for (const Format* format : formats())
        if (format->name == name)
            return *format;
    settings.refuse("format", "is one of " + format_names() + ", not " + in_quotes(name));
}

/// Other formats have no place to say what was cut.
size_t max_line_of(const Settings& settings, const DeliveryKind& kind, const Format& format) {
    constexpr size_t usual = 32 << 10, most = 64 << 20;
    if (&format != &json_format) {
        if (settings.has("max_line"))
            settings.refuse("max_line", "is for format = json");
        return 0;
    }
    return settings.size("max_line", kind.longest_line ? kind.longest_line(settings) : usual,
                         LineLimit::least, most);
}

/// Which content a file has: a token or a certificate that has been replaced makes it another output.
std::string version_of(const std::string& file) {
    struct stat status {};
    if (stat(file.c_str(), &status) != 0)
        return {};
    std::string version;
    for (const auto number :
         {static_cast<int64_t>(status.st_ino), static_cast<int64_t>(status.st_size),
          static_cast<int64_t>(status.st_ctim.tv_sec), static_cast<int64_t>(status.st_ctim.tv_nsec)})
        version += " " + std::to_string(number);
    return version;
}

/// What tells a reload whether it is another output.
std::string text_of(const IniSection& section) {
    std::string text;
    for (const IniEntry& entry : section.entries) {
        const bool is_file = entry.key.ends_with("_file") || entry.key.ends_with(".location");
        text += entry.key + " = " + entry.value + (is_file ? version_of(entry.value) : "") + "\n";
    }
    return text;
}

OutputSettings output_of(const IniSection& section, const std::string& file, const std::string& host_root) {
    if (!section.name.starts_with(prefix))
        refuse_line(file, section.line,
                    "unknown section " + in_quotes(section.name) + "; outputs are [output.NAME]");
    const std::string name = section.name.substr(prefix.size());
    if (!is_name(name))
        refuse_line(file, section.line,
                    "an output's name has up to " + std::to_string(longest_name) +
                        " characters out of a-z, 0-9, _ and -, which " + in_quotes(name) + " has not");
    const Settings settings(file, section, host_root);
    const DeliveryKind& kind = kind_of(settings);
    refuse_unknown(settings, kind, file);
    constexpr size_t least = 64 << 10, most = size_t{4} << 30;
    const Format& format = format_of(settings, kind);
    return {name,
            kind.name,
            lasting("output_" + name),
            &format,
            settings.list("keys"),
            settings.size("queue", usual_queue, least, most),
            max_line_of(settings, kind, format),
            text_of(section),
            kind.prepare(settings)};
}

std::string contents(const std::string& file) {
    auto text = read_text_file(file, largest_file);
    if (!text || text->size() > largest_file)
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 "--output-config: " + file + " cannot be read, or is longer than 1 MiB");
    return std::move(*text);
}

void refuse_twice(const std::vector<OutputSettings>& outputs, const std::string& file) {
    std::set<std::string> names;
    for (const OutputSettings& output : outputs)
        if (!names.insert(output.name).second)
            throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                     file + ": there are two outputs " + in_quotes(output.name));
}

} // namespace

std::span<const DeliveryKind* const> delivery_kinds() {
    return all_kinds;
}

std::vector<OutputSettings> parse_outputs(std::string_view text, const std::string& file) {
    std::vector<OutputSettings> outputs;
    for (const IniSection& section : parse_ini(text, file))
        outputs.push_back(output_of(section, file, ""));
    refuse_twice(outputs, file);
    return outputs;
}

std::vector<OutputSettings> load_outputs(const std::vector<std::string>& files,
                                         const std::vector<FileSection>& sections,
                                         const std::string& host_root) {
    std::vector<OutputSettings> all;
    for (const auto& [file, section] : sections)
        all.push_back(output_of(section, file, host_root));
    for (const std::string& file : files) {
        require_trusted(file, "outputs");
        for (const IniSection& section : parse_ini(contents(file), file))
            all.push_back(output_of(section, file, host_root));
        refuse_twice(all, file);
    }
    return all;
}

} // namespace telemetry
