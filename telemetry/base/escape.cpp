// SPDX-License-Identifier: MIT
#include "telemetry/base/escape.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace telemetry {
namespace {

struct Range {
    uint32_t first;
    uint32_t last;
};

/// The characters that are escaped although they are valid UTF-8, sorted: the Unicode categories Cc, Cf, Zl,
/// Zp, Co and Zs except the blank, the non-characters, and other invisible characters.
constexpr Range hidden[] = {
    {0x7f, 0xa0},        // DEL, C1 controls, no-break space
    {0xad, 0xad},        // soft hyphen
    {0x34f, 0x34f},      // combining grapheme joiner
    {0x600, 0x605},      // Arabic number signs
    {0x61c, 0x61c},      // Arabic letter mark
    {0x6dd, 0x6dd},      // Arabic end of ayah
    {0x70f, 0x70f},      // Syriac abbreviation mark
    {0x890, 0x891},      // Arabic pound and piastre marks
    {0x8e2, 0x8e2},      // Arabic disputed end of ayah
    {0x115f, 0x1160},    // Hangul fillers
    {0x1680, 0x1680},    // Ogham space mark
    {0x17b4, 0x17b5},    // Khmer inherent vowels
    {0x180b, 0x180f},    // Mongolian variation selectors
    {0x2000, 0x200f},    // spaces, zero-width characters, direction marks
    {0x2028, 0x202f},    // line and paragraph separators, embeddings and overrides
    {0x205f, 0x206f},    // isolates, invisible operators
    {0x2800, 0x2800},    // blank Braille pattern
    {0x3000, 0x3000},    // ideographic space
    {0x3164, 0x3164},    // Hangul filler
    {0xd800, 0xf8ff},    // surrogates, private use
    {0xfdd0, 0xfdef},    // non-characters
    {0xfe00, 0xfe0f},    // variation selectors
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // Hangul filler
    {0xfff0, 0xfffb},    // unassigned and ignorable, interlinear annotation
    {0xfffe, 0xffff},    // non-characters
    {0x110bd, 0x110bd},  // Kaithi number sign
    {0x110cd, 0x110cd},  // Kaithi number sign above
    {0x13430, 0x1343f},  // Egyptian hieroglyph controls
    {0x1bca0, 0x1bca3},  // shorthand format controls
    {0x1d159, 0x1d159},  // musical null note head
    {0x1d173, 0x1d17a},  // musical format controls
    {0x1fffe, 0x1ffff},  // non-characters
    {0x2fffe, 0x2ffff},  // non-characters
    {0x3fffe, 0x10ffff}, // unassigned planes, tags, private use
};
static_assert(std::ranges::is_sorted(hidden, {}, &Range::first));

/// Bytes that neither format escapes.
constexpr bool is_plain(char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

constexpr auto plain = [] {
    std::array<bool, 256> table{};
    for (int byte = 0; byte < 128; ++byte)
        table[static_cast<size_t>(byte)] = is_plain(static_cast<char>(byte));
    return table;
}();

#ifdef __SSE2__
/// Returns a mask with a bit for each byte that is not plain. The comparison is signed, so that bytes from
/// 0x80 on are less than the blank.
inline unsigned not_plain(__m128i bytes) {
    const __m128i control = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const __m128i any = _mm_or_si128(_mm_or_si128(control, quote), _mm_or_si128(backslash, del));
    return static_cast<unsigned>(_mm_movemask_epi8(any));
}

/// Copies 16, 8 or 4 bytes; returns a mask with a bit for each that is not plain.
template <int Width> unsigned copy_block(const char* from, char* to) {
    if constexpr (Width == 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
        return not_plain(bytes);
    } else if constexpr (Width == 8) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), bytes);
        return not_plain(bytes) & 0xff;
    } else {
        int bytes;
        std::memcpy(&bytes, from, sizeof(bytes));
        std::memcpy(to, &bytes, sizeof(bytes));
        return not_plain(_mm_cvtsi32_si128(bytes)) & 0xf;
    }
}

