// SPDX-License-Identifier: MIT
// Prints the offsets config of a kernel: of the running one, or of one in a file.
#include <ebpf_loader/discovery.hpp>
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>

#include "get_offsets/dwarf.hpp"
#include "get_offsets/headers.hpp"

#include "loader/src/base/kernel_image.hpp"

#include <cerrno>
#include <cstring>
#include <getopt.h>
#include <iostream>
#include <optional>

namespace {

using ebpf_loader::Offsets;

constexpr const char* usage =
    R"(Usage: get_offsets [OPTION]...
Prints the offsets of kernel fields that ebpf_telemetry reads, as a config file.
Without options these are the offsets of the running kernel: read from its BTF, or, if it has none,
discovered, or, if that is impossible, read from its headers.

  --btf FILE       read them from a BTF file (such as a copy of /sys/kernel/btf/vmlinux)
  --vmlinux FILE   read them from the BTF or the DWARF of an uncompressed kernel image
  --headers DIR    read them from kernel headers, such as /lib/modules/RELEASE/build: compiles a small
                   object against them with $CC or cc, and loads nothing into the kernel
  --discover       discover them on the running kernel by observation, with a small eBPF program and
                   helper processes, even if it has BTF; needs root
  --check CONF     compare a config with the running kernel by observation: prints the differences
                   and exits with status 1 if there are any; needs root
  --release NAME   the kernel release (uname -r) to write into the config if FILE does not contain it;
                   ebpf_telemetry refuses the config on other releases
  --list           list the fields and where in the kernel's structures they are, and exit
  --help           show this text, and exit

Examples:
  get_offsets > ebpf_telemetry.conf
  get_offsets --btf vmlinux.btf --release 5.4.0-42-generic > ebpf_telemetry.conf
  sudo get_offsets --check ebpf_telemetry.conf
)";

enum class Source { running_kernel, btf_file, kernel_image, headers, discovery };

struct Options {
    Source source = Source::running_kernel;
    std::string file;
    std::optional<std::string> release;
    std::optional<std::string> check; ///< a config
    bool list = false;
    bool help = false;
};

/// Something is wrong with the command line.
struct UsageError {
    std::string what;
};

void take_source(Options& options, Source source) {
    if (options.source != Source::running_kernel)
        throw UsageError{"give one source of offsets, not two"};
    options.source = source;
}

std::string file_name(const char* file) {
    if (!*file)
        throw UsageError{"the file name is empty"};
    return file;
}

void take_file(Options& options, Source source, const char* file) {
    take_source(options, source);
    options.file = file_name(file);
}

void take_release(Options& options, const char* release) {
    if (!*release || std::strpbrk(release, " \t\r\n#"))
        throw UsageError{"--release takes what uname -r prints, such as 5.4.0-42-generic"};
    options.release = release;
}

Options parse(int argc, char** argv) {
    static const option names[] = {
        {"btf", required_argument, nullptr, 'b'},
        {"vmlinux", required_argument, nullptr, 'v'},
        {"release", required_argument, nullptr, 'r'},
        {"list", no_argument, nullptr, 'l'},
        {"help", no_argument, nullptr, 'h'},
        {"discover", no_argument, nullptr, 'd'},
        {"check", required_argument, nullptr, 'c'},
        {"headers", required_argument, nullptr, 'H'},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    for (int found; (found = getopt_long(argc, argv, "h", names, nullptr)) != -1;) {
        if (found == 'b')
            take_file(options, Source::btf_file, optarg);
        else if (found == 'v')
            take_file(options, Source::kernel_image, optarg);
        else if (found == 'H')
            take_file(options, Source::headers, optarg);
        else if (found == 'd')
            take_source(options, Source::discovery);
        else if (found == 'c')
            options.check = file_name(optarg);
        else if (found == 'r')
            take_release(options, optarg);
        else if (found == 'l')
            options.list = true;
        else if (found == 'h')
            options.help = true;
        else
            throw UsageError{""}; // getopt_long has said it
    }
    if (optind < argc)
        throw UsageError{std::string("unexpected argument: ") + argv[optind]};
    if (options.check && (options.source != Source::running_kernel || options.release))
        throw UsageError{"--check takes no other option"};
    return options;
}

void list_fields() {
    for (const ebpf_loader::OffsetRow& row : ebpf_loader::offset_rows()) {
        std::cout << row.structure << "." << row.member << (row.required ? "" : " (optional)") << "\n    at "
                  << row.paths << "\n";
        if (!row.comment.empty())
            std::cout << "    " << row.comment << "\n";
    }
}

Offsets offsets_from_image(const std::string& image) {
    try {
        return Offsets::from_btf(image);
    } catch (const ebpf_loader::Error& error) {
        if (error.cause() != ebpf_loader::ErrorCause::file_without_btf)
            throw;
    }
    return offsets_from_dwarf(image);
}

void complain(std::string_view line) {
    std::cerr << "get_offsets: " << line << "\n";
}

/// What the user of this program can do about what the library reports.
const char* advice(const ebpf_loader::Error& error) {
    using ebpf_loader::ErrorCause;
    switch (error.cause()) {
    case ErrorCause::config_unreadable:
    case ErrorCause::config_incomplete:
        return "\nMake one: get_offsets > ebpf_telemetry.conf";
    case ErrorCause::config_line:
        return "\nCorrect the line (get_offsets --list names all fields), or make the file again.";
    case ErrorCause::kernel_btf_missing:
    case ErrorCause::btf_ambiguous:
    case ErrorCause::offsets_unsound:
    case ErrorCause::not_discovered:
        return "\nRead the offsets from the kernel's debug information (--vmlinux) or headers (--headers); "
               "get_offsets/README.md says where to get them.";
    case ErrorCause::kernel_btf_unreadable:
        return "\nRun as root.";
    case ErrorCause::file_without_btf:
        return "\nUse an uncompressed kernel image with debug information: get_offsets --vmlinux FILE";
    default:
        return error.code() == ebpf_loader::ErrorCode::privileges ? "; run as root (sudo)" : "";
    }
}

using Way = Offsets (*)();

Offsets from_own_btf() {
    Offsets offsets = Offsets::from_btf();
    ebpf_loader::require_sound(offsets);
    return offsets;
}

Offsets from_own_discovery() {
    return ebpf_loader::discover_offsets(complain);
}

Offsets from_own_headers() {
    return offsets_from_headers("/lib/modules/" + ebpf_loader::running_release() + "/build");
}

/// The first way that works; the config says which one it was. What is observed goes before
/// headers, which may be of another build of the same release.
Offsets of_running_kernel() {
    std::string reasons;
    for (const Way way : {from_own_btf, from_own_discovery, from_own_headers}) {
        try {
            return way();
        } catch (const ebpf_loader::Error& error) {
            reasons += (reasons.empty() ? "" : "\n") + std::string(error.what()) + advice(error);
        }
    }
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::offsets, reasons);
}

