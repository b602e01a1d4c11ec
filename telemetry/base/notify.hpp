// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

namespace telemetry::notify {

/// Sends to the service manager that started this program (systemd's sd_notify protocol), if it wants to
/// know: a datagram to $NOTIFY_SOCKET. Never waits; what cannot be sent is dropped.
void send(std::string_view state);
/// That the configuration is being read anew; READY=1 ends it.
void send_reloading();

/// Has the service manager asked this process for signs of life (WatchdogSec=)?
bool is_watched();

} // namespace telemetry::notify
