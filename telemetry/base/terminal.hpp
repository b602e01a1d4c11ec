// SPDX-License-Identifier: MIT
#pragma once

namespace telemetry {

/// Does this process belong to a terminal, whose end SIGHUP tells?
bool has_controlling_terminal();
/// Is standard output a terminal?
bool is_terminal();
/// Does a person see standard error?
bool is_error_terminal();
/// How wide it is now; 0: it is none, or does not say.
unsigned terminal_columns();
/// Is it one that the user wants colours on? NO_COLOR (no-color.org) says no.
bool terminal_has_colours();

} // namespace telemetry