/// Copies block by block. The last block ends where the bytes end, so it may copy some of them twice.
template <int Width> size_t copy_blocks(const char* from, size_t count, char* to) {
    for (size_t at = 0;; at = std::min(at + Width, count - Width)) {
        const unsigned mask = copy_block<Width>(from + at, to + at);
        if (mask)
            return at + static_cast<size_t>(std::countr_zero(mask));
        if (at + Width == count)
            return count;
    }
}
#endif

/// Copies the plain bytes at the beginning; returns how many they are.
size_t copy_plain(const char* from, size_t count, char* to) {
#ifdef __SSE2__
    if (count >= 16)
        return copy_blocks<16>(from, count, to);
    if (count >= 8)
        return copy_blocks<8>(from, count, to);
    if (count >= 4)
        return copy_blocks<4>(from, count, to);
#endif
    size_t done = 0;
    for (; done < count && plain[static_cast<uint8_t>(from[done])]; ++done)
        to[done] = from[done];
    return done;
}

char* put_hex_digits(char* to, uint32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        *to++ = hex_digits[(value >> shift) & 15];
    return to;
}

struct TextStyle {
    static char short_form(char c) {
        switch (c) {
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        default:
            return '\0';
        }
    }
    static char* byte(char* to, uint8_t byte) {
        *to++ = '\\';
        *to++ = 'x';
        return put_hex_digits(to, byte, 2);
    }
    static char* control(char* to, uint8_t control) { return byte(to, control); }
    static char* invalid(char* to, uint8_t invalid) { return byte(to, invalid); }
    static char* character(char* to, uint32_t code_point) {
        *to++ = '\\';
        *to++ = 'u';
        *to++ = '{';
        to = put_hex_digits(to, code_point, (std::bit_width(code_point) + 3) / 4);
        *to++ = '}';
        return to;
    }
};

struct JsonStyle {
    static char short_form(char c) {
        switch (c) {
        case '\b':
            return 'b';
        case '\f':
            return 'f';
        default:
            return TextStyle::short_form(c);
        }
    }
    static char* unit(char* to, uint32_t utf16_unit) {
        *to++ = '\\';
        *to++ = 'u';
        return put_hex_digits(to, utf16_unit, 4);
    }
    static char* control(char* to, uint8_t control) { return unit(to, control); }
    static char* invalid(char* to, uint8_t) { return unit(to, 0xfffd); }
    static char* character(char* to, uint32_t code_point) {
        if (code_point < 0x10000)
            return unit(to, code_point);
        to = unit(to, 0xd800 + ((code_point - 0x10000) >> 10));
        return unit(to, 0xdc00 + ((code_point - 0x10000) & 0x3ff));
    }
};

template <class Style> char* escape_ascii(char* to, char c) {
    if (c == '"' || c == '\\') {
        *to++ = '\\';
        *to++ = c;
        return to;
    }
    if (const char letter = Style::short_form(c)) {
        *to++ = '\\';
        *to++ = letter;
        return to;
    }
    return Style::control(to, static_cast<uint8_t>(c));
}

/// Writes one character beyond ASCII.
template <class Style> char* escape_wide(char* to, const char* from, const CodePoint& character) {
    if (!is_displayable(character.value))
        return Style::character(to, character.value);
    std::memcpy(to, from, character.length);
    return to + character.length;
}

/// Each byte of input becomes at most six bytes of output, in both styles.
constexpr size_t growth = 6;

template <class Style> bool put_escaped(LineBuffer& line, std::string_view bytes) {
    bool all_utf8 = true;
    const char* from = bytes.data();
    const char* const end = from + bytes.size();
    char* to = line.room(growth * bytes.size());
    for (;;) {
        const size_t plain_bytes = copy_plain(from, static_cast<size_t>(end - from), to);
        from += plain_bytes;
        to += plain_bytes;
        if (from == end)
            break;
        const CodePoint character = decode_utf8(from, end);
        if (character.length == 1)
            to = escape_ascii<Style>(to, *from);
        else if (character.length)
            to = escape_wide<Style>(to, from, character);
        else
            to = Style::invalid(to, static_cast<uint8_t>(*from));
        all_utf8 &= character.length != 0;
        from += std::max(character.length, 1U);
    }
    line.advance_to(to);
    return all_utf8;
}

