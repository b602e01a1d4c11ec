// SPDX-License-Identifier: MIT
#include "telemetry/delivery/http/bulk_answer.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace telemetry {

namespace {

using nlohmann::json;
using Result = Answer::Result;

/// A document from the network: nothing that is nested deeply is built.
std::optional<json> parsed(std::string_view body) {
    constexpr int deepest = 8;
    const json::parser_callback_t keep = [](int depth, json::parse_event_t, json&) {
        return depth <= deepest;
    };
    json document = json::parse(body, keep, false);
    if (document.is_discarded())
        return std::nullopt;
    return document;
}

const json* member(const json& object, const char* key) {
    if (!object.is_object())
        return nullptr;
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

/// Of `{"create":{"status":201}}`, whatever the operation is called. 0: not known.
int64_t status_of(const json& item) {
    if (!item.is_object() || item.empty())
        return 0;
    const json* status = member(*item.begin(), "status");
    return status && status->is_number_integer() ? status->get<int64_t>() : 0;
}

Result result_of(int64_t status) {
    constexpr int64_t there_already = 409, too_many = 429, timed_out = 408;
    if ((status >= 200 && status < 300) || status == there_already)
        return Result::taken;
    const bool is_refused = status >= 400 && status < 500 && status != too_many && status != timed_out;
    return is_refused ? Result::refused : Result::again;
}

/// Protobuf's JSON has 64-bit numbers as strings, most programs as numbers.
uint64_t count_of(const json* value) {
    if (!value)
        return 0;
    if (value->is_number_unsigned())
        return value->get<uint64_t>();
    uint64_t count = 0;
    if (value->is_string()) {
        const auto& text = value->get_ref<const std::string&>();
        std::from_chars(text.data(), text.data() + text.size(), count);
    }
    return count;
}

} // namespace

Answer judge_bulk(std::string_view body, size_t items) {
    const auto document = parsed(body);
    const json* errors = document ? member(*document, "errors") : nullptr;
    if (!errors || !errors->is_boolean())
        return {Result::again, "the answer is not that of a bulk API", {}, {}};
    if (!errors->get<bool>())
        return {Result::taken, {}, {}, {}};
    const json* list = member(*document, "items");
    if (!list || !list->is_array() || list->size() != items)
        return {Result::again, "the answer has other items than the request", {}, {}};
    Answer answer{Result::taken, "some events were not taken", {}, {}};
    for (const json& item : *list)
        answer.items.push_back(result_of(status_of(item)));
    const bool is_nothing =
        std::ranges::all_of(answer.items, [](Result result) { return result == Result::again; });
    return is_nothing ? Answer{Result::again, "no event was taken", {}, {}} : answer;
}

Answer judge_otlp(std::string_view body, size_t items) {
    const auto document = parsed(body);
    const json* partial = document ? member(*document, "partialSuccess") : nullptr;
    const uint64_t rejected =
        partial ? std::min<uint64_t>(count_of(member(*partial, "rejectedLogRecords")), items) : 0;
    Answer answer{Result::taken, {}, {}, {}};
    if (rejected == 0)
        return answer;
    answer.error = std::to_string(rejected) + " records were rejected";
    answer.items.assign(items, Result::taken);
    std::fill_n(answer.items.begin(), rejected, Result::refused);
    return answer;
}

std::optional<uint64_t> splunk_acknowledgement(std::string_view body) {
    const auto document = parsed(body);
    const json* id = document ? member(*document, "ackId") : nullptr;
    if (!id || !id->is_number_unsigned())
        return std::nullopt;
    return id->get<uint64_t>();
}

bool is_splunk_acknowledged(std::string_view body) {
    const auto document = parsed(body);
    const json* acks = document ? member(*document, "acks") : nullptr;
    return acks && acks->is_object() && acks->size() == 1 && acks->begin()->is_boolean() &&
           acks->begin()->get<bool>();
}

} // namespace telemetry
