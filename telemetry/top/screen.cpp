// SPDX-License-Identifier: MIT
#include "telemetry/top/screen.hpp"

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <curses.h>
#include <langinfo.h>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/terminal.hpp"
#include "telemetry/output/brief/screen_line.hpp"
#include "telemetry/top/model.hpp"

extern "C" const char ebt_ansi_terminal_start[], ebt_ansi_terminal_end[];

namespace telemetry::top {

namespace {

[[noreturn]] void refuse_terminal(const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                             why + ": --top and top show what happens on a terminal; --summary prints it");
}

/// A description of a terminal that nearly every one is like, for where no description of this one is: static
/// programs run on hosts that have none at all.
SCREEN* open_as_ansi(FILE* terminal) {
    std::string description(ebt_ansi_terminal_start, ebt_ansi_terminal_end);
    description.erase(description.find_last_not_of('\n') + 1);
    setenv("TERMINFO", description.c_str(), 1);
    return newterm("ansi", terminal, terminal);
}

enum Pair : short { pair_warning = 1, pair_dim };

attr_t attributes_of(Look look) {
    switch (look) {
    case Look::head:
        return A_BOLD;
    case Look::selected:
        return A_REVERSE;
    case Look::warning:
        return A_BOLD | static_cast<attr_t>(COLOR_PAIR(pair_warning));
    case Look::dim:
        return A_DIM;
    default:
        return A_NORMAL;
    }
}

/// As much as has room.
std::string_view fitting(std::string_view text, unsigned room, unsigned& used) {
    size_t length = 0;
    used = 0;
    while (length < text.size()) {
        const CodePoint point = decode_utf8(text.data() + length, text.data() + text.size());
        const auto wide = static_cast<unsigned>(ScreenLine::columns_of(point.value));
        if (point.length == 0 || used + wide > room)
            break;
        used += wide;
        length += point.length;
    }
    return text.substr(0, length);
}

int key_of(int key) {
    switch (key) {
    case KEY_UP:
        return Model::up;
    case KEY_DOWN:
        return Model::down;
    case KEY_PPAGE:
        return Model::page_up;
    case KEY_NPAGE:
        return Model::page_down;
    case KEY_HOME:
        return Model::home;
    case KEY_END:
        return Model::end;
    case '\r':
    case '\n':
    case KEY_ENTER:
        return Model::enter;
    case 27:
        return Model::escape;
    case 127:
    case '\b':
    case KEY_BACKSPACE:
        return Model::backspace;
    case 3: // ^C: the terminal is in raw mode
    case 4:
        return 'q';
    default:
        return key > 0 && key < 0x7f ? key : 0;
    }
}

} // namespace

Screen::Screen() : terminal_(std::fopen("/dev/tty", "r+e")) {
    if (!terminal_)
        refuse_terminal("there is no terminal");
    if (!std::setlocale(LC_CTYPE, "") || std::string_view(nl_langinfo(CODESET)) == "ANSI_X3.4-1968")
        std::setlocale(LC_CTYPE, "C.UTF-8"); // the C library has it, whatever is installed
    is_utf8_ = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
    SCREEN* screen = newterm(nullptr, terminal_.get(), terminal_.get());
    if (!screen)
        screen = open_as_ansi(terminal_.get());
    if (!screen)
        refuse_terminal("the terminal is of a kind that is not known here");
    handle_ = screen;
    set_escdelay(25);
    raw();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    if (terminal_has_colours() && has_colors() && start_color() == OK && use_default_colors() == OK)
        init_pair(pair_warning, COLOR_RED, -1);
}

Screen::~Screen() {
    endwin();
    delscreen(static_cast<SCREEN*>(handle_));
}

unsigned Screen::rows() const {
    return static_cast<unsigned>(std::max(getmaxy(stdscr), 1));
}

unsigned Screen::columns() const {
    return static_cast<unsigned>(std::max(getmaxx(stdscr), 1));
}

void Screen::clear() {
    erase();
}

void Screen::put(unsigned row, unsigned column, unsigned room, std::string_view text, Look look) {
    if (row >= rows() || column >= columns())
        return;
    room = std::min(room, columns() - column);
    LineBuffer escaped;
    put_text_escaped(escaped, text.substr(0, 1024));
    std::string shown;
    for (const char c : escaped.view()) // where the terminal's text is not UTF-8
        shown += is_utf8_ || static_cast<unsigned char>(c) < 0x80 ? c : '?';
    unsigned used = 0;
    std::string_view cut = fitting(shown, room, used);
    attrset(attributes_of(look));
    if (cut.size() < shown.size() && room >= 1) {
        cut = fitting(shown, room - 1, used);
        mvaddnstr(static_cast<int>(row), static_cast<int>(column), cut.data(), static_cast<int>(cut.size()));
        mvaddch(static_cast<int>(row), static_cast<int>(column + used), '~');
    } else {
        mvaddnstr(static_cast<int>(row), static_cast<int>(column), cut.data(), static_cast<int>(cut.size()));
    }
    attrset(A_NORMAL);
}

void Screen::put_number(unsigned row, unsigned column, unsigned room, double value, unsigned decimals,
                        Look look) {
    char text[40];
    static constexpr std::pair<double, char> units[] = {{1e12, 'T'}, {1e9, 'G'}, {1e6, 'M'}, {1e4, 'k'}};
    char unit = 0;
    for (const auto& [least, name] : units)
        if (value >= least && unit == 0) {
            value /= name == 'k' ? 1e3 : least;
            unit = name;
        }
    const int length = unit ? snprintf(text, sizeof(text), "%.1f%c", value, unit)
                            : snprintf(text, sizeof(text), "%.*f", static_cast<int>(decimals), value);
    const auto size = static_cast<unsigned>(length);
    put(row, column + (size < room ? room - size : 0), room, std::string_view(text, size), look);
}

void Screen::fill(unsigned row, Look look) {
    attrset(attributes_of(look));
    mvhline(static_cast<int>(row), 0, ' ' | attributes_of(look), static_cast<int>(columns()));
    attrset(A_NORMAL);
}

void Screen::show() {
    refresh();
}

int Screen::key(std::chrono::milliseconds time) {
    winsize size{};
    if (ioctl(fileno(terminal_.get()), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
        (size.ws_row != getmaxy(stdscr) || size.ws_col != getmaxx(stdscr)))
        resizeterm(size.ws_row, size.ws_col);
    timeout(static_cast<int>(time.count()));
    const int key = getch();
    return key == ERR ? 0 : key_of(key);
}

} // namespace telemetry::top
