// SPDX-License-Identifier: MIT
#include "telemetry/output/json/line.hpp"

#include "telemetry/event/facts.hpp"

namespace telemetry {

std::string json_escaped(std::string_view bytes) {
    LineBuffer line;
    put_json_escaped(line, bytes);
    return std::string(line.view());
}

void put_json_strings(JsonLine& line, const FieldName& name, std::string_view list) {
    FieldName item = name;
    item.index = 0;
    line.put('[');
    for (std::string_view strings = list; !strings.empty(); ++item.index) {
        if (item.index)
            line.put(',');
        line.put_string(item, next_string(strings));
    }
    line.put(']');
}

} // namespace telemetry
