// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <exception>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "telemetry/rights/aside_thread.hpp"

namespace telemetry {

/// Work of a thread of its own, which is asked now and then whether it is done.
template <typename Result> class AsideJob {
  public:
    explicit AsideJob(std::function<Result()> work)
        : thread_(start_aside([this, work = std::move(work)] { run(work); })) {}
    /// Waits for the end of the work.
    ~AsideJob() {
        if (thread_.joinable())
            thread_.join();
    }
    AsideJob(const AsideJob&) = delete;
    AsideJob& operator=(const AsideJob&) = delete;

    bool is_done() const { return is_done_; }
    /// Once it is done. Throws what the work threw.
    Result take() {
        thread_.join();
        if (error_)
            std::rethrow_exception(error_);
        return std::move(*result_);
    }

  private:
    void run(const std::function<Result()>& work) {
        try {
            result_.emplace(work());
        } catch (...) {
            error_ = std::current_exception();
        }
        is_done_ = true;
    }

    std::optional<Result> result_;
    std::exception_ptr error_;
    std::atomic<bool> is_done_{false};
    std::thread thread_; ///< the last: it uses the others
};

} // namespace telemetry
