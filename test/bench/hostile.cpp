// SPDX-License-Identifier: MIT
// What inputs that others choose cost on the reading thread, in ns for each byte of theirs: the worst that
// are known, beside ordinary ones. Prints the table of docs/performance.md. Its argument: so many
// milliseconds for each.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <ebpf_loader/unique_fd.hpp>

#include "imds/app/tracker.hpp"
#include "imds/http/parser.hpp"
#include "imds/judge/body_fields.hpp"
#include "imds/judge/scrubber.hpp"
#include "imds/output/formatter.hpp"
#include "telemetry/elf/demangle.hpp"
#include "telemetry/elf/elf.hpp"
#include "telemetry/elf/unwind_table.hpp"
#include "telemetry/stack/walk.hpp"
#include "test/unit/output/output_samples.hpp"
#include "test/unit/stack/made_elf.hpp"
#include "test/unit/support/local_route.hpp"

namespace {

using namespace telemetry;
using Clock = std::chrono::steady_clock;

std::chrono::milliseconds time_for_each{300};

/// The least of several measurements: others run on the machine too.
double ns_of(const std::function<void()>& work) {
    double best = 1e18;
    const auto end = Clock::now() + time_for_each;
    do {
        const auto begin = Clock::now();
        work();
        best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - begin).count());
    } while (Clock::now() < end);
    return best;
}

void row(const char* what, size_t plain_bytes, double plain_ns, size_t bytes, double ns) {
    const double plain = plain_ns / static_cast<double>(plain_bytes),
                 hostile = ns / static_cast<double>(bytes);
    std::printf("| %s | %zu | %.3f | %.1f | %.1f | %.1f |\n", what, bytes, ns / 1e6, plain, hostile,
                hostile / plain);
}

/// The same work on an ordinary input and on a hostile one.
void compare(const char* what, const std::string& plain, const std::string& hostile,
             const std::function<void(const std::string&)>& work) {
    row(what, plain.size(), ns_of([&] { work(plain); }), hostile.size(), ns_of([&] { work(hostile); }));
}

/// A file in memory, `hole` bytes long where that is more.
ebpf_loader::UniqueFd file_of(const std::string& bytes, off_t hole = 0) {
    ebpf_loader::UniqueFd fd(memfd_create("elf", MFD_CLOEXEC));
    if (write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        (hole && ftruncate(fd.get(), hole) != 0))
        std::abort();
    return fd;
}

/// As for a stack of 64 functions of the file: the way up, then the names.
void read_elf(const ebpf_loader::UniqueFd& fd) {
    const StackLimits limits;
    WorkBudget budget(limits.stack);
    const auto file = ElfFile::open(ByteSource(ebpf_loader::UniqueFd(dup(fd.get())), budget));
    if (!file)
        return;
    std::vector<uint64_t> addresses;
    for (uint64_t i = 0; i < limits.frames && !budget.is_spent(); ++i) {
        addresses.push_back(4096 + 64 * i);
        const WorkBudget::Operation operation(budget, limits.unwinding);
        find_unwind_rules(*file, addresses.back());
    }
    const WorkBudget::Operation operation(budget, limits.symbols);
    for (const auto& symbol : file->find_symbols(addresses).found)
        if (symbol)
            demangled(symbol->name, budget);
}

