// SPDX-License-Identifier: MIT
// What a record says of a process's image besides texts.
#include "telemetry/event/decoder.hpp"

#include <cstring>

namespace telemetry {

void Decoder::read_namespaces(const RawField& field, Event& out) noexcept {
    ebt_namespaces namespaces;
    if (field.bytes.size() < sizeof(namespaces))
        return note(Defect::field_payload, out);
    std::memcpy(&namespaces, field.bytes.data(), sizeof(namespaces));
    out.image.namespaces = {namespaces.mnt, namespaces.pid, namespaces.user};
}

void Decoder::read_capabilities(const RawField& field, Event& out) noexcept {
    ebt_capabilities sets;
    if (!field.is_known())
        return;
    if (field.bytes.size() < sizeof(sets))
        return note(Defect::field_payload, out);
    std::memcpy(&sets, field.bytes.data(), sizeof(sets));
    out.image.capabilities = {true, sets.permitted, sets.effective};
}

} // namespace telemetry
