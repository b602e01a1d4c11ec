// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Reads audit records back, by what docs/output.md says and nothing else; stricter than any of the tools.
namespace audit_records {

struct Record {
    std::string type;
    std::string stamp; ///< "1763759765.000:17"
    std::vector<std::pair<std::string, std::string>> fields;
    std::string names; ///< what stands behind the byte 0x1d

    const std::string& field(std::string_view name) const {
        for (const auto& [key, value] : fields)
            if (key == name)
                return value;
        throw std::runtime_error(type + " has no field " + std::string(name));
    }
    bool has(std::string_view name) const {
        return std::ranges::any_of(fields, [&](const auto& field) { return field.first == name; });
    }
};

constexpr size_t longest_line = 8969; ///< what ausearch reads at a time, of its 8,970

inline std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (; digits.size() >= 2; digits.remove_prefix(2)) {
        if (digits.substr(0, 2).find_first_not_of("0123456789ABCDEF") != std::string_view::npos)
            throw std::runtime_error("no hexadecimal: " + std::string(digits));
        bytes.push_back(static_cast<char>(std::stoi(std::string(digits.substr(0, 2)), nullptr, 16)));
    }
    if (!digits.empty())
        throw std::runtime_error("half a byte: " + std::string(digits));
    return bytes;
}

/// The bytes of a string: what stands between its quotes, or its hexadecimal digits.
inline std::string bytes_of(const std::string& value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        return value.substr(1, value.size() - 2);
    return from_hex(value);
}

class Parser {
  public:
    explicit Parser(std::string_view line) : rest_(line) {}

    Record record() {
        Record record;
        expect("type=");
        record.type = take([](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
        expect(" msg=audit(");
        record.stamp = take(is_digit);
        expect(".");
        const std::string fraction = take(is_digit);
        expect(":");
        record.stamp += '.' + fraction + ':' + take(is_digit);
        if (fraction.size() != 3)
            fail("milliseconds have three digits");
        expect("):");
        while (next(" "))
            put_field(record);
        if (next("\035")) {
            record.names = take([](char c) { return c >= ' ' && c <= '~'; });
            if (record.names.empty())
                fail("no names");
        }
        if (!rest_.empty())
            fail("something behind the record");
        return record;
    }

  private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    void put_field(Record& record) {
        std::string name = take(
            [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '[' || c == ']'; });
        expect("=");
        if (name == "msg" && next("'")) { // fields inside quotes
            do
                put_field(record);
            while (next(" "));
            expect("'");
            return;
        }
        std::string value;
        if (next("\"")) {
            value = '"' + take([](char c) { return c > ' ' && c <= '~' && c != '"'; }) + '"';
            expect("\"");
        } else {
            value = take([](char c) { return c > ' ' && c <= '~' && c != '"' && c != '\''; });
            if (value.empty())
                fail("no value");
        }
        record.fields.emplace_back(std::move(name), std::move(value));
    }
    bool next(std::string_view text) {
        if (!rest_.starts_with(text))
            return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    void expect(std::string_view text) {
        if (!next(text))
            fail("expected " + std::string(text));
    }
    template <class Is> std::string take(Is is) {
        const auto end = std::ranges::find_if_not(rest_, is);
        std::string taken(rest_.begin(), end);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error(what + " at: " + std::string(rest_.substr(0, 80)));
    }

    std::string_view rest_;
};

/// The records of one event. Throws if they are not one, or if one of them is too long.
inline std::vector<Record> parse(std::string_view lines) {
    std::vector<Record> records;
    while (!lines.empty()) {
        const size_t end = lines.find('\n');
        if (end == std::string_view::npos)
            throw std::runtime_error("a line without an end");
        if (end + 1 > longest_line)
            throw std::runtime_error("a record of " + std::to_string(end) + " bytes");
        records.push_back(Parser(lines.substr(0, end)).record());
        if (records.back().stamp != records.front().stamp)
            throw std::runtime_error("two events");
        lines.remove_prefix(end + 1);
    }
    const bool is_single = records.size() == 1 &&
                           (records.front().type == "TRUSTED_APP" || records.front().type == "DAEMON_ERR");
    if (!is_single && (records.empty() || records.back().type != "EOE"))
        throw std::runtime_error("an event without an end");
    return records;
}

/// The arguments of all EXECVE records, put together again.
inline std::vector<std::string> arguments(const std::vector<Record>& records) {
    std::vector<std::string> all;
    for (const Record& record : records) {
        if (record.type != "EXECVE")
            continue;
        for (const auto& [name, value] : record.fields) {
            if (name == "argc" || name.ends_with("_len"))
                continue;
            const size_t index = std::stoul(name.substr(1));
            all.resize(std::max(all.size(), index + 1));
            all[index] += bytes_of(value);
        }
    }
    return all;
}

} // namespace audit_records
