// SPDX-License-Identifier: MIT
// Random rules and events: matches() against a plain model of the language, and the
// kernel's filter against matches().
#include "test/unit/rules/support.hpp"

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

namespace {

using namespace rules_test;

using Predicate = std::function<bool(const Event&)>;

/// A piece of a rule: how it is written and what it means.
struct Piece {
    std::string text;
    Predicate holds;
    bool numeric = true;
    size_t values = 1; ///< of a set: each makes a clause of its own
};

struct Value {
    const char* text;
    uint64_t bits;
};

class Generator {
  public:
    explicit Generator(unsigned seed) : random_(seed) {}

    size_t below(size_t n) { return random_() % n; }
    template <typename T> const T& pick(const std::vector<T>& from) { return from[below(from.size())]; }

    Event event();
    Piece clause(bool with_text);

  private:
    Piece comparison(bool with_text);
    Piece number();
    Piece narrow_number();
    Piece no_bits();
    Piece set(bool with_text);
    Piece result();
    Piece text();

    std::mt19937 random_;
};

const std::vector<uint64_t> INTERESTING = {0,
                                           1,
                                           2,
                                           3,
                                           9,
                                           0x7fffffff,
                                           0x80000000,
                                           0xfffffffe,
                                           0xffffffff,
                                           0x100000000,
                                           0x7fffffffffffffff,
                                           0x8000000000000000,
                                           0xffffffff00000001,
                                           0xffffffffffffff9c,
                                           0xffffffffffffffff};
const std::vector<std::string_view> TEXTS = {
    "/etc/passwd", "/etc/", "/usr/lib/x.so", ".so", "", "sh", "passwd", "/", "s", "/e", "/etc/x.d/passwd.so"};

/// openat: a0 is a signed int, a1 a pointer, a2 flags; lseek has a1 of 64 bits.
Event Generator::event() {
    Event event = event_of("openat");
    for (uint64_t& arg : event.args)
        arg = pick(INTERESTING);
    event.ret = static_cast<int64_t>(pick(INTERESTING));
    for (uint32_t* field : {&event.uid, &event.euid, &event.auid, &event.pid, &event.ppid})
        *field = static_cast<uint32_t>(pick(INTERESTING));
    event.comm = pick(TEXTS);
    event.image.exe.bytes = pick(TEXTS);
    for (size_t i = below(3); i > 0; --i)
        add_path(event, pick(TEXTS));
    return event;
}

template <typename Unsigned, typename Signed>
bool compare(const std::string& op, Unsigned value, Unsigned operand, bool is_signed) {
    if (op == "=")
        return value == operand;
    if (op == "!=")
        return value != operand;
    if (op == "&")
        return (value & operand) == operand;
    if (op == "|" || op == "!|")
        return ((value & operand) != 0) == (op == "|");
    const bool less = is_signed ? static_cast<Signed>(value) < static_cast<Signed>(operand) : value < operand;
    if (op == "<" || op == ">=")
        return less == (op == "<");
    const bool more = !less && value != operand;
    return more == (op == ">");
}

const std::vector<std::string> NUMBER_OPERATORS = {"=", "!=", "<", ">", "<=", ">=", "&", "|"};

/// The pointer of openat: 64 bits.
Piece Generator::number() {
    const std::string op = pick(NUMBER_OPERATORS);
    const bool is_signed = below(2);
    const uint64_t operand = pick(INTERESTING);
    return {"a1" + op + (is_signed ? "s" : "") + std::to_string(operand),
            [=](const Event& e) { return compare<uint64_t, int64_t>(op, e.args[1], operand, is_signed); }};
}

/// What is 32 bits wide.
Piece Generator::narrow_number() {
    struct Field {
        const char* name;
        std::function<uint64_t(const Event&)> get;
    };
    static const std::vector<Field> fields = {
        {"a0", [](const Event& e) { return e.args[0]; }}, {"flags", [](const Event& e) { return e.args[2]; }},
        {"uid", [](const Event& e) { return e.uid; }},    {"euid", [](const Event& e) { return e.euid; }},
        {"auid", [](const Event& e) { return e.auid; }},  {"pid", [](const Event& e) { return e.pid; }},
        {"ppid", [](const Event& e) { return e.ppid; }}};
    const Field field = pick(fields);
    const std::string op = pick(NUMBER_OPERATORS);
    const auto operand = static_cast<uint32_t>(pick(INTERESTING));
    const bool negative = below(3) == 0;
    const bool is_signed = negative || below(2);
    const std::string written =
        negative ? std::to_string(static_cast<int32_t>(operand)) : std::to_string(operand);
    const bool really_signed = written[0] == '-' || (is_signed && !negative);
    return {field.name + (" " + op) + (is_signed && !negative ? " s" : " ") + written, [=](const Event& e) {
                return compare<uint32_t, int32_t>(op, static_cast<uint32_t>(field.get(e)), operand,
                                                  really_signed);
            }};
}

Piece Generator::result() {
    if (below(2)) {
        const bool wanted = below(2), equal = below(2);
        return {std::string("success") + (equal ? "=" : "!=") + (wanted ? "yes" : "no"),
                [=](const Event& e) { return ((e.ret >= 0) == wanted) == equal; }};
    }
    const std::string op = pick(NUMBER_OPERATORS);
    const auto operand = static_cast<int64_t>(pick(INTERESTING));
    return {"ret" + op + std::to_string(operand), [=](const Event& e) {
                return compare<uint64_t, int64_t>(op, static_cast<uint64_t>(e.ret),
                                                  static_cast<uint64_t>(operand), true);
            }};
}

bool compare_text(char op, std::string_view text, std::string_view wanted) {
    switch (op) {
    case '^':
        return text.substr(0, wanted.size()) == wanted;
    case '$':
        return text.size() >= wanted.size() && text.substr(text.size() - wanted.size()) == wanted;
    case '~':
        return text.find(wanted) != text.npos;
    default:
        return text == wanted;
    }
}

Piece Generator::text() {
    const std::string op = pick(std::vector<std::string>{"=", "!=", "^", "$", "~"});
    const std::string wanted(pick(TEXTS));
    const std::string field = pick(std::vector<std::string>{"path", "exe", "comm"});
    const auto holds = [=](const Event& e) {
        const char sign = op == "!=" ? '=' : op[0];
        bool any = false;
        if (field == "path")
            for (uint8_t i = 0; i < e.paths; ++i)
                any = any || compare_text(sign, e.path[i].bytes, wanted);
        else
            any = compare_text(sign, field == "exe" ? e.image.exe.bytes : e.comm, wanted);
        return any != (op == "!=");
    };
    return {field + op + '"' + wanted + '"', holds, false};
}

/// One to three values.
Piece Generator::set(bool with_text) {
    std::vector<uint64_t> numbers;
    std::vector<std::string> texts;
    std::string written;
    for (size_t i = 1 + below(3); i > 0; --i) {
        numbers.push_back(pick(INTERESTING));
        texts.emplace_back(pick(TEXTS));
        written += (written.empty() ? "" : ", ") +
                   (with_text ? '"' + texts.back() + '"' : std::to_string(numbers.back()));
    }
    if (with_text)
        return {"comm in {" + written + "}",
                [=](const Event& e) { return std::find(texts.begin(), texts.end(), e.comm) != texts.end(); },
                false, texts.size()};
    return {
        "a1 in { " + written + " }",
        [=](const Event& e) { return std::find(numbers.begin(), numbers.end(), e.args[1]) != numbers.end(); },
        true, numbers.size()};
}

/// Which the program decides alone.
Piece Generator::no_bits() {
    const uint64_t operand = pick(INTERESTING);
    return {"a1 !| " + std::to_string(operand),
            [=](const Event& e) { return compare<uint64_t, int64_t>("!|", e.args[1], operand, false); },
            false};
}

Piece Generator::comparison(bool with_text) {
    switch (below(with_text ? 7 : 4)) {
    case 0:
        return number();
    case 1:
        return narrow_number();
    case 2:
        return result();
    case 3:
        return set(false);
    case 4:
        return set(true);
    case 5:
        return no_bits();
    default:
        return text();
    }
}

Piece Generator::clause(bool with_text) {
    Piece clause = comparison(with_text);
    for (size_t i = below(3); i > 0; --i) {
        const Piece more = comparison(with_text);
        clause.text += " && " + more.text;
        clause.holds = [first = clause.holds, second = more.holds](const Event& e) {
            return first(e) && second(e);
        };
        clause.numeric = clause.numeric && more.numeric;
        clause.values *= more.values;
    }
    return clause;
}

/// A whole file about openat.
struct File {
    std::string text;
    std::vector<Predicate> includes;
    std::vector<Predicate> excludes;
    bool everything = false;
    bool has_sets = false;
    size_t comparisons = 0; ///< at most, sets expanded
    bool numeric = true;

