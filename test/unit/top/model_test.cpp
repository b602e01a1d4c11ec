// SPDX-License-Identifier: MIT
#include "telemetry/top/model.hpp"

#include <gtest/gtest.h>

namespace {

using namespace telemetry;
using namespace telemetry::top;

class ModelTest : public testing::Test {
  protected:
    void count(uint32_t pid, uint32_t parent, std::string_view name, int times) {
        CountedProcess::Ancestors ancestors{parent ? mixed(0, parent) : 0};
        for (int i = 0; i < times; ++i) {
            CountedEvent event;
            event.executable = name;
            event.user = "ann";
            event.call = "openat";
            event.process = {.id = pid,
                             .place = mixed(0, pid),
                             .pid = pid,
                             .name = name,
                             .user = "ann",
                             .last = "openat",
                             .ancestors = &ancestors};
            interval_->activity.count(event);
        }
    }
    void add(double seconds = 2) {
        interval_->seconds = seconds;
        interval_ = model_.add(std::move(interval_));
        interval_->activity.clear();
    }
    std::string names() {
        std::string names;
        for (const ShownRow& row : model_.rows())
            names += std::string(row.depth, '.') + row.row.name + " ";
        return names;
    }

    Model model_{false, ""};
    std::unique_ptr<Interval> interval_ = std::make_unique<Interval>();
};

TEST_F(ModelTest, SortsFiltersAndSumsUp) {
    count(1, 0, "init", 1);
    count(2, 1, "busy", 9);
    count(3, 2, "Child", 4);
    add();
    EXPECT_EQ(names(), "busy Child init ");
    EXPECT_EQ(model_.seconds(), 2);
    model_.press('n');
    EXPECT_EQ(names(), "Child busy init ");
    for (const int key : {'/', 'c', 'h', 'q'}) // a q is a letter there
        EXPECT_TRUE(model_.press(key));
    EXPECT_EQ(names(), "");
    model_.press(Model::backspace);
    EXPECT_EQ(names(), "Child ");
    model_.press(Model::escape);
    count(2, 1, "busy", 1);
    add();
    EXPECT_EQ(names(), "busy ");
    model_.press('a');
    EXPECT_EQ(names(), "Child busy init ");
    EXPECT_EQ(model_.seconds(), 4);
    EXPECT_FALSE(model_.press('q'));
}

TEST_F(ModelTest, FollowsATreeThroughProcessesThatDoNothing) {
    count(1, 0, "init", 1);
    count(2, 1, "shell", 2);
    count(3, 2, "make", 3);
    add();
    count(4, 3, "cc", 5); // make and shell do nothing meanwhile
    count(9, 1, "other", 8);
    count(2, 1, "shell", 1);
    add();
    model_.press('t');
    EXPECT_EQ(names(), "other shell .cc ");
    model_.press(Model::down);
    model_.press('f');
    EXPECT_EQ(names(), "shell .cc ");
    EXPECT_EQ(model_.followed(), "shell[2]");
    model_.press(Model::escape);
    EXPECT_EQ(names(), "other shell .cc ");
}

TEST_F(ModelTest, CirclesOfParentsEnd) {
    count(1, 3, "a", 1);
    count(2, 1, "b", 1);
    count(3, 2, "c", 1);
    count(4, 4, "self", 1);
    add();
    model_.press('t');
    EXPECT_EQ(model_.rows().size(), 4u);
    model_.press('f');
    EXPECT_GE(model_.rows().size(), 1u);
}

} // namespace
