// SPDX-License-Identifier: MIT
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "test/bench/report/charts.hpp"
#include "test/bench/report/statistics.hpp"

namespace bench {

using Json = nlohmann::ordered_json;

/// Grows into a folder with report.md, raw.json and the charts. Each part is written as soon
/// as it is there, so that a run that is broken off leaves what it has.
class Report {
  public:
    /// Makes the folder. Throws when it cannot.
    explicit Report(std::string folder);

    void heading(const std::string& text);
    void text(const std::string& paragraph);
    using Row = std::vector<std::string>;
    void table(const Row& header, const std::vector<Row>& rows);
    template <typename Chart> void chart(const Chart& chart, const std::string& name) {
        write(name + ".svg", draw(chart));
        text("![" + chart.title + "](" + name + ".svg)");
    }
    /// What raw.json says under this name.
    Json& raw(const std::string& part) { return raw_[part]; }
    void save();

    const std::string& folder() const { return folder_; }

  private:
    void write(const std::string& name, const std::string& content) const;

    std::string folder_;
    std::string markdown_;
    Json raw_;
};

/// For people: "+1,024", "0.97", "1.2 M".
std::string with_commas(double value);
std::string with_sign(double value);
std::string decimals(double value, int places);
Json as_json(const Spread& spread);
Json as_json(const Pairs& pairs);

} // namespace bench
