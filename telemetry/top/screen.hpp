// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdio>
#include <memory>
#include <string_view>

namespace telemetry::top {

enum class Look { plain, dim, head, selected, warning };

/// The terminal of this process, drawn upon by ncurses. There can be one at a time. Its destructor gives the
/// terminal back as it was.
class Screen {
  public:
    /// Throws ebpf_loader::Error(usage) when there is no terminal.
    Screen();
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    unsigned rows() const;
    unsigned columns() const;

    void clear();
    /// Text of anybody's at a place, escaped, and cut after `room` columns.
    void put(unsigned row, unsigned column, unsigned room, std::string_view text, Look look = Look::plain);
    void put_number(unsigned row, unsigned column, unsigned room, double value, unsigned decimals, Look look);
    /// All of a row.
    void fill(unsigned row, Look look);
    void show();

    /// The next key as Model::press() takes it; 0: none came within that time. Notices another size.
    int key(std::chrono::milliseconds time);

  private:
    struct Close {
        void operator()(FILE* file) const { fclose(file); }
    };
    std::unique_ptr<FILE, Close> terminal_;
    void* handle_ = nullptr; ///< ncurses's SCREEN
    bool is_utf8_ = false;
};

} // namespace telemetry::top
