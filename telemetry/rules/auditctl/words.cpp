// SPDX-License-Identifier: MIT
#include "telemetry/rules/auditctl/words.hpp"

#include <string_view>

#include "telemetry/base/escape.hpp"
#include "telemetry/rules/cursor.hpp"

namespace telemetry::rules::auditctl {
namespace {

constexpr std::string_view PLAIN = "hicslDvt";
constexpr std::string_view WITH_ARGUMENT = "CefrbaAdSFmRwWkpq";
constexpr std::string_view EXPECTED = "an option of auditctl(8): -w, -a or -A for a rule, with -S, -F, -C, "
                                      "-p, -k; or -D, -b, -f, -e, -r, -i, -c, "
                                      "--backlog_wait_time, --loginuid-immutable";

struct LongOption {
    std::string_view name;
    bool has_argument;
};
constexpr LongOption LONG_OPTIONS[] = {{"loginuid-immutable", false},
                                       {"backlog_wait_time", true},
                                       {"reset-lost", false},
                                       {"reset_backlog_wait_time_actual", false},
                                       {"signal", true}};

bool separates(char c) {
    return is_blank(c) || c == '\r' || c == '\n';
}

std::vector<Word> words_of(const SourceText& source, Span line) {
    const std::string_view text = source.text();
    std::vector<Word> words;
    for (size_t at = line.begin; at < line.end;) {
        if (separates(text[at])) {
            ++at;
            continue;
        }
        Word word{{at, at}, {}};
        while (at < line.end && !separates(text[at])) {
            const bool escapes =
                text[at] == '\\' && at + 1 < line.end && (text[at + 1] == ' ' || text[at + 1] == '\\');
            at += escapes;
            word.text += text[at++];
        }
        word.where.end = at;
        words.push_back(std::move(word));
    }
    return words;
}

/// Takes the option at `at` and its argument, which may be the next word.
class OptionReader {
  public:
    explicit OptionReader(std::vector<Word> words) : words_(std::move(words)) {}

    std::vector<Option> all() {
        while (at_ < words_.size()) {
            const Word word = words_[at_++];
            if (word.text.starts_with("--") && word.text.size() > 2)
                long_option(word);
            else if (word.text.starts_with('-') && word.text.size() > 1)
                short_options(word);
            else
                throw Mistake{word.where, in_quotes(word.text) + " belongs to no option",
                              "an option; a blank in a path is written \"\\ \""};
        }
        return std::move(options_);
    }

  private:
    std::optional<Word> next(const Word& option) {
        if (at_ == words_.size())
            throw Mistake{option.where, "the option " + in_quotes(option.text) + " has no argument",
                          "its argument after a blank"};
        return words_[at_++];
    }

    void long_option(const Word& word) {
        const size_t equals = word.text.find('=');
        const std::string name = word.text.substr(2, equals == word.text.npos ? equals : equals - 2);
        for (const LongOption& known : LONG_OPTIONS) {
            if (known.name != name)
                continue;
            Option option{word, name, {}};
            if (known.has_argument && equals != word.text.npos)
                option.argument = Word{word.where, word.text.substr(equals + 1)};
            else if (known.has_argument)
                option.argument = next(word);
            options_.push_back(std::move(option));
            return;
        }
        throw Mistake{word.where, "unknown option " + in_quotes(word.text), std::string(EXPECTED)};
    }

    /// Several without an argument may share a word; what stands behind one with an argument is that.
    void short_options(const Word& word) {
        for (size_t i = 1; i < word.text.size(); ++i) {
            const char letter = word.text[i];
            Option option{word, std::string(1, letter), {}};
            if (WITH_ARGUMENT.find(letter) != std::string_view::npos) {
                option.argument =
                    i + 1 < word.text.size() ? Word{word.where, word.text.substr(i + 1)} : next(word);
                i = word.text.size();
            } else if (PLAIN.find(letter) == std::string_view::npos) {
                throw Mistake{word.where, "unknown option " + in_quotes(word.text), std::string(EXPECTED)};
            }
            options_.push_back(std::move(option));
        }
    }

    const std::vector<Word> words_;
    std::vector<Option> options_;
    size_t at_ = 0;
};

/// The first character of the line that is no blank; NUL for a blank line and a comment.
char first_of(std::string_view line) {
    const size_t at = line.find_first_not_of(" \t\r\n");
    return at == line.npos || line[at] == '#' ? '\0' : line[at];
}

} // namespace

bool is_auditctl(const SourceText& source) {
    char first = '\0';
    for (const Span statement : source.statements()) {
        const char c = first_of(source.text(statement));
        if (c == '\0')
            continue;
        if (first == '\0')
            first = c;
        if ((first == '-') == (c == '-'))
            continue;
        const size_t begin = source.text().find_first_not_of(" \t\r\n", statement.begin);
        throw Mistake{
            {begin, begin + 1},
            c == '-' ? "a rule of auditctl's behind lines of this program's own language"
                     : "a line that is no rule of auditctl's, which the lines before it are",
            "one of the two languages: put the lines of the other into a file, or a directory, of their own"};
    }
    return first == '-';
}

std::vector<Span> lines_of(const SourceText& source) {
    const std::string_view text = source.text();
    std::vector<Span> lines;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        if (first_of(text.substr(at, end - at)) != '\0')
            lines.push_back({at, end});
        at = end + 1;
    }
    return lines;
}

std::vector<Option> options_of(const SourceText& source, Span line) {
    return OptionReader(words_of(source, line)).all();
}

} // namespace telemetry::rules::auditctl
