// SPDX-License-Identifier: MIT
// The program's share of the CPU, against loads that are made up: no clock, no chance.
#include "telemetry/limits/cpu_budget.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

using Time = CpuBudget::Time;

/// A reader with a budget, for each step of time what it would need of a CPU for ordinary and
/// for vital events. What it does not do in a step, since it can use one CPU only or pauses, waits.
class Simulation {
  public:
    struct Load {
        double ordinary, vital; ///< of one CPU
    };

    explicit Simulation(unsigned percent) : budget_(percent) { budget_.begin(now_, used_); }

    void run(Time length, const std::function<Load(Time)>& load) {
        for (const Time end = now_ + length; now_ < end; now_ += step) {
            const Load wanted = load(now_);
            ordinary_wanted += wanted.ordinary * 1e-9 * step.count();
            if (!budget_.sheds()) {
                queue_ += wanted.ordinary * step;
                ordinary_told += wanted.ordinary * 1e-9 * step.count();
            }
            queue_ += wanted.vital * step;
            const auto work =
                budget_.pauses() ? Time(0) : std::min(std::chrono::duration_cast<Time>(queue_), step);
            queue_ -= work;
            used_ += work;
            const bool shed = budget_.sheds();
            budget_.note(now_ + step, used_);
            changes += budget_.sheds() != shed;
            shed_steps += budget_.sheds();
            paused_steps += budget_.pauses();
            uses.push_back(work);
        }
    }

    /// The most that was used in any one second.
    double most_in_a_second() const {
        const size_t second = 1s / step;
        Time sum{}, most{};
        for (size_t i = 0; i < uses.size(); i++) {
            sum += uses[i];
            if (i >= second)
                sum -= uses[i - second];
            most = std::max(most, sum);
        }
        return static_cast<double>(most.count()) * 1e-9;
    }
    double share() const {
        Time sum{};
        for (const Time use : uses)
            sum += use;
        return static_cast<double>(sum.count()) / static_cast<double>((uses.size() * step).count());
    }

    static constexpr Time step = 1ms;
    double ordinary_wanted = 0, ordinary_told = 0; ///< seconds of CPU
    int changes = 0;
    size_t shed_steps = 0, paused_steps = 0;
    std::vector<Time> uses;

  private:
    CpuBudget budget_;
    Time now_ = 1000s, used_ = 5s; ///< of no importance
    std::chrono::duration<double, std::nano> queue_{};
};

TEST(CpuBudget, LeavesWhatStaysWithinItAlone) {
    Simulation simulation(20);
    simulation.run(60s, [](Time) { return Simulation::Load{0.15, 0.04}; });
    EXPECT_EQ(simulation.shed_steps, 0u);
    EXPECT_EQ(simulation.paused_steps, 0u);
    EXPECT_NEAR(simulation.share(), 0.19, 0.001);
}

TEST(CpuBudget, ForgivesAShortBurst) {
    Simulation simulation(20);
    // A full CPU for 50 ms, each second.
    simulation.run(10s, [](Time now) { return Simulation::Load{now % 1s < 50ms ? 1.0 : 0.0, 0}; });
    EXPECT_EQ(simulation.shed_steps, 0u);
}

class Overload : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Percent, Overload, testing::Values(1, 5, 20, 50, 90));

TEST_P(Overload, IsCutToTheShare) {
    const double share = GetParam() / 100.0;
    Simulation simulation(GetParam());
    simulation.run(60s, [](Time) { return Simulation::Load{1.5, 0.001}; });
    EXPECT_GT(simulation.share(), 0.9 * share);
    EXPECT_LT(simulation.share(), 1.05 * share) << "what was saved up is used, once";
    EXPECT_LE(simulation.most_in_a_second(), std::min(1.0, 1.8 * share)) << "at the beginning";
    // As much is reported as there is time for, in many small parts of each second.
    EXPECT_NEAR(simulation.ordinary_told, simulation.share() * 60, 0.15 * share * 60);
    EXPECT_GT(simulation.changes, 60) << "not all or nothing";
    EXPECT_LT(simulation.changes, 60 * 40) << "nor flickering";
}

TEST_P(Overload, OfVitalEventsMakesTheReaderPause) {
    const double share = GetParam() / 100.0;
    Simulation simulation(GetParam());
    simulation.run(60s, [](Time) { return Simulation::Load{0.2, 1}; });
    EXPECT_GT(simulation.paused_steps, 0u);
    EXPECT_GT(simulation.share(), 0.9 * share);
    EXPECT_LT(simulation.share(), 1.05 * share);
    EXPECT_LT(simulation.ordinary_told, 0.05 * simulation.ordinary_wanted) << "they go first";
}

TEST(CpuBudget, DoesNotPauseWhileSheddingIsEnough) {
    Simulation simulation(20);
    simulation.run(60s, [](Time) { return Simulation::Load{1, 0.05}; });
    EXPECT_GT(simulation.shed_steps, 0u);
    EXPECT_EQ(simulation.paused_steps, 0u);
}

TEST(CpuBudget, EndsSheddingWhenTheLoadDoes) {
    Simulation simulation(20);
    simulation.run(10s, [](Time) { return Simulation::Load{1, 0}; });
    simulation.run(1s, [](Time) { return Simulation::Load{0, 0}; });
    const size_t shed = simulation.shed_steps;
    simulation.run(10s, [](Time) { return Simulation::Load{0.1, 0}; });
    EXPECT_EQ(simulation.shed_steps, shed);
}

TEST(CpuBudget, TellsWhenToLookAgain) {
    CpuBudget budget(10);
    budget.begin(0s, 0s);
    EXPECT_EQ(budget.until_relief(), 0ns);
    budget.note(0s, 26ms); // 25 ms were there
    ASSERT_TRUE(budget.sheds());
    const Time relief = budget.until_relief();
    EXPECT_NEAR(static_cast<double>(relief.count()), 135e6, 1e5);
    budget.note(relief - 1us, 26ms);
    EXPECT_TRUE(budget.sheds());
    budget.note(relief, 26ms);
    EXPECT_FALSE(budget.sheds());
}

TEST(CpuBudget, TellsWhenToReadAgain) {
    CpuBudget budget(10);
    budget.begin(0s, 0s);
    budget.note(0s, 76ms);
    ASSERT_TRUE(budget.pauses());
    const Time relief = budget.until_relief();
    budget.note(relief, 76ms);
    EXPECT_FALSE(budget.pauses());
    EXPECT_TRUE(budget.sheds()) << "longer than that";
    EXPECT_GT(budget.until_relief(), 0ns);
}

TEST(CpuBudget, TakesClocksThatStandStillOrLeap) {
    CpuBudget budget(CpuBudget::most_percent);
    budget.begin(10s, 1s);
    budget.note(10s, 1s);
    budget.note(9s, 1s); // neither ever does so
    budget.note(10s, 0s);
    EXPECT_FALSE(budget.sheds());
    budget.note(10s + 24h * 365, 2s);
    EXPECT_FALSE(budget.sheds());
}

} // namespace
