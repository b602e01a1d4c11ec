// SPDX-License-Identifier: MIT
// Prints the offsets config of a kernel: of the running one, or of one in a file.
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>

#include "dwarf.hpp"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
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
Without options they are those of the running kernel, from its BTF.

  --btf FILE       take them from a BTF file (such as a copy of /sys/kernel/btf/vmlinux)
  --vmlinux FILE   take them from the BTF or the DWARF of an uncompressed kernel image
  --release NAME   the kernel release (uname -r) to write on top, where FILE does not tell it;
                   ebpf_telemetry refuses the config on any other
  --list           list the fields and where they are looked for, and exit
  --help           show this text, and exit

Examples:
  get_offsets > ebpf_telemetry.conf
  get_offsets --btf vmlinux.btf --release 5.4.0-42-generic > ebpf_telemetry.conf
)";

enum class Source { running_kernel, btf_file, kernel_image };

struct Options {
    Source source = Source::running_kernel;
    std::string file;
    std::optional<std::string> release;
    bool list = false;
    bool help = false;
};

/// Something is wrong with the command line.
struct UsageError {
    std::string what;
};

void take_file(Options& options, Source source, const char* file) {
    if (options.source != Source::running_kernel)
        throw UsageError{"give one file, not two"};
    if (!*file)
        throw UsageError{"the file name is empty"};
    options.source = source;
    options.file = file;
}

void take_release(Options& options, const char* release) {
    if (!*release || std::strpbrk(release, " \t\r\n#"))
        throw UsageError{"--release takes what uname -r prints, such as 5.4.0-42-generic"};
    options.release = release;
}

Options parse(int argc, char** argv) {
    static const option names[] = {
        {"btf", required_argument, nullptr, 'b'},     {"vmlinux", required_argument, nullptr, 'v'},
        {"release", required_argument, nullptr, 'r'}, {"list", no_argument, nullptr, 'l'},
        {"help", no_argument, nullptr, 'h'},          {nullptr, 0, nullptr, 0},
    };
    Options options;
    for (int found; (found = getopt_long(argc, argv, "h", names, nullptr)) != -1;) {
        if (found == 'b')
            take_file(options, Source::btf_file, optarg);
        else if (found == 'v')
            take_file(options, Source::kernel_image, optarg);
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
    return options;
}

void list_fields() {
    for (const ebpf_loader::OffsetRow& row : ebpf_loader::offset_rows()) {
        std::cout << row.structure << "." << row.member << (row.required ? "" : " (optional)") << "\n    at "
                  << row.places << "\n";
        if (!row.comment.empty())
            std::cout << "    " << row.comment << "\n";
    }
}

bool has_btf_section(const std::string& image) {
    libbpf_set_print(nullptr);
    btf* types = btf__parse_elf(image.c_str(), nullptr);
    btf__free(types);
    return types != nullptr;
}

Offsets read_offsets(const Options& options) {
    if (options.source == Source::kernel_image && !has_btf_section(options.file))
        return offsets_from_dwarf(options.file);
    return Offsets::from_btf(options.file);
}

void print_config(const Options& options) {
    Offsets offsets = read_offsets(options);
    ebpf_loader::require_sound(offsets);
    if (options.release)
        offsets.release = *options.release;
    if (offsets.release.empty())
        std::cerr << "get_offsets: " << options.file
                  << " does not tell its kernel's release, so the config will be taken on any;"
                     " give --release to bind it to one.\n";
    offsets.write_config(std::cout);
}

int run(int argc, char** argv) {
    const Options options = parse(argc, argv);
    if (options.help)
        std::cout << usage;
    else if (options.list)
        list_fields();
    else
        print_config(options);
    std::cout.flush();
    if (!std::cout) {
        std::cerr << "get_offsets: cannot write the output: " << std::strerror(errno) << "\n";
        return 1;
    }
    return 0;
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
    } catch (const std::exception& error) {
        std::cerr << "get_offsets: " << error.what() << "\n";
        return 1;
    }
}
