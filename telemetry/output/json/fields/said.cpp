// SPDX-License-Identifier: MIT
#include "telemetry/output/json/fields/said.hpp"

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

JsonSaid::Numbers JsonSaid::numbers_of(const Event& event, const Texts& texts) {
    Numbers numbers{.pid = event.pid,
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
    for (size_t i = 0; i < texts.size(); ++i) {
        numbers.statuses[i] = texts[i]->status;
        numbers.lengths[i] = texts[i]->bytes.size();
    }
    return numbers;
}

/// Their lengths are equal already.
bool JsonSaid::has_texts(const Place& place, const Texts& texts) {
    std::string_view rest = place.texts;
    for (const Text* text : texts) {
        if (!rest.starts_with(text->bytes))
            return false;
        rest.remove_prefix(text->bytes.size());
    }
    return true;
}

JsonSaid::Known JsonSaid::look(const Event& event) {
    const Texts texts = texts_of(event);
    const Numbers numbers = numbers_of(event, texts);
    Place& place = places_[event.pid % places];
    const bool is_first =
        has_new_image(event) || event.carries_image || (event.missing & EBT_MISSING_START_TIME);
    const bool is_old = event.time_ns - place.time_ns > lasts_ns; // also of an event from before it
    if (!is_first && !is_old && place.used && place.numbers == numbers && has_texts(place, texts)) [[likely]]
        return place.thread_name == event.comm ? Known::all : Known::all_but_thread_name;
    place.used = false;
    size_t length = 0;
    for (const Text* text : texts)
        length += text->bytes.size();
    if (length > longest_texts || (event.missing & EBT_MISSING_START_TIME))
        return Known::nothing;
    place.used = true;
    place.time_ns = event.time_ns;
    place.numbers = numbers;
    place.thread_name = event.comm;
    place.texts.clear();
    for (const Text* text : texts)
        place.texts += text->bytes;
    return Known::nothing;
}

} // namespace telemetry
