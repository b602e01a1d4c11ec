// SPDX-License-Identifier: MIT
// A second thread changes the string, the descriptor or the working directory that a call is
// about, all the while that it is made again and again; which of two files it was about is seen by
// what became of them.
#pragma once
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <sys/stat.h>
#include <unistd.h>

#include "test/kernel/witness/support.hpp"

namespace kernel_test {

constexpr unsigned most_rounds = 1000;
enum Truth : uint8_t { first, second, unclear };

/// Where a call finds what it is about: names below a directory, or a descriptor alone.
struct Target {
    int fd;
    const char* old_name;
    const char* new_name;
};

/// A call, and how to see what it was about. `make_ready` and `is_done` get the path of one of the
/// two folders; they make no call of the same name.
struct RacedCall {
    const char* name;
    bool (*act)(const Target& target, unsigned round);
    void (*make_ready)(const std::string& folder);
    bool (*is_done)(const std::string& folder, unsigned round);
    bool (*is_new_done)(const std::string& folder, unsigned round) = nullptr; ///< of two paths, the second
    int path = 0; ///< in the event: which one the first is
};

/// One way to change what a call is about.
struct Attempt {
    const char* how;
    std::function<void(unsigned)> change;
    Target target;
};
constexpr size_t most_attempts = 4;

/// What both threads and the test look at: of each attempt, what its one or two paths were about.
struct Shared {
    uint8_t truth[most_attempts][2][most_rounds];
    char old_name[128], new_name[128];
};

class Races : public WitnessTest {
  public:
    using WitnessTest::WitnessTest;

  protected:
    static unsigned rounds() { return race_rounds(most_rounds); }

    using Change = std::function<void(unsigned)>;

    /// At most `most_attempts`, under one engine.
    void race(const RacedCall& call, const std::vector<Attempt>& attempts) {
        memset(shared_->truth, unclear, sizeof shared_->truth);
        std::vector<std::function<void()>> bodies;
        for (size_t i = 0; i < attempts.size(); i++)
            bodies.emplace_back([this, &call, &attempt = attempts[i], truth = shared_->truth[i]] {
                while_changing(attempt.change, [&] {
                    for (unsigned round = 0; round < rounds(); round++)
                        make_round(call, attempt.target, round, truth);
                });
            });
        const auto events = run_each(call.name, bodies);
        for (size_t i = 0; i < attempts.size(); i++) {
            SCOPED_TRACE(std::string(call.name) + ", " + attempts[i].how + " changed");
            if (events[i].size() != rounds() && can_miss_runs(tier_))
                continue;
            ASSERT_EQ(events[i].size(), rounds());
            compare(events[i], call.path, shared_->truth[i][0]);
            if (call.is_new_done)
                compare(events[i], call.path + 1, shared_->truth[i][1]);
        }
    }

    void make_round(const RacedCall& call, const Target& target, unsigned round,
                    uint8_t (*truth)[most_rounds]) const {
        for (const std::string& folder : folders_)
            call.make_ready(folder);
        if (!call.act(target, round))
            return;
        truth[0][round] = where(call.is_done, round);
        if (call.is_new_done)
            truth[1][round] = where(call.is_new_done, round);
    }

    Truth where(bool (*is_done)(const std::string&, unsigned), unsigned round) const {
        const bool is[2] = {is_done(folders_[0], round), is_done(folders_[1], round)};
        return is[0] == is[1] ? unclear : is[0] ? first : second;
    }

    /// Which of the two folders an event says, against the truth. Where nothing witnesses, it may be wrong
    /// about what it says others could have changed.
    void compare(const Events& events, int path, const uint8_t* truth) {
        unsigned compared = 0, unwitnessed = 0, wrong = 0;
        for (unsigned round = 0; round < events.size(); round++) {
            const telemetry::Event& event = *events[round];
            if (truth[round] == unclear || !event.success())
                continue;
            compared++;
            ASSERT_GT(event.paths, path);
            const telemetry::PathField& said = event.path[static_cast<size_t>(path)];
            const bool is_right = said.bytes.starts_with(folders_[truth[round]] + "/");
            wrong += !is_right;
            if (!witnessed_ && (is_right || said.shared || !counts_sharers_))
                continue;
            if (event.unwitnessed) { // and says so
                unwitnessed++;
                continue;
            }
            EXPECT_TRUE(is_right) << "round " << round << ": " << said.bytes;
            EXPECT_EQ(said.source, telemetry::Source::kernel);
        }
        EXPECT_GT(compared, events.size() / 4);
        EXPECT_LE(unwitnessed, events.size() / 50);
        compared_ += compared;
        wrong_ += wrong;
        unwitnessed_ += unwitnessed;
    }

    /// How many events were compared: for who runs this with many rounds.
    void TearDown() override {
        RecordProperty("compared", std::to_string(compared_));
        RecordProperty("wrong_and_marked", std::to_string(wrong_));
        RecordProperty("unwitnessed_and_marked", std::to_string(unwitnessed_));
    }

    void make_folders() {
        for (size_t i = 0; i < 2; i++) {
            folders_[i] = folder_ / (i ? "b" : "a");
            mkdir(folders_[i].c_str(), 0700);
            close(open((folders_[i] + "/f").c_str(), O_CREAT | O_WRONLY, 0600));
        }
    }

    /// Changes between the folders in two strings at once, which need not change together.
    Change change_strings(const char* old_name, const char* new_name) {
        strcpy(shared_->old_name, (folders_[0] + old_name).c_str());
        strcpy(shared_->new_name, (folders_[0] + new_name).c_str());
        const size_t letter = folders_[0].size() - 1;
        return [this, letter](unsigned i) {
            static_cast<volatile char*>(shared_->old_name)[letter] = i & 1 ? 'b' : 'a';
            static_cast<volatile char*>(shared_->new_name)[letter] = i & 2 ? 'b' : 'a';
        };
    }
    Change change_directory() {
        return [this](unsigned i) { EXPECT_EQ(chdir(folders_[i & 1].c_str()), 0); };
    }

    const WitnessFolder folder_;
    std::string folders_[2];
    uint64_t compared_ = 0, wrong_ = 0, unwitnessed_ = 0;
    const SharedMemory<Shared> shared_;
};

/// Two descriptors, and a third that becomes the one and the other.
class Changing {
  public:
    Changing(const std::string& one, const std::string& other, int flags)
        : descriptors_{open(one.c_str(), flags), open(other.c_str(), flags)}, fd(dup(descriptors_[0])) {}
    ~Changing() {
        for (const int descriptor : {descriptors_[0], descriptors_[1], fd})
            close(descriptor);
    }
    Changing(const Changing&) = delete;
    Changing& operator=(const Changing&) = delete;
    std::function<void(unsigned)> change() const {
        return [this](unsigned i) { dup2(descriptors_[i & 1], fd); };
    }

  private:
    int descriptors_[2];

  public:
    const int fd;
};

void register_exec_race_tests(ebpf_loader::Tier tier);

} // namespace kernel_test
