// SPDX-License-Identifier: MIT
#pragma once
#include <exception>
#include <functional>
#include <grp.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

/// Runs `action` in a child process, which may give up privileges and change its
/// namespaces, and returns the text it made; what it throws comes as "threw: ...".
inline std::string in_child(const std::function<std::string()>& action) {
    int ends[2];
    if (pipe(ends) != 0)
        throw std::runtime_error("pipe");
    const pid_t child = fork();
    if (child == 0) {
        std::string text;
        try {
            text = action();
        } catch (const std::exception& error) {
            text = std::string("threw: ") + error.what();
        }
        const bool whole = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
        _exit(whole ? 0 : 1);
    }
    close(ends[1]);
    std::string text;
    char part[4096];
    for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0;)
        text.append(part, static_cast<size_t>(got));
    close(ends[0]);
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        throw std::runtime_error("the child failed after: " + text);
    return text;
}

/// Becomes nobody, without any capability.
inline void drop_privileges() {
    if (setgroups(0, nullptr) != 0 || setresgid(65534, 65534, 65534) != 0 ||
        setresuid(65534, 65534, 65534) != 0)
        throw std::runtime_error("this test needs root");
}
