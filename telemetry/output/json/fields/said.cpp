// SPDX-License-Identifier: MIT
#include "telemetry/output/json/fields/said.hpp"

#include <cstring>

#include "telemetry/event/facts.hpp"

namespace telemetry {
namespace {

constexpr uint32_t of_process = EBT_MISSING_PPID | EBT_MISSING_AUDIT | EBT_MISSING_CREDENTIALS;

} // namespace

/// The stamp stands for the arguments, which may be long.
JsonSaid::Texts JsonSaid::texts_of(const Event& event) {
    static const Text in_stamp;
    const Text& arguments = event.lineage ? in_stamp : event.image.argv;
    return {&event.image.exe, &event.image.tty, &arguments, &event.cwd, &event.root};
}

/// Inline, so that the numbers are compared where they are and no copy is made first.
[[gnu::always_inline]] inline JsonSaid::Numbers JsonSaid::numbers_of(const Event& event) {
    return {.pid = event.pid,
            .ppid = event.ppid,
            .missing = event.missing & of_process,
            .start_time_ns = event.start_time_ns,
            .stamp = event.lineage ? event.lineage->stamp : 0,
            .ids = {event.uid, event.gid, event.euid, event.egid, event.suid, event.sgid, event.fsuid,
                    event.fsgid},
            .auid = event.auid,
            .ses = event.ses,
            .namespaces = event.image.namespaces,
            .has_inode = event.image.exe.has_inode,
            .executable = event.image.exe.inode};
}

bool JsonSaid::has_texts(const Place& place, const Texts& texts) {
    const char* said = place.texts.data();
    for (size_t i = 0; i < texts.size(); ++i) {
        const Text& text = *texts[i];
        const Length& length = place.lengths[i];
        if (text.status != length.status || text.bytes.size() != length.bytes)
            return false;
        if (length.bytes && std::memcmp(said, text.bytes.data(), length.bytes) != 0)
            return false;
        said += length.bytes;
    }
    return true;
}

JsonSaid::Known JsonSaid::look(const Event& event) {
    const Texts texts = texts_of(event);
    Place& place = places_[event.pid % places];
    const bool is_first =
        has_new_image(event) || event.carries_image || (event.missing & EBT_MISSING_START_TIME);
    const bool is_old = event.time_ns - place.time_ns > lasts_ns; // also of an event from before it
    if (!is_first && !is_old && place.used && place.numbers == numbers_of(event) && has_texts(place, texts))
        [[likely]]
        return place.thread_name == event.comm ? Known::all : Known::all_but_thread_name;
    keep(place, event, texts);
    return Known::nothing;
}

void JsonSaid::keep(Place& place, const Event& event, const Texts& texts) {
    size_t length = 0;
    for (const Text* text : texts)
        length += text->bytes.size();
    place.used = length <= longest_texts && !(event.missing & EBT_MISSING_START_TIME);
    if (!place.used)
        return;
    place.time_ns = event.time_ns;
    place.numbers = numbers_of(event);
    place.thread_name = event.comm;
    place.texts.clear();
    for (size_t i = 0; i < texts.size(); ++i) {
        place.lengths[i] = {texts[i]->bytes.size(), texts[i]->status};
        place.texts += texts[i]->bytes;
    }
}

} // namespace telemetry
