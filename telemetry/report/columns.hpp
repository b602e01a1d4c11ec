// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "telemetry/report/kind.hpp"
#include "telemetry/report/processes.hpp"
#include "telemetry/report/texts.hpp"

namespace telemetry::report {

/// Recorded events as a page has them: a table by column, in order of time, and their JSON in compressed
/// blocks.
class Columns {
  public:
    static constexpr size_t block_lines = 256;

    /// Takes a line of `-f json`. False if it is not an object with a time.
    bool add(std::string_view line);

    /// What the page reads, as JSON; page/model.js knows its members. `about` is passed on. Call it once.
    std::string finish(const nlohmann::json& about);

    size_t events() const { return rows_.size(); }
    /// The lines in the order of add(), raw deflate, block_lines in each. Complete after finish().
    const std::vector<std::string>& blocks() const { return blocks_; }

  private:
    struct Row {
        int64_t time;
        uint32_t line; ///< of all, in the order of add()
        int32_t process;
        uint32_t action, code, object, detail, error, user, key;
        uint32_t lost;
        Kind kind;
        bool failed;
    };

    void end_block();

    Texts texts_;
    Processes processes_{texts_};
    std::vector<Row> rows_;
    std::string block_;
    std::vector<std::string> blocks_;
};

/// Raw deflate (RFC 1951), as a browser's DecompressionStream("deflate-raw") takes it.
std::string deflated(std::string_view bytes);

} // namespace telemetry::report
