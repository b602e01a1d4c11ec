// SPDX-License-Identifier: MIT
#include "telemetry/top/recorded_event.hpp"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#define RAPIDJSON_SSE2
#endif
#include <rapidjson/reader.h>

#include "telemetry/base/text/time.hpp"

namespace telemetry::top {

namespace {

/// The objects whose members are looked at.
enum class Place : uint8_t {
    other,
    top,
    host,
    event,
    process,
    parent,
    user,
    container,
    linux_,
    telemetry,
    loss
};

struct Step {
    Place from;
    std::string_view name;
    Place to;
};
constexpr Step steps[] = {
    {Place::top, "host", Place::host},       {Place::top, "event", Place::event},
    {Place::top, "process", Place::process}, {Place::top, "container", Place::container},
    {Place::top, "linux", Place::linux_},    {Place::process, "parent", Place::parent},
    {Place::process, "user", Place::user},   {Place::linux_, "telemetry", Place::telemetry},
    {Place::telemetry, "loss", Place::loss},
};

/// What is needed of a line.
struct Fields {
    std::string time, host, code, kind, outcome, entity, name, executable, user_name, user_id, container, tag;
    int64_t pid = -1, parent = -1, lost = 0, folded = 0;

    void clear() {
        for (std::string* text : {&time, &host, &code, &kind, &outcome, &entity, &name, &executable,
                                  &user_name, &user_id, &container, &tag})
            text->clear();
        pid = parent = -1;
        lost = folded = 0;
    }
};

struct TextMember {
    Place in;
    std::string_view name;
    std::string Fields::*to;
};
constexpr TextMember texts[] = {
    {Place::top, "@timestamp", &Fields::time},    {Place::host, "name", &Fields::host},
    {Place::event, "code", &Fields::code},        {Place::event, "kind", &Fields::kind},
    {Place::event, "outcome", &Fields::outcome},  {Place::process, "entity_id", &Fields::entity},
    {Place::process, "name", &Fields::name},      {Place::process, "executable", &Fields::executable},
    {Place::user, "name", &Fields::user_name},    {Place::user, "id", &Fields::user_id},
    {Place::container, "id", &Fields::container}, {Place::top, "tags", &Fields::tag},
};

struct NumberMember {
    Place in;
    std::string_view name;
    int64_t Fields::*to;
};
constexpr NumberMember numbers[] = {{Place::process, "pid", &Fields::pid},
                                    {Place::parent, "pid", &Fields::parent},
                                    {Place::loss, "count", &Fields::lost},
                                    {Place::linux_, "folded", &Fields::folded}};

/// Follows the events of a parser down to the fields that are needed.
class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
  public:
    Fields fields;

    void begin() {
        fields.clear();
        depth_ = 0;
        place_ = Place::other;
        text_ = nullptr;
        number_ = nullptr;
        next_ = Place::top;
        skipped_ = 0;
        is_tags_ = false;
    }

