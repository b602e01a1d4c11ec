// SPDX-License-Identifier: MIT
#include "telemetry/recorded/fields.hpp"

namespace telemetry {

using nlohmann::json;

const json* field_at(const json& event, std::string_view name) {
    const json* value = &event;
    while (value->is_object()) {
        const size_t dot = name.find('.');
        const auto member = value->find(name.substr(0, dot));
        if (member == value->end())
            return nullptr;
        value = &*member;
        if (dot == std::string_view::npos)
            return value;
        name.remove_prefix(dot + 1);
    }
    return nullptr;
}

std::string text_at(const json& event, std::string_view name) {
    const json* value = field_at(event, name);
    if (!value)
        return {};
    if (value->is_string())
        return value->get_ref<const std::string&>();
    return value->is_number() || value->is_boolean() ? value->dump() : std::string();
}

std::optional<int64_t> number_at(const json& event, std::string_view name) {
    const json* value = field_at(event, name);
    if (!value || !value->is_number_integer())
        return std::nullopt;
    return value->get<int64_t>();
}

} // namespace telemetry