Offsets read_offsets(const Options& options) {
    switch (options.source) {
    case Source::running_kernel:
        return of_running_kernel();
    case Source::headers:
        return offsets_from_headers(options.file);
    case Source::discovery:
        return ebpf_loader::discover_offsets(complain);
    case Source::kernel_image:
        return offsets_from_image(options.file);
    case Source::btf_file:
        break;
    }
    return Offsets::from_btf(options.file);
}

/// 0 if the config is right for the running kernel.
int check_config(const std::string& file) {
    const Offsets claimed = Offsets::from_config(file);
    const ebpf_loader::Discovery observed = ebpf_loader::observe_offsets(complain);
    const auto wrong = ebpf_loader::contradictions(claimed, observed);
    for (const std::string& sentence : observed.refused)
        std::cout << "not checked: " << sentence << "\n";
    for (const std::string& sentence : wrong)
        std::cout << "wrong: " << sentence << "\n";
    if (!claimed.release.empty() && claimed.release != observed.offsets.release)
        complain(file + " is for Linux " + claimed.release + ", and this is Linux " +
                 observed.offsets.release);
    const auto rows = ebpf_loader::offset_rows();
    size_t observable = 0;
    for (size_t row = 0; row < rows.size(); row++) {
        observable += rows[row].observable;
        if (!rows[row].observable && claimed.get(row))
            std::cout << "not compared: " << rows[row].structure << "." << rows[row].member
                      << ", which no process can observe\n";
    }
    const size_t checked = observable - observed.refused.size();
    std::cout << checked - wrong.size() << " of " << observable << " fields in " << file
              << " are right on this kernel, " << wrong.size() << " are wrong, " << observed.refused.size()
              << " could not be checked.\n";
    return wrong.empty() ? 0 : 1;
}

void print_config(const Options& options) {
    Offsets offsets = read_offsets(options);
    ebpf_loader::require_sound(offsets);
    if (options.release)
        offsets.release = *options.release;
    if (offsets.release.empty())
        std::cerr
            << "get_offsets: " << options.file
            << " does not contain the release of its kernel, so the config will be accepted on any kernel;"
               " give --release to bind it to one.\n";
    offsets.write_config(std::cout);
}

int run(int argc, char** argv) {
    const Options options = parse(argc, argv);
    int status = 0;
    if (options.help)
        std::cout << usage;
    else if (options.list)
        list_fields();
    else if (options.check)
        status = check_config(*options.check);
    else
        print_config(options);
    std::cout.flush();
    if (!std::cout) {
        std::cerr << "get_offsets: cannot write the output: " << std::strerror(errno) << "\n";
        return 1;
    }
    return status;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const UsageError& error) {
        if (!error.what.empty())
            std::cerr << "get_offsets: " << error.what << "\n";
        std::cerr << "Try: get_offsets --help\n";
        return 2;
    } catch (const ebpf_loader::Error& error) {
        std::cerr << "get_offsets: " << error.what() << advice(error) << "\n";
        return 1;
    } catch (const std::exception& error) {
        std::cerr << "get_offsets: " << error.what() << "\n";
        return 1;
    }
}
