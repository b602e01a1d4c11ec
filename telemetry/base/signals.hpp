// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry {

/// What the outside asks of the running program: SIGINT and SIGTERM to end, SIGHUP to
/// open its files anew. Signals interrupt waiting system calls.
namespace signals {

/// A second SIGINT or SIGTERM ends the program at once. SIGHUP stays ignored where it
/// was (nohup). SIGPIPE is ignored: outputs see the error and count.
void install();

bool end_asked();
/// True once for each SIGHUP that came.
bool take_hangup();

} // namespace signals

} // namespace telemetry
