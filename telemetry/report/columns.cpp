// SPDX-License-Identifier: MIT
#include "telemetry/report/columns.hpp"

#include <algorithm>
#include <new>
#include <zlib.h>

#include "telemetry/base/text/time.hpp"
#include "telemetry/recorded/fields.hpp"

namespace telemetry::report {

using nlohmann::json;

std::string deflated(std::string_view bytes) {
    z_stream stream{};
    constexpr int raw = -15, memory_level = 8;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        throw std::bad_alloc();
    std::string out;
    char piece[64 * 1024];
    constexpr size_t most = 1 << 30; // zlib counts in 32 bits
    do {
        const size_t count = std::min(bytes.size(), most);
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream.avail_in = static_cast<uInt>(count);
        bytes.remove_prefix(count);
        do {
            stream.next_out = reinterpret_cast<Bytef*>(piece);
            stream.avail_out = sizeof(piece);
            deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
            out.append(piece, sizeof(piece) - stream.avail_out);
        } while (stream.avail_out == 0);
    } while (!bytes.empty());
    deflateEnd(&stream);
    return out;
}

namespace {

std::string tags_of(const json& event) {
    const json* tags = field_at(event, "tags");
    return tags && tags->is_array() && !tags->empty() && tags->front().is_string()
               ? tags->front().get<std::string>()
               : std::string();
}

bool has_failed(const json& event) {
    return text_at(event, "event.outcome") == "failure";
}

} // namespace

bool Columns::add(std::string_view line) {
    const json event = json::parse(line, nullptr, false);
    const auto time = event.is_object() ? nanoseconds_of(text_at(event, "@timestamp")) : std::nullopt;
    if (!time)
        return false;
    Row row{};
    row.time = *time;
    row.line = static_cast<uint32_t>(rows_.size());
    row.kind = kind_of(event);
    row.process = processes_.take(event, *time);
    row.action = texts_.number_of(text_at(event, "event.action"));
    row.code = texts_.number_of(text_at(event, "event.code"));
    row.object = texts_.number_of(object_of(event, row.kind));
    row.detail = texts_.number_of(detail_of(event, row.kind));
    row.error = texts_.number_of(text_at(event, "error.code"));
    row.failed = has_failed(event);
    row.key = texts_.number_of(tags_of(event));
    if (const json* process = field_at(event, "process"); process && process->is_object())
        row.user = texts_.number_of(user_of(*process));
    if (row.user == 0 && row.process != no_process) // --fields compact says it once
        row.user = processes_.all()[static_cast<size_t>(row.process)].user;
    if (row.kind == Kind::loss)
        row.lost = static_cast<uint32_t>(
            std::clamp<int64_t>(number_at(event, "linux.telemetry.loss.count").value_or(0), 0, UINT32_MAX));
    rows_.push_back(row);
    block_.append(line).push_back('\n');
    if (rows_.size() % block_lines == 0)
        end_block();
    return true;
}

void Columns::end_block() {
    blocks_.push_back(deflated(block_));
    block_.clear();
}

std::string Columns::finish(const json& about) {
    if (!block_.empty())
        end_block();
    processes_.untangle();
    std::ranges::stable_sort(rows_, {}, &Row::time);
    const int64_t base = rows_.empty() ? 0 : rows_.front().time;
    json page = {{"about", about}, {"base", std::to_string(base)}, {"texts", texts_.all()}};
    const auto column = [&](const char* name, auto value) {
        json& values = page["events"][name] = json::array();
        values.get_ref<json::array_t&>().reserve(rows_.size());
        for (const Row& row : rows_)
            values.push_back(value(row));
    };
    column("time", [&](const Row& row) { return row.time - base; });
    column("line", [](const Row& row) { return row.line; });
    column("process", [](const Row& row) { return row.process; });
    column("kind", [](const Row& row) { return static_cast<int>(row.kind); });
    column("action", [](const Row& row) { return row.action; });
    column("code", [](const Row& row) { return row.code; });
    column("object", [](const Row& row) { return row.object; });
    column("detail", [](const Row& row) { return row.detail; });
    column("error", [](const Row& row) { return row.error; });
    column("failed", [](const Row& row) { return row.failed ? 1 : 0; });
    column("user", [](const Row& row) { return row.user; });
    column("key", [](const Row& row) { return row.key; });
    column("lost", [](const Row& row) { return row.lost; });
    json& processes = page["processes"] = json::array();
    const auto since_base = [&](const std::optional<int64_t>& time) {
        return time ? json(*time - base) : json();
    };
    for (const Processes::Process& one : processes_.all())
        processes.push_back({one.parent, one.pid, since_base(one.start), since_base(one.end), one.name,
                             one.executable, one.command, one.directory, one.user, one.container, one.runtime,
                             one.host, one.outcome, one.entity});
    return page.dump();
}

} // namespace telemetry::report
