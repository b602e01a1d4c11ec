// SPDX-License-Identifier: MIT
// For whom a process acts.
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/process.hpp"
#include "telemetry/output/json/process_parts.hpp"

namespace telemetry {

namespace {

void put_id_and_name(JsonLine& line, uint32_t id, std::string_view name) {
    line.put("\"id\":");
    line.put_quoted_number(id);
    if (name.empty())
        return;
    line.put(",\"name\":");
    line.put_derived(name);
}

void put_id_and_name(JsonLine& line, const JsonAccount& fields, uint32_t id, std::string_view name) {
    if (line.wants(fields.id)) {
        line.key("\"id\":");
        line.put_quoted_number(id);
    }
    if (line.wants(fields.name) && !name.empty()) {
        line.key("\"name\":");
        line.put_derived(name);
    }
}

void put_account(JsonLine& line, const JsonAccount& fields, uint32_t id, std::string_view name) {
    if (!line.wants(fields.object))
        return;
    const size_t begin = line.view().size();
    line.next();
    line.put(fields.key);
    put_id_and_name(line, fields, id, name);
    line.end_object(begin);
}

} // namespace

JsonProcess::Who JsonProcess::who_of(const Event& event) const {
    return {{event.uid, event.gid, event.euid, event.egid, event.suid, event.sgid, event.fsuid, event.fsgid},
            is_contained(event),
            names_.generation()};
}

/// The saved ids are written where they are not the effective ones.
void JsonProcess::render_users(JsonLine& line, const Who& who) {
    const ProcessIds& ids = who.ids;
    shows_names_ = !who.is_contained;
    put_user_of(line, {"\"user\":{", Field::process_user, Field::process_user_id, Field::process_user_name},
                ids.euid);
    put_group_of(line,
                 {"\"group\":{", Field::process_group, Field::process_group_id, Field::process_group_name},
                 ids.egid);
    put_user_of(line,
                {"\"real_user\":{", Field::process_real_user, Field::process_real_user_id,
                 Field::process_real_user_name},
                ids.uid);
    put_group_of(line,
                 {"\"real_group\":{", Field::process_real_group, Field::process_real_group_id,
                  Field::process_real_group_name},
                 ids.gid);
    if (ids.suid != ids.euid)
        put_user_of(line,
                    {"\"saved_user\":{", Field::process_saved_user, Field::process_saved_user_id,
                     Field::process_saved_user_name},
                    ids.suid);
    if (ids.sgid != ids.egid)
        put_group_of(line,
                     {"\"saved_group\":{", Field::process_saved_group, Field::process_saved_group_id,
                      Field::process_saved_group_name},
                     ids.sgid);
    shows_names_ = true;
}

/// The effective one: whom the kernel asks.
void JsonProcess::put_user(JsonLine& line, const Event& event) {
    if (event.missing & EBT_MISSING_CREDENTIALS)
        return;
    names_.refresh();
    const Who who = who_of(event);
    users_.put(line, who, event.uid ^ event.euid << 3, [&] {
        shows_names_ = !who.is_contained;
        if (line.wants(Field::user)) {
            const size_t begin = line.view().size();
            line.put(",\"user\":{");
            put_id_and_name(line, {{}, Field::user, Field::user_id, Field::user_name}, who.ids.euid,
                            user_name(who.ids.euid));
            if (line.wants(Field::user_effective_id)) {
                line.key("\"effective\":{\"id\":");
                line.put_quoted_number(who.ids.euid);
                line.put('}');
            }
            line.end_object(begin);
        }
        put_group_of(line, {"\"group\":{", Field::group, Field::group_id, Field::group_name}, who.ids.egid);
        shows_names_ = true;
    });
}

void JsonProcess::put_user_of(JsonLine& line, const JsonAccount& fields, uint32_t uid) {
    put_account(line, fields, uid, user_name(uid));
}

void JsonProcess::put_group_of(JsonLine& line, const JsonAccount& fields, uint32_t gid) {
    put_account(line, fields, gid, group_name(gid));
}

std::string_view JsonProcess::user_name(uint32_t uid) const {
    return shows_names_ ? names_.user(uid) : std::string_view();
}

std::string_view JsonProcess::group_name(uint32_t gid) const {
    return shows_names_ ? names_.group(gid) : std::string_view();
}

void JsonProcess::put_user_name(JsonLine& line, uint32_t uid) {
    put_id_and_name(line, uid, user_name(uid));
}

void JsonProcess::put_group_name(JsonLine& line, uint32_t gid) {
    put_id_and_name(line, gid, group_name(gid));
}

void JsonProcess::put_attributes(JsonLine& line, const Event& event, const InodeInfo& inode) {
    const Attributes attributes = {inode.device,        inode.mode,          inode.uid,
                                   inode.gid,           is_contained(event), line.last() == '{',
                                   names_.generation(), line.selected()};
    const size_t hash = inode.device * 7 ^ inode.mode ^ inode.mode >> 6 ^ inode.uid * 3 ^ inode.gid * 5;
    attributes_.put(line, attributes, hash, [&] {
        put_json_file_attributes(line, inode);
        if (!attributes.is_contained)
            put_owner(line, inode);
    });
}

void JsonProcess::put_owner(JsonLine& line, const InodeInfo& inode) {
    const auto put = [&](Field field, std::string_view key, std::string_view name) {
        if (name.empty() || !line.wants(field))
            return;
        line.next();
        line.put(key);
        line.put_derived(name);
    };
    put(Field::file_owner, "\"owner\":", names_.user(inode.uid));
    put(Field::file_group, "\"group\":", names_.group(inode.gid));
}

} // namespace telemetry
