// SPDX-License-Identifier: MIT
#include "telemetry/delivery/line_limit.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace telemetry {

namespace {

/// Shorter texts are ids, names and numbers, and stay.
constexpr size_t shortest_cut = 96;
constexpr int deepest = 32;

/// Of one character between quotation marks, however it is written.
size_t character_size(std::string_view text) {
    constexpr size_t escape = 2, code_unit = 6;
    const auto first = static_cast<unsigned char>(text[0]);
    size_t size = 1;
    if (first == '\\') {
        size = text.size() > 1 && text[1] == 'u' ? code_unit : escape;
        const bool is_pair = size == code_unit && text.size() >= 2 * code_unit && (text[2] | 0x20) == 'd' &&
                             text[3] >= '8' && text[code_unit] == '\\'; // \ud83d\ude00
        if (is_pair)
            size = 2 * code_unit;
    } else if (first >= 0xf0) {
        size = 4;
    } else if (first >= 0xe0) {
        size = 3;
    } else if (first >= 0xc0) {
        size = 2;
    }
    return std::min(size, text.size());
}

/// As many whole characters as fit.
std::string_view characters(std::string_view text, size_t most) {
    size_t end = 0;
    while (end < text.size()) {
        const size_t next = end + character_size(text.substr(end));
        if (next > most)
            break;
        end = next;
    }
    return text.substr(0, end);
}

/// How many bytes it was before it was escaped.
size_t plain_size(std::string_view text) {
    size_t size = 0;
    while (!text.empty()) {
        const size_t written = character_size(text);
        if (text[0] != '\\')
            size += written;
        else if (written == 12)
            size += 4;
        else if (written != 6)
            size += 1;
        else // U+00..: hexadecimal digits tell how long it is in UTF-8
            size += text[2] != '0' || text[3] > '7' ? 3 : text[3] != '0' || text[4] > '7' ? 2 : 1;
        text.remove_prefix(written);
    }
    return size;
}

/// The end of the string whose inside begins at `at`: its quotation mark.
size_t end_of_string(std::string_view line, size_t at) {
    while (at < line.size() && line[at] != '"')
        at += line[at] == '\\' ? 2 : 1;
    return std::min(at, line.size());
}

/// The end of an element of an array, or of a member's value: a comma, or what closes.
size_t end_of_value(std::string_view line, size_t at) {
    for (int depth = 0; at < line.size(); ++at) {
        const char c = line[at];
        if (c == '"')
            at = end_of_string(line, at + 1);
        else if (c == '{' || c == '[')
            ++depth;
        else if ((c == '}' || c == ']') && depth-- == 0)
            break;
        else if (c == ',' && depth == 0)
            break;
    }
    return std::min(at, line.size());
}

bool is_argument(std::string_view name) {
    constexpr std::string_view arguments[] = {"args", "argv", "env_vars", "command_line", "title"};
    const std::string_view leaf = name.substr(name.rfind('.') + 1);
    return name == "linux.telemetry.raw" || std::ranges::count(arguments, leaf) > 0;
}

} // namespace

/// Finds in a line what can be cut, and where to note it.
class LineLimit::Scan {
  public:
    Scan(std::string_view line, std::vector<Part>& parts) : line_(line), parts_(parts) {}

    /// False when the line is no object as formatters make them.
    bool run() { return value(0) && at_ + 1 >= line_.size(); }
    const Place& place() const { return place_; }

  private:
    bool is_at(char c) const { return at_ < line_.size() && line_[at_] == c; }

    bool value(int depth) {
        if (depth > deepest || at_ >= line_.size())
            return false;
        if (is_at('"'))
            return string();
        if (is_at('{'))
            return object(depth);
        if (is_at('['))
            return array(depth);
        at_ = end_of_value(line_, at_);
        return true;
    }

    bool string() {
        const size_t begin = at_ + 1, end = end_of_string(line_, begin);
        at_ = end + 1;
        if (end - begin > shortest_cut && name_ != "event.id")
            parts_.push_back({begin, end, false, is_argument(name_), name_});
        return end < line_.size();
    }

    bool object(int depth) {
        note_place("linux", 1);
        note_place("linux.telemetry", 2);
        const size_t outer = name_.size();
        ++at_;
        while (is_at('"')) {
            const size_t begin = at_ + 1, end = end_of_string(line_, begin);
            if (outer > 0)
                name_ += '.';
            name_.append(line_, begin, end - begin);
            at_ = end + 2; // the quotation mark and the colon
            if (!value(depth + 1))
                return false;
            name_.resize(outer);
            if (is_at(','))
                ++at_;
        }
        return is_at('}') && ++at_;
    }

    bool array(int depth) {
        note_place("linux.telemetry.truncated", 3);
        const size_t begin = ++at_;
        if (is_at('"') || name_ == "linux.telemetry.raw") {
            while (at_ < line_.size() && !is_at(']')) {
                at_ = end_of_value(line_, at_);
                at_ += is_at(',');
            }
            if (at_ - begin > shortest_cut)
                parts_.push_back({begin, at_, true, is_argument(name_), name_});
            return is_at(']') && ++at_;
        }
        const size_t outer = name_.size();
        for (size_t index = 0; at_ < line_.size() && !is_at(']'); ++index) {
            name_.append("[").append(std::to_string(index)).append("]");
            if (!value(depth + 1))
                return false;
            name_.resize(outer);
            at_ += is_at(',');
        }
        return is_at(']') && ++at_;
    }

