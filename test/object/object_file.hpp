// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <bpf/btf.h>
#include <linux/bpf.h>

namespace object_test {

/// A place in a program that the loader patches: the answer to "has this kernel that?".
struct ExistsQuestion {
    std::string structure, member;
};

struct Program {
    std::string name;
    std::string section;
    std::vector<bpf_insn> instructions;
    std::map<size_t, ExistsQuestion> questions; ///< by instruction
};

class ElfFile;

/// An eBPF object, read without the help that a loader would give it.
class ObjectFile {
  public:
    explicit ObjectFile(const std::string& path);

    const std::vector<Program>& programs() const { return programs_; }
    const std::vector<std::string>& sections() const { return sections_; } ///< those that hold something
    /// "program: symbol" for what a program refers to outside of the maps.
    const std::vector<std::string>& foreign_references() const { return foreign_references_; }
    const btf* types() const { return btf_.get(); }

  private:
    void read_programs(const ElfFile& file);
    void read_references(const ElfFile& file);
    void read_questions(const std::string& bytes);
    void note_question(const std::string& section, size_t byte, uint32_t type, const std::string& access);

    struct FreeBtf {
        void operator()(btf* b) const { btf__free(b); }
    };
    std::unique_ptr<btf, FreeBtf> btf_;
    std::vector<Program> programs_;
    std::map<std::string, std::map<size_t, size_t>> starts_; ///< programs by section and byte
    std::vector<std::string> sections_, foreign_references_;
};

/// Helpers that a program may come to call when every question is answered with no.
std::set<int32_t> helpers_without_features(const Program& program);
/// All helpers in it.
std::set<int32_t> helpers(const Program& program);
/// Where control goes from an instruction.
std::vector<size_t> successors(const Program& program, size_t at);
/// Instructions that add to a map's value a number that has been on the stack, and whose bounds have not been
/// seen to since: verifiers before Linux 5.10 forget them there.
std::vector<size_t> forgotten_bounds(const Program& program);
/// Can an instruction be reached from itself?
bool has_loop(const Program& program);
/// Does it call functions of its own?
bool has_calls(const Program& program);

} // namespace object_test
