// SPDX-License-Identifier: MIT
#include "test/object/object_file.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <gelf.h>
#include <stdexcept>
#include <unistd.h>

namespace object_test {

namespace {

/// The head of .BTF.ext, and its records of CO-RE relocations (Documentation/bpf/btf.rst).
struct ExtHeader {
    uint16_t magic;
    uint8_t version, flags;
    uint32_t header_length;
    uint32_t functions_offset, functions_length;
    uint32_t lines_offset, lines_length;
    uint32_t relocations_offset, relocations_length;
};
struct ExtSection {
    uint32_t name, count;
};
struct ExtRelocation {
    uint32_t byte, type, access, kind;
};
constexpr uint32_t field_exists = 2; // BPF_CORE_FIELD_EXISTS

template <typename T> T read_at(const std::string& bytes, size_t at) {
    T value;
    if (at + sizeof value > bytes.size())
        throw std::runtime_error(".BTF.ext is cut short");
    memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

} // namespace

/// An ELF file that is open.
class ElfFile {
  public:
    explicit ElfFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        elf_version(EV_CURRENT);
        elf_ = elf_begin(fd_, ELF_C_READ, nullptr);
        if (!elf_)
            throw std::runtime_error(path + ": " + elf_errmsg(-1));
    }
    ~ElfFile() {
        elf_end(elf_);
        close(fd_);
    }

    std::vector<Elf_Scn*> sections() const {
        std::vector<Elf_Scn*> result;
        for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf_, section));)
            result.push_back(section);
        return result;
    }
    static GElf_Shdr header(Elf_Scn* section) {
        GElf_Shdr head{};
        gelf_getshdr(section, &head);
        return head;
    }
    std::string name(Elf_Scn* section) const {
        size_t names = 0;
        elf_getshdrstrndx(elf_, &names);
        return elf_strptr(elf_, names, header(section).sh_name);
    }
    std::string bytes(Elf_Scn* section) const {
        const Elf_Data* data = elf_getdata(section, nullptr);
        return data && data->d_buf ? std::string(static_cast<const char*>(data->d_buf), data->d_size) : "";
    }
    /// The section's symbols; name and value of each.
    struct Symbol {
        std::string name;
        GElf_Sym symbol;
    };
    std::vector<Symbol> symbols() const {
        std::vector<Symbol> result;
        for (Elf_Scn* section : sections()) {
            const GElf_Shdr head = header(section);
            if (head.sh_type != SHT_SYMTAB)
                continue;
            Elf_Data* data = elf_getdata(section, nullptr);
            for (size_t i = 0; i < head.sh_size / head.sh_entsize; i++) {
                GElf_Sym symbol{};
                gelf_getsym(data, static_cast<int>(i), &symbol);
                result.push_back({elf_strptr(elf_, head.sh_link, symbol.st_name), symbol});
            }
        }
        return result;
    }

  private:
    int fd_;
    Elf* elf_;
};

ObjectFile::ObjectFile(const std::string& path) {
    const ElfFile file(path);
    for (Elf_Scn* section : file.sections())
        if (ElfFile::header(section).sh_flags & SHF_ALLOC && ElfFile::header(section).sh_size > 0)
            sections_.push_back(file.name(section));
    read_programs(file);
    read_references(file);
    btf_.reset(btf__parse_elf(path.c_str(), nullptr));
    if (!btf_)
        throw std::runtime_error(path + ": no BTF");
    for (Elf_Scn* section : file.sections())
        if (file.name(section) == ".BTF.ext")
            read_questions(file.bytes(section));
}

/// The functions of the sections with code.
void ObjectFile::read_programs(const ElfFile& file) {
    const auto sections = file.sections();
    for (const ElfFile::Symbol& symbol : file.symbols()) {
        if (GELF_ST_TYPE(symbol.symbol.st_info) != STT_FUNC)
            continue;
        Elf_Scn* section = sections.at(symbol.symbol.st_shndx - 1u);
        const std::string code = file.bytes(section);
        Program program{symbol.name, file.name(section), {}, {}};
        program.instructions.resize(symbol.symbol.st_size / sizeof(bpf_insn));
        memcpy(program.instructions.data(), code.data() + symbol.symbol.st_value,
               program.instructions.size() * sizeof(bpf_insn));
        starts_[program.section][symbol.symbol.st_value] = programs_.size();
        programs_.push_back(std::move(program));
    }
}

/// What the programs refer to and that is no map.
void ObjectFile::read_references(const ElfFile& file) {
    const auto sections = file.sections();
    const auto symbols = file.symbols();
    for (Elf_Scn* section : sections) {
        const GElf_Shdr head = ElfFile::header(section);
        if (head.sh_type != SHT_REL ||
            !(ElfFile::header(sections.at(head.sh_info - 1)).sh_flags & SHF_EXECINSTR))
            continue;
        Elf_Data* data = elf_getdata(section, nullptr);
        for (size_t i = 0; i < head.sh_size / head.sh_entsize; i++) {
            GElf_Rel relocation{};
            gelf_getrel(data, static_cast<int>(i), &relocation);
            const ElfFile::Symbol& target = symbols.at(GELF_R_SYM(relocation.r_info));
            const size_t home = target.symbol.st_shndx;
            if (home == SHN_UNDEF || home > sections.size() || file.name(sections[home - 1]) != ".maps")
                foreign_references_.push_back(file.name(section) + ": " + target.name);
        }
    }
}

void ObjectFile::read_questions(const std::string& bytes) {
    const auto head = read_at<ExtHeader>(bytes, 0);
    size_t at = head.header_length + head.relocations_offset;
    const size_t end = at + head.relocations_length;
    const auto record_size = read_at<uint32_t>(bytes, at);
    at += sizeof record_size;
    while (at < end) {
        const auto section = read_at<ExtSection>(bytes, at);
        at += sizeof section;
        for (uint32_t i = 0; i < section.count; i++, at += record_size) {
            const auto relocation = read_at<ExtRelocation>(bytes, at);
            if (relocation.kind == field_exists)
                note_question(btf__name_by_offset(btf_.get(), section.name), relocation.byte, relocation.type,
                              btf__name_by_offset(btf_.get(), relocation.access));
        }
    }
}

/// `access` is "0:3": the struct's member of that index.
void ObjectFile::note_question(const std::string& section, size_t byte, uint32_t type,
                               const std::string& access) {
    const auto& starts = starts_.at(section);
    const auto start = std::prev(starts.upper_bound(byte));
    Program& program = programs_[start->second];
    const btf_type* structure = btf__type_by_id(btf_.get(), type);
    const auto member = static_cast<uint32_t>(std::stoul(access.substr(access.find(':') + 1)));
    program.questions[(byte - start->first) / sizeof(bpf_insn)] = {
        btf__name_by_offset(btf_.get(), structure->name_off),
        btf__name_by_offset(btf_.get(), btf_members(structure)[member].name_off)};
}

} // namespace object_test
