#!/bin/bash
# SPDX-License-Identifier: MIT
# Follows the recipes of README.md in a copy of the tree: a system call, a kernel field, a field of
# rules, an output format and a sink are added by exactly the edits that it names, and the program that
# comes out has them. All is compiled: what recipes touch is included everywhere.
# shellcheck source=../install/checks.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../install/checks.sh"

copy=$BUILD/recipes
tree=$copy/tree
program=$copy/build/ebpf_telemetry

copy_tree() {
    rm -rf "$tree"
    mkdir -p "$tree"
    tar -C "$SOURCE" -cf - CMakeLists.txt build-scripts get_offsets imds kern loader packaging rules telemetry |
        tar -C "$tree" -xf -
}

# The edits of a recipe; each notes the file that it touches.
touched=()

# row FILE PATTERN TEXT: the text comes behind the first line that matches.
row() {
    touched+=("$1")
    grep -qE "$2" "$tree/$1" || fail "$1 has no line like $2"
    PATTERN=$2 TEXT=$3 awk '{ print } !done && $0 ~ ENVIRON["PATTERN"] { print ENVIRON["TEXT"]; done = 1 }' \
        "$tree/$1" >"$scratch/edited"
    cat "$scratch/edited" >"$tree/$1"
}

# new_file FILE: its text comes on standard input
new_file() {
    touched+=("$1")
    [ ! -e "$tree/$1" ] || fail "$1 is there already"
    cat >"$tree/$1"
}

# end_recipe NAME MOST: it took no more files than MOST, and README.md names each, or its folder.
end_recipe() {
    local files file
    mapfile -t files < <(printf '%s\n' "${touched[@]}" | sort -u)
    echo "$1: ${files[*]}"
    [ "${#files[@]}" -le "$2" ] || fail "$1 took ${#files[@]} files, not $2"
    for file in "${files[@]}"; do
        grep -qF -e "\`$file\`" -e "\`$(basename "$file")\`" -e "\`$(dirname "$file")/\`" "$SOURCE/README.md" ||
            fail "README.md does not name $file"
    done
    touched=()
}

add_system_call() {
    row kern/abi/syscalls.def '^SYSCALL\(471,' \
        'SYSCALL(900, 901, 902, 903, dummy_call, file_change, number, path("dummy_path"), integer("dummy_number"))'
    end_recipe "a system call" 1
}

add_kernel_field() {
    row kern/abi/offsets.def '^OFFSET\(task_struct, exit_code,' \
        'OFFSET(task_struct, exit_signal, OPTIONAL, "task_struct.exit_signal", "a field of the recipes test")'
    row kern/abi/record.h 'NUMBER\(__u32, fsgid\)' "	NUMBER(__u32, dummy) \\"
    row kern/lib/header.h 'h->ppid = ppid;' '
	__u32 dummy = 0;
	if (HAS(task_struct, exit_signal))
		READ(&dummy, task, task_struct, exit_signal);
	h->dummy = dummy;'
    row telemetry/output/text.cpp 'put_id\(" ses=",' '    put_id(" dummy=", event.dummy, true);'
    row telemetry/output/json/fields/fields.def '^FIELD\(linux_audit_ses,' 'FIELD(linux_dummy, "linux.dummy", false, every_line)'
    row telemetry/output/json/linux.cpp '^        put_audit\(line, event\);' '    if (line.wants(Field::linux_dummy)) {
        line.key("\"dummy\":");
        line.put_decimal(event.dummy);
    }'
    end_recipe "a kernel field" 6
}

add_rule_field() {
    row kern/abi/plan.h 'EBT_VALUE_PPID = ' '	EBT_VALUE_DUMMY = 13,'
    row kern/lib/header.h 'v\[EBT_VALUE_PPID\] = ' '	v[EBT_VALUE_DUMMY] = h->dummy;'
    row telemetry/rules/fields.cpp '^constexpr Field FIELDS' '    number_field("dummy", EBT_VALUE_DUMMY, "a dummy",
                 [](const Event& event) -> uint64_t { return event.dummy; }),'
    end_recipe "a field of rules" 3
}

