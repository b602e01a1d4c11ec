// SPDX-License-Identifier: MIT
// A shared library that calls back: a function between those of the program.
namespace ours {

int by_library(int (*function)(int), int value) {
    const int result = function(value);
    __asm__ volatile(""); // else it is a jump
    return result;
}

} // namespace ours
