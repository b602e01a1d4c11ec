// SPDX-License-Identifier: MIT
#pragma once
#include <string>

/// arm64 lacks the calls that take a path alone: there the C library makes the one that takes a directory,
/// too. These are the expectation's words as they hold on this machine.

/// Of a line of the rules file.
std::string native_rule(const std::string& rule);
/// Of a field, as in syscall=unlink.
std::string native_field(const std::string& field);
/// Is it the name of the machine, as in arch=x86_64?
bool is_machine(const std::string& word);
/// Is it this machine's?
bool is_this_machine(const std::string& word);
