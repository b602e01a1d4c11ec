// SPDX-License-Identifier: MIT
#include "telemetry/rules/source.hpp"

#include <algorithm>
#include <iterator>

#include "telemetry/base/escape.hpp"

namespace telemetry::rules {
namespace {

constexpr size_t SHOWN_WIDTH = 100; ///< how much of a source line a message shows
constexpr size_t SHOWN_MISTAKES = 50;

/// Returns the offset after the end of the statement's line. A backslash at its end continues a
/// line, unless it is in a string (which never spans lines) or in a comment.
size_t statement_end(std::string_view text, size_t at) {
    bool in_string = false;
    bool in_comment = false;
    for (; at < text.size() && text[at] != '\n'; ++at) {
        if (in_comment)
            continue;
        if (text[at] == '"')
            in_string = !in_string;
        else if (text[at] == '#' && !in_string)
            in_comment = true;
        else if (text[at] == '\\' && in_string && at + 1 < text.size() && text[at + 1] != '\n')
            ++at;
        else if (text[at] == '\\' && !in_string) {
            const size_t next = text.find_first_not_of(" \t\r", at + 1);
            if (next != text.npos && text[next] == '\n')
                at = next;
        }
    }
    return std::min(at + 1, text.size());
}

/// Returns a character in a form that is safe on a terminal, one column wide (a tab stays a tab).
void append_shown(std::string& out, std::string_view character) {
    const CodePoint decoded = decode_utf8(character.data(), character.data() + character.size());
    if (character == "\t")
        out += '\t';
    else if (decoded.length == 0 || !is_displayable(decoded.value))
        out += '?';
    else
        out += character;
}

/// Returns the part of a line around [first, last) (in characters) that fits into a message.
struct Window {
    size_t begin;
    size_t end;
};

Window choose_window(size_t length, size_t first) {
    if (length <= SHOWN_WIDTH)
        return {0, length};
    const size_t begin =
        first < SHOWN_WIDTH / 2 ? 0 : std::min(first - SHOWN_WIDTH / 2, length - SHOWN_WIDTH);
    return {begin, std::min(begin + SHOWN_WIDTH, length)};
}

std::vector<std::string_view> characters(std::string_view line) {
    std::vector<std::string_view> result;
    for (size_t at = 0; at < line.size(); at += result.back().size())
        result.push_back(line.substr(at, character_length(line, at)));
    return result;
}

/// Returns the line, and below it the carets for characters [first, last).
std::string show(const std::vector<std::string_view>& line, size_t first, size_t last) {
    const Window window = choose_window(line.size(), first);
    std::string shown = window.begin > 0 ? "..." : "";
    std::string carets = window.begin > 0 ? "   " : "";
    for (size_t i = window.begin; i < window.end; ++i) {
        append_shown(shown, line[i]);
        if (i < first)
            carets += line[i] == "\t" ? '\t' : ' ';
    }
    if (window.end < line.size())
        shown += "...";
    carets += '^';
    carets.append(std::min(last, window.end) > first + 1 ? std::min(last, window.end) - first - 1 : 0, '~');
    return shown + '\n' + carets + '\n';
}

} // namespace

size_t character_length(std::string_view text, size_t at) {
    return std::max(decode_utf8(text.data() + at, text.data() + text.size()).length, 1u);
}

std::string displayed(std::string_view text) {
    std::string result;
    for (const std::string_view character : characters(text))
        append_shown(result, character);
    return result;
}

SourceText::SourceText(const std::vector<RulesFile>& files) {
    for (const RulesFile& file : files) {
        std::string_view text = file.text;
        if (text.starts_with("\xef\xbb\xbf")) // a byte order mark is not part of the text
            text.remove_prefix(3);
        if (!text_.empty() && !text_.ends_with('\n'))
            text_ += '\n';
        const size_t begin = text_.size();
        files_.push_back({file.name, begin, lines_.size()});
        text_ += text;
        lines_.push_back(begin);
        for (size_t at = text_.find('\n', begin); at != text_.npos; at = text_.find('\n', at + 1))
            lines_.push_back(at + 1);
    }
}

const SourceText::File& SourceText::file_of(size_t offset) const {
    const auto behind = std::upper_bound(files_.begin(), files_.end(), offset,
                                         [](size_t where, const File& file) { return where < file.begin; });
    return *std::prev(behind);
}

size_t SourceText::line_of(size_t offset) const {
    const auto behind = std::upper_bound(lines_.begin(), lines_.end(), offset);
    return static_cast<size_t>(behind - lines_.begin()) - file_of(offset).first_line;
}

std::string SourceText::place_of(size_t offset) const {
    return displayed(file_of(offset).name) + ':' + std::to_string(line_of(offset));
}

std::string SourceText::line_as_seen_from(size_t from, size_t offset) const {
    const File& file = file_of(offset);
    const std::string line = "line " + std::to_string(line_of(offset));
    return &file == &file_of(from) ? line : line + " of " + displayed(file.name);
}

std::vector<Span> SourceText::statements() const {
    std::vector<Span> result;
    for (size_t i = 0; i < files_.size(); ++i) {
        const size_t last = i + 1 < files_.size() ? files_[i + 1].begin : text_.size();
        for (size_t at = files_[i].begin; at < last; at = result.back().end)
            result.push_back({at, statement_end(text().substr(0, last), at)});
    }
    return result;
}

std::string SourceText::describe(std::string_view severity, const Mistake& mistake) const {
    const auto behind = std::upper_bound(lines_.begin(), lines_.end(), mistake.where.begin);
    const size_t begin = *std::prev(behind);
    size_t end = std::min(text_.find('\n', begin), text_.size());
    if (end > begin && text_[end - 1] == '\r')
        --end;
    const size_t at = std::clamp(mistake.where.begin, begin, end);
    const auto line = characters(text({begin, end}));
    const size_t first = characters(text({begin, at})).size();
    const size_t stop = std::clamp(mistake.where.end, at, end);
    const size_t last = first + characters(text({at, stop})).size();

    std::string result = place_of(begin);
    result += ':' + std::to_string(first + 1) + ": ";
    result.append(severity).append(": ").append(mistake.message) += '\n';
    result += show(line, first, last);
    if (!mistake.expected.empty())
        result += "expected: " + mistake.expected + '\n';
    return result;
}

void MistakeList::add(const SourceText& source, const Mistake& mistake) {
    if (++count_ <= SHOWN_MISTAKES)
        shown_ += source.describe("error", mistake);
}

std::string MistakeList::text() const {
    if (count_ <= SHOWN_MISTAKES)
        return shown_;
    return shown_ + "and " + std::to_string(count_ - SHOWN_MISTAKES) + " more mistakes\n";
}

} // namespace telemetry::rules
