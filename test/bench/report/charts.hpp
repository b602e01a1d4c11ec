// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

namespace bench {

/// What is drawn of a thing: which colour it gets.
enum class Tone { floor, ours, rival };

/// One bar under the other, each with its spread and its value in words.
struct BarChart {
    struct Bar {
        std::string label;
        double value = 0;
        double low = 0, high = 0; ///< the spread; equal: not drawn
        std::string text;
        Tone tone = Tone::floor;
    };
    std::string title;
    bool logarithmic = false; ///< for what differs by powers of ten; then from 1 on
    std::vector<Bar> bars;
};
std::string draw(const BarChart& chart);

struct LineChart {
    struct Point {
        double x = 0, y = 0, low = 0, high = 0;
    };
    struct Line {
        std::string label;
        std::vector<Point> points;
    };
    std::string title, x_label, y_label;
    bool logarithmic_x = false;
    std::vector<Line> lines;
};
std::string draw(const LineChart& chart);

} // namespace bench