add_format() {
    new_file telemetry/output/dummy.cpp <<'END'
// SPDX-License-Identifier: MIT
#include "telemetry/output/formats.hpp"

namespace telemetry {

namespace {

class DummyFormatter final : public Formatter {
  public:
    void format(const Event&, std::string& out) override { out += "a dummy event\n"; }
    void format(const LossEvent&, std::string& out) override { out += "a dummy loss\n"; }
    void format(const Document&, std::string& out) override { out += "a dummy document\n"; }
};

} // namespace

const Format dummy_format = {
    .name = "dummy",
    .make = [](const FormatContext&) -> std::unique_ptr<Formatter> {
        return std::make_unique<DummyFormatter>();
    },
};

} // namespace telemetry
END
    row telemetry/output/formats.def '^FORMAT\(text\)' 'FORMAT(dummy)'
    end_recipe "an output format" 2
}

add_sink() {
    new_file telemetry/sink/dummy.cpp <<'END'
// SPDX-License-Identifier: MIT
#include "telemetry/sink/sinks.hpp"

namespace telemetry {

namespace {

constexpr SinkOption dummy_options[] = {{"dummy", "count the lines of events"}};

class DummySink final : public Sink {
  public:
    void write(std::string_view, uint64_t events) override { lines_ += events; }
    void flush() override {}
    uint64_t lost() const override { return 0; }
    bool broken() const override { return false; }
    std::string_view error() const override { return {}; }

  private:
    uint64_t lines_ = 0;
};

} // namespace

const SinkKind dummy_sink = {
    .name = "dummy",
    .cause = "output_dummy",
    .options = dummy_options,
    .open = [](const std::string&, const SinkContext&) -> std::unique_ptr<Sink> {
        return std::make_unique<DummySink>();
    },
};

} // namespace telemetry
END
    row telemetry/sink/sinks.def '^SINK\(syslog\)' 'SINK(dummy)'
    end_recipe "a sink" 2
}

build() {
    local generator=()
    command -v ninja >/dev/null && generator=(-G Ninja)
    "$CMAKE" "${generator[@]}" -S "$tree" -B "$copy/build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 \
        -DEBT_TESTS=OFF -DEBT_BENCH=OFF -DCMAKE_CXX_COMPILER="$CXX" >"$scratch/log" 2>&1 ||
        fail "$(cat "$scratch/log")"
    "$CMAKE" --build "$copy/build" --parallel "$(nproc)" --target ebpf_telemetry >"$scratch/log" 2>&1 ||
        fail "$(tail -50 "$scratch/log")"
}

# A call without a class must not compile.
expect_class_to_be_required() {
    sed 's/^SYSCALL(900, 901, 902, 903, dummy_call, file_change, /SYSCALL(900, 901, 902, 903, dummy_call, /' \
        "$tree/kern/abi/syscalls.def" >"$scratch/syscalls.def"
    sed "s|<ebpf_loader/abi/syscalls.def>|\"$scratch/syscalls.def\"|" "$tree/loader/src/tables/syscalls.cpp" \
        >"$scratch/table.cpp"
    if "$CXX" -std=c++20 -fsyntax-only -I "$tree" -I "$tree/loader/include" -I "$copy/build/include" \
        "$scratch/table.cpp" 2>"$scratch/err"; then
        fail "a system call without a class compiles"
    fi
    expect_text "$scratch/err" "EventClass"
}

expect_system_call() {
    expect_status 0 "$program" --list-syscalls
    expect_text "$scratch/out" "     900     901     900     902     903  dummy_call(path dummy_path, integer dummy_number)"
    expect_class_to_be_required
}

expect_fields() {
    echo 'execve dummy < 100' >"$scratch/rules"
    expect_status 0 "$program" --check -r "$scratch/rules"
    (for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3 && /bin/true; done) &
    expect_status 0 "$program" -r "$scratch/rules" --duration 2 -f json
    expect_text "$scratch/out" '"dummy":17' # SIGCHLD is what a child of a shell ends with
    wait
}

expect_format() {
    expect_status 0 "$program" --help
    expect_text "$scratch/out" "dummy"
    expect_status 0 "$program" --probe -f dummy
    [ "$(cat "$scratch/out")" = "a dummy document" ] || fail "--probe -f dummy printed:" "$(cat "$scratch/out")"
}

expect_sink() {
    expect_status 0 "$program" --help
    expect_text "$scratch/out" "--dummy "
    expect_text "$scratch/out" "count the lines of events"
    expect_status 0 "$program" -r "$scratch/rules" --duration 1 --dummy
}

copy_tree
add_system_call
add_kernel_field
add_rule_field
add_format
add_sink
build
expect_system_call
expect_fields
expect_format
expect_sink
echo "recipes: the program has what they add"