    void add(Generator& generator, bool exclude, bool with_text) {
        text += exclude ? "not openat" : "openat";
        for (size_t i = 1 + generator.below(4); i > 0; --i) {
            const Piece clause = generator.clause(with_text);
            text += ' ' + clause.text;
            (exclude ? excludes : includes).push_back(clause.holds);
            numeric = numeric && clause.numeric;
            has_sets = has_sets || clause.values > 1;
            comparisons += clause.values * (1 + std::count(clause.text.begin(), clause.text.end(), '&') / 2);
        }
        text += '\n';
    }

    bool wants(const Event& event) const {
        const auto any = [&](const std::vector<Predicate>& clauses) {
            for (const Predicate& clause : clauses)
                if (clause(event))
                    return true;
            return false;
        };
        return (everything || any(includes)) && !any(excludes);
    }
};

File random_file(Generator& generator, bool with_text) {
    File file;
    for (size_t i = 1 + generator.below(2); i > 0; --i)
        file.add(generator, false, with_text);
    for (size_t i = generator.below(3); i > 0; --i)
        file.add(generator, true, with_text);
    if (generator.below(8) == 0) {
        file.everything = true;
        file.text += "openat\n";
    }
    return file;
}

class RulesProperty : public testing::TestWithParam<bool> {};

TEST_P(RulesProperty, ModelKernelAndProgramAgree) {
    Generator generator(GetParam() ? 20 : 10);
    size_t wanted_events = 0, unwanted_events = 0, exact = 0;
    for (int i = 0; i < 1500; ++i) {
        const File file = random_file(generator, GetParam());
        const Rules rules = parse(file.text);
        const auto selection = rules.compile();
        const bool decides = rules.kernel_decides(ebpf_loader::row_of(call("openat")));
        exact += decides;
        for (int j = 0; j < 40; ++j) {
            const Event event = generator.event();
            const bool wanted = rules.matches(event);
            const bool passed = kernel_passes(selection, event);
            ASSERT_EQ(wanted, file.wants(event)) << file.text;
            ASSERT_TRUE(passed || !wanted) << file.text;
            if (decides) {
                ASSERT_EQ(passed, wanted) << file.text;
            }
            (wanted ? wanted_events : unwanted_events)++;
        }
        const size_t used = selection.plans().begin()->second.predicates;
        if (file.numeric &&
            (file.has_sets ? file.comparisons <= EBT_PREDICATES : used < EBT_PREDICATES - 3)) {
            ASSERT_TRUE(decides) << "numeric and small: " << file.text;
        }
    }
    EXPECT_GT(wanted_events, 5000u);
    EXPECT_GT(unwanted_events, 5000u);
    EXPECT_GT(exact, GetParam() ? 50u : 1200u);
}

INSTANTIATE_TEST_SUITE_P(Clauses, RulesProperty, testing::Bool(),
                         [](const auto& which) { return which.param ? "WithText" : "Numeric"; });

} // namespace
