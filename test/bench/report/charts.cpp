// SPDX-License-Identifier: MIT
// Charts as SVG, without help from elsewhere.
#include "test/bench/report/charts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace bench {
namespace {

std::string escaped(const std::string& text) {
    std::string out;
    for (char c : text)
        out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
    return out;
}

std::string number(double value) {
    char text[32];
    snprintf(text, sizeof(text), "%.1f", value);
    return text;
}

/// "12k", for axes.
std::string shortly(double value) {
    char text[32];
    if (std::abs(value) >= 1e6)
        snprintf(text, sizeof(text), "%gM", value / 1e6);
    else if (std::abs(value) >= 1e3)
        snprintf(text, sizeof(text), "%gk", value / 1e3);
    else
        snprintf(text, sizeof(text), "%g", value);
    return text;
}

class Svg {
  public:
    Svg(double width, double height) {
        out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) + "\" height=\"" +
               number(height) + "\" viewBox=\"0 0 " + number(width) + " " + number(height) +
               "\" font-family=\"sans-serif\" font-size=\"12\">\n" +
               "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    }
    void rectangle(double x, double y, double width, double height, const char* fill) {
        out_ += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) +
                "\" height=\"" + number(height) + "\" fill=\"" + fill + "\"/>\n";
    }
    void line(double x1, double y1, double x2, double y2, const char* stroke, double width = 1) {
        out_ += "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" +
                number(y2) + "\" stroke=\"" + stroke + "\" stroke-width=\"" + number(width) + "\"/>\n";
    }
    /// `anchor`: start, middle or end.
    void text(double x, double y, const std::string& what, const char* anchor = "start",
              const char* more = "") {
        out_ += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\" " +
                more + ">" + escaped(what) + "</text>\n";
    }
    void dot(double x, double y, const char* fill) {
        out_ += "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"3\" fill=\"" + fill + "\"/>\n";
    }
    std::string end() && { return std::move(out_) + "</svg>\n"; }

  private:
    std::string out_;
};

const char* colour(Tone tone) {
    switch (tone) {
    case Tone::floor:
        return "#9aa5b1";
    case Tone::ours:
        return "#2f6fb0";
    case Tone::rival:
        return "#d08a3c";
    }
    return "black";
}

constexpr std::array<const char*, 6> line_colours = {"#2f6fb0", "#d08a3c", "#4c9a5b",
                                                     "#a34e72", "#6b6b6b", "#8a6fc0"};
constexpr const char* pale = "#e3e6ea";

/// Maps values to a length in the picture.
struct Scale {
    double least = 0, most = 1;
    double from = 0, to = 1; ///< in the picture
    bool logarithmic = false;

    double at(double value) const {
        if (logarithmic)
            return from +
                   (to - from) * std::log(std::clamp(value, least, most) / least) / std::log(most / least);
        return from + (to - from) * (std::clamp(value, least, most) - least) / (most - least);
    }
    std::vector<double> ticks() const {
        std::vector<double> all;
        if (logarithmic) {
            for (double value = std::pow(10, std::ceil(std::log10(least))); value <= most; value *= 10)
                all.push_back(value);
            return all;
        }
        const double rough = (most - least) / 6, unit = std::pow(10, std::floor(std::log10(rough)));
        const double step = unit * (rough <= unit ? 1 : rough <= 2 * unit ? 2 : rough <= 5 * unit ? 5 : 10);
        for (double value = std::ceil(least / step) * step; value <= most; value += step)
            all.push_back(value);
        return all;
    }
};

} // namespace

std::string draw(const BarChart& chart) {
    constexpr double width = 760, left = 210, right = 610, top = 56, row = 24, thickness = 16;
    const double bottom = top + row * static_cast<double>(chart.bars.size());
    Scale scale{.least = chart.logarithmic ? 1.0 : 0.0,
                .most = chart.logarithmic ? 10.0 : 1e-9,
                .from = left,
                .to = right,
                .logarithmic = chart.logarithmic};
    for (const BarChart::Bar& bar : chart.bars)
        scale.most = std::max({scale.most, bar.value, bar.high});
    Svg svg(width, bottom + 30);
    svg.text(16, 24, chart.title, "start", "font-size=\"15\"");
    for (double tick : scale.ticks()) {
        svg.line(scale.at(tick), top - 6, scale.at(tick), bottom, pale);
        svg.text(scale.at(tick), bottom + 16, shortly(tick), "middle", "fill=\"#666\"");
    }
    double y = top;
    for (const BarChart::Bar& bar : chart.bars) {
        const double end = scale.at(bar.value);
        svg.text(left - 8, y + 12, bar.label, "end");
        svg.rectangle(left, y, std::max(end - left, 1.0), thickness, colour(bar.tone));
        if (bar.high > bar.low)
            svg.line(scale.at(bar.low), y + thickness / 2, scale.at(bar.high), y + thickness / 2, "black");
        svg.text(std::max(end, scale.at(bar.high)) + 8, y + 12, bar.text);
        y += row;
    }
    return std::move(svg).end();
}

std::string draw(const LineChart& chart) {
    constexpr double width = 760, height = 380, left = 80, right = 560, top = 50, bottom = 320;
    Scale across{
        .least = 1e300, .most = -1e300, .from = left, .to = right, .logarithmic = chart.logarithmic_x};
    Scale up{.least = 0, .most = 1e-9, .from = bottom, .to = top, .logarithmic = false};
    for (const LineChart::Line& line : chart.lines)
        for (const LineChart::Point& point : line.points) {
            across.least = std::min(across.least, point.x);
            across.most = std::max({across.most, point.x, across.least * 1.001 + 1e-9});
            up.most = std::max({up.most, point.y, point.high});
        }
    Svg svg(width, height);
    svg.text(16, 24, chart.title, "start", "font-size=\"15\"");
    for (double tick : up.ticks()) {
        svg.line(left, up.at(tick), right, up.at(tick), pale);
        svg.text(left - 6, up.at(tick) + 4, shortly(tick), "end", "fill=\"#666\"");
    }
    for (double tick : across.ticks())
        svg.text(across.at(tick), bottom + 18, shortly(tick), "middle", "fill=\"#666\"");
    svg.line(left, bottom, right, bottom, "#666");
    svg.text((left + right) / 2, bottom + 40, chart.x_label, "middle");
    svg.text(left, top - 8, chart.y_label);
    size_t index = 0;
    for (const LineChart::Line& line : chart.lines) {
        const char* stroke = line_colours[index % line_colours.size()];
        const LineChart::Point* before = nullptr;
        for (const LineChart::Point& point : line.points) {
            if (before)
                svg.line(across.at(before->x), up.at(before->y), across.at(point.x), up.at(point.y), stroke,
                         2);
            svg.line(across.at(point.x), up.at(point.low), across.at(point.x), up.at(point.high), stroke);
            svg.dot(across.at(point.x), up.at(point.y), stroke);
            before = &point;
        }
        const double y = top + 20 * static_cast<double>(index++);
        svg.rectangle(right + 14, y - 9, 12, 12, stroke);
        svg.text(right + 32, y + 2, line.label);
    }
    return std::move(svg).end();
}

} // namespace bench