    void note_place(std::string_view name, int depth) {
        if (name_ != name)
            return;
        place_ = {
            depth, at_ + 1, at_ + 1 < line_.size() && (line_[at_ + 1] == '}' || line_[at_ + 1] == ']'), {}};
        if (depth == 3)
            place_.listed = line_.substr(at_, end_of_value(line_, at_) - at_);
    }

    const std::string_view line_;
    std::vector<Part>& parts_;
    size_t at_ = 0;
    std::string name_;
    Place place_;
};

std::string_view LineLimit::shortened(std::string_view line) {
    parts_.clear();
    Scan scan(line, parts_);
    if (!scan.run())
        return line; // not made by a formatter: nothing is known of it
    Place place = scan.place();
    if (place.depth == 0)
        place.at = line.rfind('}');
    constexpr size_t frame = sizeof(R"(,"linux":{"telemetry":{"truncated":[]}})");
    constexpr size_t note_size = sizeof(R"(,{"field":"","original_length":12345678})");
    size_t excess = line.size() + frame - most_, of_arguments = 0;
    for (const Part& part : parts_) {
        excess += note_size + part.name.size();
        of_arguments += part.is_argument ? part.size() : 0;
    }
    const size_t cap_of_arguments = cap(true, excess);
    const size_t cap_of_others = cap(false, excess - std::min(excess, of_arguments));

    line_.clear();
    notes_.clear();
    size_t done = 0;
    const auto limit_of = [&](const Part& part) {
        return part.is_argument ? cap_of_arguments : cap_of_others;
    };
    for (const Part& part : parts_)
        if (part.size() > limit_of(part) &&
            place.listed.find("\"field\":\"" + part.name + '"') == std::string_view::npos)
            note(line, part);
    const auto copy_to = [&](size_t end) {
        if (done <= place.at && place.at < end) {
            line_.append(line, done, place.at - done);
            put_notes(place);
            done = place.at;
        }
        line_.append(line, done, end - done);
        done = end;
    };
    for (const Part& part : parts_) {
        if (part.size() <= limit_of(part))
            continue;
        copy_to(part.begin);
        put_cut(line, part, limit_of(part));
        done = part.end;
    }
    copy_to(line.size());
    return line_;
}

/// To how many bytes each of them has to be shortened so that all together lose `excess` bytes, the longest
/// most. SIZE_MAX: none has to be; 0: not even that is enough.
size_t LineLimit::cap(bool of_arguments, size_t excess) {
    if (excess == 0)
        return SIZE_MAX;
    sizes_.clear();
    for (const Part& part : parts_)
        if (part.is_argument == of_arguments)
            sizes_.push_back(part.size());
    std::ranges::sort(sizes_, std::greater<>());
    size_t sum = 0;
    for (size_t i = 0; i < sizes_.size(); ++i) {
        sum += sizes_[i];
        const size_t next = i + 1 < sizes_.size() ? sizes_[i + 1] : 0;
        if (sum >= excess && (sum - excess) / (i + 1) >= next)
            return (sum - excess) / (i + 1);
    }
    return 0;
}

void LineLimit::put_cut(std::string_view line, const Part& part, size_t most) {
    const std::string_view inside = line.substr(part.begin, part.size());
    if (!part.is_list) {
        line_ += characters(inside, most);
        return;
    }
    size_t end = 0; // of the elements that fit
    for (size_t next = 0; next < inside.size();) {
        next = end_of_value(inside, next);
        if (next > most)
            break;
        end = next++;
    }
    line_.append(inside, 0, end);
    const size_t begin = end + (end > 0); // of the first that does not, behind the comma
    constexpr size_t quotes = 2;
    if (begin >= inside.size() || inside[begin] != '"' || most <= begin + quotes)
        return;
    const size_t stop = end_of_string(inside, begin + 1);
    line_.append(end > 0 ? ",\"" : "\"");
    line_ += characters(inside.substr(begin + 1, stop - begin - 1), most - begin - quotes);
    line_ += '"';
}

/// A list is as long as its strings, each with the byte that ends it.
void LineLimit::note(std::string_view line, const Part& part) {
    const std::string_view inside = line.substr(part.begin, part.size());
    size_t length = 0;
    if (!part.is_list)
        length = plain_size(inside);
    else if (inside[0] != '"')
        length = inside.size();
    else
        for (size_t at = 0; at < inside.size();) {
            const size_t end = end_of_string(inside, at + 1);
            length += plain_size(inside.substr(at + 1, end - at - 1)) + 1;
            at = end + 2;
        }
    notes_.append(notes_.empty() ? "" : ",").append("{\"field\":\"").append(part.name);
    notes_.append("\",\"original_length\":").append(std::to_string(length)).append("}");
}

void LineLimit::put_notes(const Place& place) {
    constexpr std::array<std::string_view, 4> before = {
        R"("linux":{"telemetry":{"truncated":[)", R"("telemetry":{"truncated":[)", R"("truncated":[)", ""};
    constexpr std::array<std::string_view, 4> behind = {"]}}", "]}", "]", ""};
    if (notes_.empty())
        return;
    const auto depth = static_cast<size_t>(place.depth);
    if (depth == 0)
        line_ += ','; // behind the last member
    line_.append(before[depth]).append(notes_).append(behind[depth]);
    if (depth > 0 && !place.is_empty)
        line_ += ',';
}

} // namespace telemetry
