// SPDX-License-Identifier: MIT
#include "telemetry/process/container_names.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/process/container.hpp"
#include "telemetry/rights/aside_thread.hpp"

namespace telemetry {
namespace {

constexpr size_t most_bytes = 1 << 20, most_name = 512;
constexpr unsigned most_attempts = 3;

/// Empty when it cannot be read, is no regular file, or is too large.
std::string text_of(const std::string& path) {
    const ebpf_loader::UniqueFd file(
        open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        static_cast<size_t>(status.st_size) > most_bytes)
        return {};
    std::string text(static_cast<size_t>(status.st_size), '\0');
    const ssize_t got = pread(file.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return text;
}

using Value = nlohmann::json;

/// Of a kind that has no members where it is no JSON, or no UTF-8. However deep it is nested, neither the
/// parser nor what frees its values recurses.
Value parsed(std::string_view text) {
    return Value::parse(text, nullptr, false);
}

const Value* member(const Value* object, const char* name) {
    if (!object || !object->is_object())
        return nullptr;
    const auto found = object->find(name);
    return found == object->end() ? nullptr : &*found;
}

std::string string_of(const Value* value) {
    const std::string* const text = value ? value->get_ptr<const std::string*>() : nullptr;
    return text && text->size() <= most_name ? *text : std::string();
}

/// The first of these that the object has.
std::string first_of(const Value* object, std::initializer_list<const char*> names) {
    for (const char* name : names)
        if (std::string text = string_of(member(object, name)); !text.empty())
            return text;
    return {};
}

/// Of docker, and of Kubernetes by way of docker.
ContainerNames of_docker(const Value& config) {
    const Value* const own = member(&config, "Config");
    const Value* const labels = member(own, "Labels");
    ContainerNames names{string_of(member(&config, "Name")), string_of(member(own, "Image")),
                         first_of(labels, {"io.kubernetes.pod.name"}),
                         first_of(labels, {"io.kubernetes.pod.namespace"})};
    if (names.name.starts_with('/'))
        names.name.erase(0, 1);
    return names;
}

/// Of containerd and CRI-O, which write a specification of the Open Container Initiative and annotate it.
ContainerNames of_specification(const Value& config) {
    const Value* const notes = member(&config, "annotations");
    return {first_of(notes, {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"}),
            first_of(notes, {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"}),
            first_of(notes, {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"}),
            first_of(notes, {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"})};
}

/// Of podman: an entry of the list that its storage keeps, with more in a text that is JSON itself.
ContainerNames of_storage(const Value& list, std::string_view id) {
    if (!list.is_array())
        return {};
    for (const Value& entry : list) {
        if (string_of(member(&entry, "id")) != id)
            continue;
        const Value* const more = member(&entry, "metadata");
        if (!more || !more->is_string())
            return {};
        const Value metadata = parsed(more->get_ref<const std::string&>());
        return {first_of(&metadata, {"metadata-name", "name"}), first_of(&metadata, {"image-name"}), {}, {}};
    }
    return {};
}

constexpr const char* task_folders[] = {
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/",
    "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/",
};
constexpr const char* storage_folders[] = {
    "/run/containers/storage/overlay-containers/",
    "/var/lib/containers/storage/overlay-containers/",
};

std::string path_of(std::initializer_list<std::string_view> parts) {
    std::string path;
    for (const std::string_view part : parts)
        path += part;
    return path;
}

} // namespace

ContainerNames read_container_names(const std::string& root, std::string_view id) {
    if (!is_container_id(id))
        return {};
    const auto found = [](const ContainerNames& names) { return names != ContainerNames(); };
    const std::string docker = text_of(path_of({root, "/var/lib/docker/containers/", id, "/config.v2.json"}));
    if (ContainerNames names = of_docker(parsed(docker)); found(names))
        return names;
    for (const char* folder : task_folders)
        if (ContainerNames names =
                of_specification(parsed(text_of(path_of({root, folder, id, "/config.json"}))));
            found(names))
            return names;
    for (const char* folder : storage_folders)
        if (ContainerNames names =
                of_specification(parsed(text_of(path_of({root, folder, id, "/userdata/config.json"}))));
            found(names))
            return names;
    return of_storage(parsed(text_of(path_of({root, storage_folders[1], "containers.json"}))), id);
}

ContainerFiles::ContainerFiles(std::string root, std::chrono::milliseconds again_after)
    : root_(std::move(root)), again_after_(again_after) {
    thread_ = start_aside([this] { work(); });
}

ContainerFiles::~ContainerFiles() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    wakes_.notify_all();
    thread_.join();
}

std::shared_ptr<const ContainerNames> ContainerFiles::names(std::string_view id) {
    if (!is_container_id(id))
        return nullptr;
    std::string key(id);
    const std::lock_guard lock(mutex_);
    auto found = known_.find(key);
    if (found == known_.end()) {
        if (known_.size() >= most_known) {
            known_.clear();
            wanted_.clear();
        }
        found = known_.emplace(key, Known{}).first;
    }
    if (!found->second.names)
        want(key, found->second);
    return found->second.names;
}

void ContainerFiles::want(const std::string& id, Known& known) {
    if (known.is_wanted || known.attempts >= most_attempts || wanted_.size() >= most_wanted ||
        (known.attempts && Clock::now() < known.again_at))
        return;
    known.is_wanted = true;
    wanted_.push_back(id);
    wakes_.notify_one();
}

const ContainerNames* CurrentContainers::names(std::string_view id) {
    if (!files_ || id.size() < sizeof(size_t))
        return nullptr;
    size_t hash = 0;
    std::memcpy(&hash, id.data(), sizeof(hash)); // of random digits
    Place& place = places_[(hash ^ hash >> 16) % places];
    const uint64_t generation = files_->generation();
    const bool is_same = place.id == id;
    if (is_same && (place.names || (place.generation == generation && ++place.asked_before < events_between)))
        return place.names.get();
    if (!is_same)
        place.id = id;
    place.generation = generation;
    place.asked_before = 0;
    place.names = files_->names(id);
    return place.names.get();
}

void ContainerFiles::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        wakes_.wait(lock, [this] { return is_ending_ || !wanted_.empty(); });
        if (is_ending_)
            return;
        const std::string id = std::move(wanted_.front());
        wanted_.pop_front();
        lock.unlock();
        ContainerNames names = read_container_names(root_, id);
        const bool is_found = names != ContainerNames();
        lock.lock();
        const auto known = known_.find(id); // forgotten meanwhile, it is asked for again
        if (known == known_.end())
            continue;
        known->second.is_wanted = false;
        ++known->second.attempts;
        known->second.again_at = Clock::now() + again_after_;
        if (!is_found)
            continue;
        known->second.names = std::make_shared<const ContainerNames>(std::move(names));
        generation_.fetch_add(1, std::memory_order_release);
    }
}

} // namespace telemetry
