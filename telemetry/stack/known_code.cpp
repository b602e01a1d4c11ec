// SPDX-License-Identifier: MIT
#include "telemetry/stack/known_code.hpp"

namespace telemetry {
namespace {

constexpr size_t node_bytes = 64; ///< of a map, besides what it holds

size_t bytes_of(const CodePlace& place) {
    return node_bytes + sizeof(FileIdentity) + sizeof(uint64_t) + sizeof(place) + place.symbol.capacity();
}

} // namespace

const CodePlace* KnownCode::find(const FileIdentity& file, uint64_t offset) const {
    const auto found = places_.find({file, offset});
    return found == places_.end() ? nullptr : &found->second;
}

void KnownCode::keep(const FileIdentity& file, uint64_t offset, const CodePlace& place) {
    const size_t bytes = bytes_of(place);
    if (bytes_ + bytes > limits_.bytes) {
        places_.clear();
        bytes_ = 0;
    }
    if (places_.try_emplace({file, offset}, place).second)
        bytes_ += bytes;
}

const std::string* KnownCode::find_build_id(const FileIdentity& file) const {
    const auto found = build_ids_.find(file);
    return found == build_ids_.end() ? nullptr : &found->second;
}

void KnownCode::keep_build_id(const FileIdentity& file, const std::string& id) {
    if (build_ids_.size() >= limits_.files)
        build_ids_.clear();
    build_ids_[file] = id;
}

void KnownCode::refuse(const FileIdentity& file, Part part) {
    if (refused_.size() >= limits_.files)
        refused_.clear();
    refusals_ += refused_.insert({file, part}).second;
}

} // namespace telemetry