void elf() {
    const std::string plain = stack_test::elf_of_symbols(2000, {"main", "connect", "_ZN4curl4sendEPKcm"});
    const auto plain_file = file_of(plain);
    const double plain_ns = ns_of([&] { read_elf(plain_file); });
    const auto compare_with = [&](const char* what, const std::string& bytes, off_t hole = 0) {
        const auto file = file_of(bytes, hole);
        row(what, plain.size(), plain_ns, bytes.size(), ns_of([&] { read_elf(file); }));
    };
    compare_with("ELF: 20,000 entries common to others", stack_test::elf_of_many_common_entries(20'000));
    compare_with("ELF: an unwind program of 64 KiB",
                 stack_test::elf_of_long_program(std::string(1, '\x0a') + '\x0b', 1 << 16));
    compare_with("ELF: 40,000 symbols about every address",
                 stack_test::elf_of_symbols(40'000, {"_ZN1a1bEv", "c"}));
    compare_with("ELF: 4 KiB that say 11 MiB of symbols, and a hole",
                 stack_test::elf_of_sparse_symbols(11 << 20), 128 << 20);
    compare_with("ELF: a name that grows when it is written out",
                 stack_test::elf_of_symbols(1, {stack_test::name_that_grows(12)}));
}

void secrets() {
    using imds::Scrubber;
    using imds::SecretSet;
    constexpr uint32_t netns = 1;
    Scrubber usual, hostile, busy;
    for (size_t i = 0; i < 20; ++i)
        usual.learn(netns, "AQAEAHk0dGVzdC1pbWRzdjItdG9rZW4" + std::to_string(i));
    for (size_t i = 0; i < SecretSet::most; ++i) {
        hostile.learn(netns, std::to_string(1000 + i) + std::string(SecretSet::longest - 4 - i, 'A'));
        busy.learn(netns, "Secret" + std::to_string(1000 + i) + "AAAA");
    }
    std::string hits;
    for (size_t i = 0; hits.size() < 32'000; ++i)
        hits += "Secret" + std::to_string(1000 + i % SecretSet::most) + "AAAA ";
    const std::string line =
        "curl -s -H 'Accept: text/plain' http://169.254.169.254/latest/meta-data/instance-id ";
    std::string plain, names;
    while (plain.size() < 32'000)
        plain += line;
    while (names.size() < 32'000)
        names += "x-aws-ec2-metadata-toke authorizatio ";
    const auto scrub = [](Scrubber& with, const std::string& text) {
        with.begin();
        with.scrubbed(netns, text);
    };
    const double plain_ns = ns_of([&] { scrub(usual, plain); });
    const std::string ends(32'000, 'A');
    row("command line: ends of 256 secrets of 8 KiB", plain.size(), plain_ns, ends.size(),
        ns_of([&] { scrub(hostile, ends); }));
    row("command line: secrets and nothing else", plain.size(), plain_ns, hits.size(),
        ns_of([&] { scrub(busy, hits); }));
    row("command line: beginnings of names of secrets", plain.size(), plain_ns, names.size(),
        ns_of([&] { scrub(usual, names); }));
}

struct Ignore final : imds::HttpListener {
    void on_begin() override {}
    Framing on_head(imds::Head&&) override { return Framing::by_head; }
    void on_body(std::string_view) override {}
    void on_body_gap(uint64_t) override {}
    void on_end(bool) override {}
    void on_lost() override {}
};

/// In calls of so many bytes.
std::function<void(const std::string&)> parse_by(size_t step) {
    return [step](const std::string& bytes) {
        Ignore ignore;
        imds::HttpParser parser(imds::HttpParser::Kind::request, ignore);
        for (size_t at = 0; at < bytes.size(); at += step)
            parser.feed(std::string_view(bytes).substr(at, step));
    };
}

void http() {
    const std::string get =
        "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: 169.254.169.254\r\nUser-Agent: "
        "curl/7.88.1\r\nAccept: */*\r\n\r\n";
    std::string plain, lines, chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", starts;
    while (plain.size() < 200'000)
        plain += get;
    lines = "GET / HTTP/1.1\r\n";
    while (lines.size() < 200'000)
        lines += "a:\r\n";
    while (chunks.size() < 200'000)
        chunks += "1\r\nx\r\n";
    while (starts.size() < 200'000)
        starts += "GET / HTTP/1.0\r\n\r\n";
    compare("HTTP: a head of 50,000 lines", plain, lines, parse_by(16'384));
    compare("HTTP: chunks of a byte", plain, chunks, parse_by(16'384));
    compare("HTTP: requests of 18 bytes", plain, starts, parse_by(16'384));
    compare("HTTP: a long line, a byte a call", plain, "GET /" + std::string(200'000, 'x'), parse_by(1));
    compare("HTTP: no HTTP, a byte a call", plain, std::string(200'000, '\x01'), parse_by(1));
    std::string body = R"({"Code":"Success","Token":"abc","Expiration":"2026-11-22T06:00:00Z"})",
                nested = "[";
    while (nested.size() < 32'000)
        nested += "{\"a\":[";
    compare("JSON: nested 11,000 deep", body, nested, [](const std::string& text) {
        imds::find_body_fields(text);
        imds::find_secret_strings(text);
    });
}

/// Requests over one connection, to the line in JSON.
void requests() {
    imds::ImdsTracker::Options options;
    options.proc_root = "/nonexistent";
    options.queue.wait_ns = 0;
    options.connections.queue.batch_bytes = 0;
    options.route = std::make_shared<imds_test::LocalRoute>();
    std::string out;
    const auto formatter = imds::make_imds_json_formatter({samples::context(), false, {}});
    imds::ImdsTracker tracker(std::move(options), [&](const imds::ImdsEvent& event) {
        out.clear();
        formatter->format(event, out);
    });
    Event process = samples::event();
    uint64_t now = 1'763'759'765'000'000'000;
    const auto talk = [&](const std::string& asked, const std::string& answered) {
        imds::Transfer transfer;
        transfer.pid = transfer.tid = process.pid;
        transfer.process = &process;
        transfer.socket = 7;
        transfer.netns = 1;
        transfer.ends.family = AF_INET;
        transfer.ends.remote_port = 80;
        transfer.ends.local_port = 40'000;
        constexpr uint8_t address[] = {169, 254, 169, 254};
        std::memcpy(transfer.ends.remote.data(), address, sizeof address);
        for (const auto& [direction, bytes] :
             {std::pair(imds::Direction::sent, &asked), {imds::Direction::received, &answered}}) {
            transfer.time_ns = now += 1000;
            transfer.direction = direction;
            transfer.length = bytes->size();
            transfer.bytes = std::as_bytes(std::span(bytes->data(), bytes->size()));
            tracker.take(transfer);
        }
    };
    const std::string answer = "HTTP/1.1 200 OK\r\nServer: EC2ws\r\nContent-Length: 1\r\n\r\nx";
    const std::string plain = "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n";
    const double plain_ns = ns_of([&] { talk(plain, answer); });
    std::string path = "GET ";
    while (path.size() < 8'000)
        path += "/%2e%41;b";
    path += " HTTP/1.1\r\n\r\n";
    row("request: a path of 8,000 bytes that needs decoding", plain.size() + answer.size(), plain_ns,
        path.size() + answer.size(), ns_of([&] { talk(path, answer); }));
    std::string query = "GET /?";
    while (query.size() < 8'000)
        query += "a&";
    query += " HTTP/1.1\r\n\r\n";
    row("request: 4,000 parameters", plain.size() + answer.size(), plain_ns, query.size() + answer.size(),
        ns_of([&] { talk(query, answer); }));
    std::string tokens = "GET /latest/meta-data/iam/security-credentials/x HTTP/1.1\r\n\r\n", body = "{";
    for (int i = 0; i < 64; ++i)
        body +=
            "\"k" + std::to_string(i) + "\":\"Secret-" + std::to_string(i) + std::string(200, 'A') + "\",";
    const std::string teach =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    row("request: a body of 64 secrets", plain.size() + answer.size(), plain_ns, tokens.size() + teach.size(),
        ns_of([&] { talk(tokens, teach); }));
}

/// A line of an event with such a text in it.
void lines() {
    std::string hostile, list;
    for (int i = 0; i < 4095; ++i)
        hostile += static_cast<char>(i % 3 == 0 ? 0xff : i % 3 == 1 ? 1 : '"');
    for (int i = 0; i < 32'000; ++i)
        list += static_cast<char>(i % 2 == 0 ? 0xc3 : 0);
    const std::string plain = "/usr/share/doc/ebpf_telemetry/a/path/of/the/usual/length.txt";
    std::string arguments;
    while (arguments.size() < 32'000)
        arguments += std::string("--option=value-of-usual-length") + '\0';
    for (const char* name : {"text", "json"}) {
        const auto formatter = format_named(name).make(samples::context());
        std::string out;
        const auto path = [&](const std::string& text) {
            Event event = samples::event();
            event.cwd = samples::known<Text>(text);
            out.clear();
            formatter->format(event, out);
        };
        const auto argv = [&](const std::string& strings) {
            Event event = samples::event(EBT_EXEC);
            event.image.argv = samples::known<StringList>(strings);
            out.clear();
            formatter->format(event, out);
        };
        const std::string what = std::string(name) + ": ";
        compare((what + "a path of 4,095 bytes that are no text").c_str(), plain, hostile, path);
        compare((what + "16,000 arguments of one byte that is no UTF-8").c_str(), arguments, list, argv);
    }
}

} // namespace

int main(int count, char** arguments) {
    if (count > 1)
        time_for_each = std::chrono::milliseconds(std::max(1, std::atoi(arguments[1])));
    std::puts("| input | bytes | ms | ns a byte, ordinary | ns a byte, hostile | ratio "
              "|\n|---|---:|---:|---:|---:|---:|");
    elf();
    secrets();
    http();
    requests();
    lines();
    return 0;
}
