// SPDX-License-Identifier: MIT
#include "telemetry/output/json/line.hpp"

namespace telemetry {

std::string json_escaped(std::string_view bytes) {
    LineBuffer line;
    put_json_escaped(line, bytes);
    return std::string(line.view());
}

} // namespace telemetry