bool continues(const char* byte, uint8_t first = 0x80, uint8_t last = 0xbf) {
    const auto value = static_cast<uint8_t>(*byte);
    return value >= first && value <= last;
}

uint32_t bits(char byte, uint32_t mask) {
    return static_cast<uint8_t>(byte) & mask;
}

} // namespace

CodePoint decode_utf8(const char* bytes, const char* end) {
    const auto lead = static_cast<uint8_t>(*bytes);
    const ptrdiff_t left = end - bytes;
    if (lead < 0x80)
        return {lead, 1};
    if (lead >= 0xc2 && lead <= 0xdf && left >= 2 && continues(bytes + 1))
        return {bits(lead, 0x1f) << 6 | bits(bytes[1], 0x3f), 2};
    if ((lead & 0xf0) == 0xe0 && left >= 3) {
        const uint8_t lowest = lead == 0xe0 ? 0xa0 : 0x80;  // below: overlong
        const uint8_t highest = lead == 0xed ? 0x9f : 0xbf; // above: surrogates
        if (continues(bytes + 1, lowest, highest) && continues(bytes + 2))
            return {bits(lead, 0x0f) << 12 | bits(bytes[1], 0x3f) << 6 | bits(bytes[2], 0x3f), 3};
    }
    if (lead >= 0xf0 && lead <= 0xf4 && left >= 4) {
        const uint8_t lowest = lead == 0xf0 ? 0x90 : 0x80;
        const uint8_t highest = lead == 0xf4 ? 0x8f : 0xbf; // above: beyond U+10FFFF
        if (continues(bytes + 1, lowest, highest) && continues(bytes + 2) && continues(bytes + 3))
            return {bits(lead, 0x07) << 18 | bits(bytes[1], 0x3f) << 12 | bits(bytes[2], 0x3f) << 6 |
                        bits(bytes[3], 0x3f),
                    4};
    }
    return {};
}

bool is_displayable(uint32_t code_point) {
    if (code_point < 0x7f)
        return code_point >= 0x20;
    const auto after = std::ranges::upper_bound(hidden, code_point, {}, &Range::first);
    return code_point > std::prev(after)->last; // there is a range before, since the first begins at 0x7f
}

void put_text_escaped(LineBuffer& line, std::string_view bytes) {
    put_escaped<TextStyle>(line, bytes);
}

std::string in_quotes(std::string_view text, size_t longest) {
    size_t end = 0;
    for (size_t shown = 0; end < text.size() && shown < longest; ++shown)
        end += std::max(decode_utf8(text.data() + end, text.data() + text.size()).length, 1U);
    LineBuffer line;
    line.put('"');
    put_text_escaped(line, text.substr(0, end));
    line.put(end < text.size() ? std::string_view("...\"") : std::string_view("\""));
    return std::string(line.view());
}

bool put_json_escaped(LineBuffer& line, std::string_view bytes) {
    return put_escaped<JsonStyle>(line, bytes);
}

void put_base64(LineBuffer& line, std::string_view bytes) {
    constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char* to = line.room((bytes.size() + 2) / 3 * 4);
    for (size_t at = 0; at < bytes.size(); at += 3) {
        const size_t left = std::min<size_t>(bytes.size() - at, 3);
        uint32_t group = bits(bytes[at], 0xff) << 16;
        if (left > 1)
            group |= bits(bytes[at + 1], 0xff) << 8;
        if (left > 2)
            group |= bits(bytes[at + 2], 0xff);
        *to++ = digits[group >> 18];
        *to++ = digits[(group >> 12) & 63];
        *to++ = left > 1 ? digits[(group >> 6) & 63] : '=';
        *to++ = left > 2 ? digits[group & 63] : '=';
    }
    line.advance_to(to);
}

} // namespace telemetry
