// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "test/unit/support/temporary_folder.hpp"

inline std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Without a last one that does not end: a program may be writing it.
inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line) && !stream.eof();)
        lines.push_back(line);
    return lines;
}

/// What -c takes for the program to start here: the config in EBT_CONFIG, or none, for the
/// kernel itself to tell.
inline std::string usable_config() {
    const char* const given = getenv("EBT_CONFIG");
    return given && *given ? given : "none";
}

/// Waits until something is so; false when it takes too long.
inline bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 3000; i++) {
        if (holds())
            return true;
        usleep(10'000);
    }
    return false;
}

/// The program, started with some arguments. Both of its streams go to files, unless
/// standard output is given another place.
class RunningProgram {
  public:
    struct Setting {
        int standard_output = -1;             ///< -1: a file
        std::function<void()> before = [] {}; ///< in the child, before its streams are set
        std::function<void()> last = [] {};   ///< right before it becomes the program
    };

    explicit RunningProgram(std::vector<std::string> arguments)
        : RunningProgram(std::move(arguments), Setting{}) {}
    RunningProgram(std::vector<std::string> arguments, const Setting& setting) {
        if (std::ranges::find(arguments, "--heartbeat") == arguments.end()) // of a slow machine's long runs
            arguments.insert(arguments.begin(), {"--heartbeat", "0"});
        arguments.insert(arguments.begin(), PROGRAM);
        std::vector<char*> pointers;
        for (std::string& argument : arguments)
            pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        pid_ = fork();
        if (pid_ != 0)
            return;
        setting.before();
        dup2(setting.standard_output >= 0 ? setting.standard_output : open_file("out"), STDOUT_FILENO);
        dup2(open_file("err"), STDERR_FILENO);
        setting.last();
        execv(PROGRAM, pointers.data());
        _exit(126);
    }
    ~RunningProgram() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;

    pid_t pid() const { return pid_; }
    std::string out() const { return read_file(folder_.path() + "/out"); }
    std::string err() const { return read_file(folder_.path() + "/err"); }

    /// From here on nothing goes unseen.
    bool reports() const {
        return eventually([&] { return err().find("info: reporting\n") != std::string::npos; });
    }

    void send(int signal) const { kill(pid_, signal); }

    /// The exit status; -1 when it does not end, 128 and more for a signal.
    int wait() {
        int status = 0;
        bool ended = eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
        if (!ended)
            return -1;
        pid_ = -1;
        EXPECT_EQ(err().find("was refused, since it is not on this program's list"), std::string::npos)
            << err();
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    /// Summaries, of a program that writes JSON.
    std::vector<nlohmann::json> summaries() const {
        std::vector<nlohmann::json> found;
        for (const std::string& line : lines_of(err()))
            if (line.starts_with("{"))
                found.push_back(nlohmann::json::parse(line));
        return found;
    }

  private:
    int open_file(const char* name) const {
        return open((folder_.path() + "/" + name).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    }

    TemporaryFolder folder_;
    pid_t pid_ = -1;
};
