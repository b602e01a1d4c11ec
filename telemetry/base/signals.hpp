// SPDX-License-Identifier: MIT
#pragma once
#include <string>

namespace telemetry {

/// The signals that control the program: SIGINT and SIGTERM end it, on SIGHUP it reopens its files. They
/// interrupt system calls that wait.
namespace signals {

/// Installs the handlers. A second SIGINT or SIGTERM kills the program at once. SIGHUP stays ignored if it
/// was (nohup). SIGPIPE is ignored: outputs get the error and count it.
void install();

/// As if SIGINT had come.
void ask_end();
/// Has SIGINT or SIGTERM arrived?
bool end_asked();
/// Which signal it was and who sent it, as "SIGTERM from process 42 of user 0"; empty if none has arrived.
std::string end_signal();
/// Returns true if SIGHUP has arrived since the last call.
bool take_hangup();

} // namespace signals

} // namespace telemetry
