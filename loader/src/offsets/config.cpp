// SPDX-License-Identifier: LGPL-2.1
// The offsets config: written by get_offsets, readable and editable by people.
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>

#include "loader/src/base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ostream>
#include <utility>

namespace ebpf_loader {
namespace {

constexpr size_t largest_config = 1 << 20;
constexpr std::string_view any_release = "any";

class ConfigReader {
  public:
    explicit ConfigReader(const std::string& file) : file_(file) {}

    Offsets read() {
        const std::string text = read_all();
        if (text.size() > largest_config)
            throw Error(ErrorCode::offsets, file_ + " is not an offsets config: it is larger than 1 MiB.");
        std::string_view rest = text;
        while (!rest.empty()) {
            const size_t end = rest.find('\n');
            ++number_;
            line_ = rest.substr(0, end);
            rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
            read_line();
        }
        require_complete();
        offsets_.source = "config " + file_;
        return std::move(offsets_);
    }

  private:
    std::string read_all() const {
        std::optional<std::string> text = read_file(file_, largest_config + 1);
        if (!text)
            throw Error(ErrorCode::offsets,
                        "Cannot read the offsets config " + file_ + ": " + std::strerror(errno) + ".",
                        ErrorCause::config_unreadable);
        return std::move(*text);
    }

    void read_line() {
        const std::string_view content = trim(line_.substr(0, line_.find('#')));
        if (content.empty())
            return;
        const size_t equals = content.find('=');
        if (equals == content.npos)
            fail("expected `struct.member = offset`");
        const std::string_view key = trim(content.substr(0, equals));
        const std::string_view value = trim(content.substr(equals + 1));
        if (key == "release")
            set_release(value);
        else if (std::optional<size_t> row = Offsets::find(key))
            set_offset(*row, value);
        else
            fail("unknown field");
    }

    void set_release(std::string_view value) {
        if (std::exchange(has_release_, true))
            fail("the release is given twice; keep one");
        if (value.empty() || value.find_first_of(" \t\r") != value.npos)
            fail("expected the kernel release as uname -r prints it, or `any`");
        if (value != any_release)
            offsets_.release = value;
    }

    void set_offset(size_t row, std::string_view value) {
        if (std::exchange(given_[row], 1))
            fail("this field is given twice; keep one");
        if (value == "absent") {
            if (offset_rows()[row].required)
                fail("this field is required, it cannot be absent");
            return;
        }
        offsets_.set(row, parse_number(value));
    }

    uint32_t parse_number(std::string_view text) const {
        const bool hex = text.starts_with("0x") || text.starts_with("0X");
        const std::string_view digits = hex ? text.substr(2) : text;
        uint32_t number = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
        if (error != std::errc() || end != digits.data() + digits.size())
            fail("expected a number of bytes such as 1234 or 0x4d2, or `absent`");
        return number;
    }

    void require_complete() const {
        std::string missing = has_release_ ? "" : "\n  release";
        for (size_t row = 0; row < offset_rows().size(); ++row)
            if (offset_rows()[row].required && !given_[row])
                missing += "\n  " + std::string(offset_rows()[row].structure) + "." +
                           std::string(offset_rows()[row].member);
        if (!missing.empty())
            throw Error(ErrorCode::offsets,
                        file_ + ":" + std::to_string(number_) + ": the file ends without" + missing,
                        ErrorCause::config_incomplete);
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ErrorCode::offsets,
                    file_ + ":" + std::to_string(number_) + ": " + what + "\n    " + printable(line_, 120),
                    ErrorCause::config_line);
    }

    std::string file_;
    std::string_view line_;
    size_t number_ = 0;
    Offsets offsets_;
    bool has_release_ = false;
    std::vector<char> given_ = std::vector<char>(offset_rows().size(), 0);
};

} // namespace

Offsets Offsets::from_config(const std::string& file) {
    return ConfigReader(file).read();
}

void Offsets::write_config(std::ostream& out) const {
    out << "# Offsets of kernel fields for ebpf_telemetry, in bytes from the start of the structure.\n"
        << "# Source: " << printable(source) << "\n"
        << "release = " << (release.empty() ? any_release : std::string_view(release)) << "\n\n";
    for (size_t row = 0; row < values_.size(); ++row) {
        const OffsetRow& names = offset_rows()[row];
        std::string line = std::string(names.structure) + "." + std::string(names.member) + " = ";
        line += values_[row] ? std::to_string(*values_[row]) : "absent";
        constexpr size_t comment_column = 40;
        if (!names.comment.empty()) {
            line.resize(std::max(line.size() + 1, comment_column), ' ');
            line += "# " + std::string(names.comment);
        }
        out << line << "\n";
    }
}

} // namespace ebpf_loader
