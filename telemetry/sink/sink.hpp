// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

namespace telemetry {

/// Where formatted lines go. Errors do not throw: they are counted, and a sink that
/// can no longer work is broken().
class Sink {
  public:
    virtual ~Sink() = default;
    /// Takes whole lines, `events` of them with an event each; when others are lost, such as those that
    /// report losses, that is not counted.
    virtual void write(std::string_view lines, uint64_t events) = 0;
    /// Pushes out what is buffered; called when the stream is idle and at the end.
    virtual void flush() = 0;
    /// True: it writes to a file, which may be renamed and opened anew (log rotation).
    virtual bool can_reopen() const { return false; }
    /// Where that file is.
    virtual std::string_view path() const { return {}; }
    /// False when the file cannot be opened anew: it goes on with the old one, and error() says why.
    virtual bool reopen() { return true; }
    /// The very end: what cannot be pushed out now is lost, and lost() is final.
    virtual void finish() { flush(); }
    /// Events that did not reach the destination.
    virtual uint64_t lost() const = 0;
    /// What waits to be written.
    virtual uint64_t queued_bytes() const { return 0; }
    /// True once nothing more can be written (EPIPE, closed terminal): time to end.
    virtual bool broken() const = 0;
    /// Why, for the summary; empty when all is well.
    virtual std::string_view error() const = 0;
};

} // namespace telemetry
