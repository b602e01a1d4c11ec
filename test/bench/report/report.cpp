// SPDX-License-Identifier: MIT
#include "test/bench/report/report.hpp"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace bench {

Report::Report(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
}

void Report::heading(const std::string& text) {
    markdown_ += (markdown_.empty() ? "# " : "\n## ") + text + "\n";
}

void Report::text(const std::string& paragraph) {
    markdown_ += "\n" + paragraph + "\n";
}

void Report::table(const Row& header, const std::vector<Row>& rows) {
    const auto line = [](const Row& cells) {
        std::string text = "|";
        for (const std::string& cell : cells)
            text += " " + cell + " |";
        return text + "\n";
    };
    markdown_ += "\n" + line(header) + "|";
    for (size_t i = 0; i < header.size(); i++)
        markdown_ += i == 0 ? "---|" : "---:|";
    markdown_ += "\n";
    for (const Row& row : rows)
        markdown_ += line(row);
}

void Report::write(const std::string& name, const std::string& content) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream file(path);
    if (!(file << content) || !file.flush())
        throw std::runtime_error("cannot write " + path);
}

void Report::save() {
    write("report.md", markdown_);
    write("raw.json", raw_.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string decimals(double value, int places) {
    char text[64];
    snprintf(text, sizeof(text), "%.*f", places, value);
    return text;
}

std::string with_commas(double value) {
    std::string digits = decimals(std::abs(value), 0);
    for (size_t at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, ",");
    return (std::round(value) < 0 ? "-" : "") + digits;
}

std::string with_sign(double value) {
    return (std::round(value) >= 0 ? "+" : "") + with_commas(value);
}

Json as_json(const Spread& spread) {
    return {{"median", spread.median},
            {"low", spread.low},
            {"high", spread.high},
            {"least", spread.least},
            {"most", spread.most}};
}

Json as_json(const Pairs& pairs) {
    return {{"without", pairs.without},
            {"with", pairs.with},
            {"ratio", as_json(pairs.ratio())},
            {"added", as_json(pairs.added())}};
}

} // namespace bench