    bool Key(const char* name, rapidjson::SizeType length, bool) {
        text_ = nullptr;
        number_ = nullptr;
        next_ = Place::other;
        if (skipped_ != 0 || place_ == Place::other)
            return true;
        const std::string_view key(name, length);
        for (const Step& step : steps)
            if (step.from == place_ && step.name == key)
                next_ = step.to;
        for (const TextMember& member : texts)
            if (member.in == place_ && member.name == key)
                text_ = &(fields.*member.to);
        for (const NumberMember& member : numbers)
            if (member.in == place_ && member.name == key)
                number_ = &(fields.*member.to);
        return true;
    }
    bool StartObject() {
        if (skipped_ != 0 || next_ == Place::other || depth_ == most_depth) {
            ++skipped_;
            return true;
        }
        above_[depth_++] = place_;
        place_ = next_;
        next_ = Place::other;
        return true;
    }
    bool EndObject(rapidjson::SizeType) {
        if (skipped_ != 0)
            --skipped_;
        else
            place_ = above_[--depth_];
        text_ = nullptr;
        return true;
    }
    /// Of an array the first text counts, where one is asked for.
    bool StartArray() {
        if (text_ == &fields.tag && skipped_ == 0)
            is_tags_ = true;
        next_ = Place::other;
        ++skipped_;
        return true;
    }
    bool EndArray(rapidjson::SizeType) {
        --skipped_;
        is_tags_ = false;
        return true;
    }
    bool String(const char* text, rapidjson::SizeType length, bool) {
        if (is_tags_ && skipped_ == 1 && fields.tag.empty())
            fields.tag.assign(text, length);
        else if (skipped_ == 0 && text_ && text_->empty() && text_ != &fields.tag)
            text_->assign(text, length);
        return true;
    }
    bool number(int64_t value) {
        if (skipped_ == 0 && number_)
            *number_ = value;
        return true;
    }
    bool Int(int value) { return number(value); }
    bool Uint(unsigned value) { return number(value); }
    bool Int64(int64_t value) { return number(value); }
    bool Uint64(uint64_t value) { return number(static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX))); }

  private:
    static constexpr size_t most_depth = 8;

    Place place_ = Place::other, next_ = Place::top;
    Place above_[most_depth];
    size_t depth_ = 0;
    size_t skipped_ = 0; ///< objects and arrays that are open and not looked at
    bool is_tags_ = false;
    std::string* text_ = nullptr;
    int64_t* number_ = nullptr;
};

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

} // namespace

struct RecordedCounter::Reader {
    Handler handler;
    rapidjson::Reader parser;
    std::string text;
};

RecordedCounter::RecordedCounter() : reader_(std::make_unique<Reader>()) {}
RecordedCounter::~RecordedCounter() = default;

/// There are some hundred names of calls; forged lines may have any number.
std::string_view RecordedCounter::kept(const std::string& call) {
    constexpr size_t most = 4096, longest = 64;
    if (call.size() > longest || (calls_.size() >= most && !calls_.contains(call)))
        return "?";
    return *calls_.insert(call).first;
}

bool RecordedCounter::count(std::string_view line, Interval& into) {
    Handler& handler = reader_->handler;
    handler.begin();
    std::string& text = reader_->text;
    text.assign(line); // texts are unescaped in place, and it ends with a NUL
    rapidjson::InsituStringStream stream(text.data());
    // Iterative: how deep a line is nested is its maker's choice.
    constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseInsituFlag;
    if (!reader_->parser.Parse<flags>(stream, handler))
        return false;
    const Fields& fields = handler.fields;
    const auto time = nanoseconds_of(fields.time);
    if (!time)
        return false;
    into.first_time = into.first_time == 0 ? *time : std::min(into.first_time, *time);
    into.last_time = std::max(into.last_time, *time);
    if (fields.kind == "pipeline_error")
        into.activity.count_lost(static_cast<uint64_t>(std::max<int64_t>(fields.lost, 0)));
    if (fields.kind != "event" && fields.kind != "alert")
        return true;
    CountedEvent event;
    event.executable = fields.executable;
    event.user = fields.user_name.empty() ? fields.user_id : fields.user_name;
    event.container = fields.container;
    event.call = kept(fields.code);
    event.rule.key = fields.tag;
    event.times = static_cast<uint64_t>(std::clamp<int64_t>(fields.folded, 1, UINT32_MAX));
    event.failed = fields.outcome == "failure";
    event.bytes = line.size() + 1;
    const uint64_t host = TextLabel::hash_of(fields.host);
    CountedProcess::Ancestors ancestors{};
    if (fields.parent >= 0)
        ancestors[0] = mixed(host, static_cast<uint64_t>(fields.parent));
    if (fields.pid >= 0) {
        const uint64_t place = mixed(host, static_cast<uint64_t>(fields.pid));
        event.process = {.id = fields.entity.empty() ? place : mixed(TextLabel::hash_of(fields.entity), host),
                         .place = place,
                         .pid = static_cast<uint32_t>(fields.pid),
                         .name = fields.name.empty() ? base_name(fields.executable) : fields.name,
                         .user = event.user,
                         .container = event.container,
                         .last = event.call,
                         .ancestors = &ancestors};
    }
    into.activity.count(event);
    return true;
}

} // namespace telemetry::top
