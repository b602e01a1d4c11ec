// SPDX-License-Identifier: MIT
#include "test/bench/report/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

/// Between the two nearest values of a sorted sample.
double quantile(const std::vector<double>& sorted, double part) {
    const double at = part * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(std::floor(at));
    const size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

template <typename Join> Spread joined(const Pairs& pairs, Join join) {
    std::vector<double> values;
    for (size_t i = 0; i < std::min(pairs.with.size(), pairs.without.size()); i++)
        values.push_back(join(pairs.with[i], pairs.without[i]));
    return spread(values);
}

} // namespace

Spread spread(std::vector<double> values) {
    if (values.empty())
        return {};
    std::sort(values.begin(), values.end());
    return {.median = quantile(values, 0.5),
            .low = quantile(values, 0.25),
            .high = quantile(values, 0.75),
            .least = values.front(),
            .most = values.back(),
            .known = true};
}

Spread Pairs::ratio() const {
    return joined(*this, [](double b, double a) { return b / a; });
}

Spread Pairs::added() const {
    return joined(*this, [](double b, double a) { return b - a; });
}

} // namespace bench
