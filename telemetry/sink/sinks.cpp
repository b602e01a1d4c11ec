// SPDX-License-Identifier: MIT
#include "telemetry/sink/sinks.hpp"

#include <utility>

namespace telemetry {

namespace {

std::vector<std::string> targets_of_first_option(const SinkKind& kind, const SinkArguments& arguments) {
    const SinkOption& option = kind.options.front();
    const std::string_view name(option.name);
    const std::string_view long_name = name.substr(0, name.find(','));
    if (option.value)
        return arguments.values(long_name);
    return std::vector<std::string>(arguments.has(long_name) ? 1 : 0);
}

} // namespace

void SinkArguments::add(std::string_view option, std::vector<std::string> values) {
    values_.emplace(option, std::move(values));
}

const std::vector<std::string>& SinkArguments::values(std::string_view option) const {
    static const std::vector<std::string> none;
    const auto found = values_.find(option);
    return found == values_.end() ? none : found->second;
}

SinkKinds common_sinks() {
    return {
#define SINK(name) &name##_sink,
#include "telemetry/sink/sinks.def"
#undef SINK
    };
}

std::string Destination::name() const {
    std::string name(kind->name);
    return target.empty() ? name : name + " " + target;
}

std::vector<Destination> destinations(const SinkKinds& kinds, const SinkArguments& arguments) {
    std::vector<Destination> wanted;
    for (const SinkKind* kind : kinds)
        for (std::string& target :
             kind->targets ? kind->targets(arguments) : targets_of_first_option(*kind, arguments))
            wanted.push_back({kind, std::move(target)});
    return wanted;
}

} // namespace telemetry
