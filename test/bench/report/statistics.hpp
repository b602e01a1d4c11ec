// SPDX-License-Identifier: MIT
#pragma once
#include <vector>

namespace bench {

/// Where the middle of a sample lies, and the middle half of it.
struct Spread {
    double median = 0;
    double low = 0;  ///< first quartile
    double high = 0; ///< third quartile
    double least = 0;
    double most = 0;
    bool known = false;
};
Spread spread(std::vector<double> values);

/// Measurements of one thing with and without something attached, in pairs.
struct Pairs {
    std::vector<double> without, with;

    Spread ratio() const; ///< with / without, pair by pair
    Spread added() const; ///< with - without, pair by pair
};

} // namespace bench
