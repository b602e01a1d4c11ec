// SPDX-License-Identifier: MIT
// Execs while a second thread changes which program they are of: see races.hpp.
#include <elf.h>
#include <fstream>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "test/kernel/witness/races.hpp"

namespace kernel_test {

namespace {

/// The least program there is: it ends with a status.
std::string program_ending_with(uint8_t status) {
#ifdef __aarch64__
    constexpr auto machine = EM_AARCH64;
    const uint32_t code[] = {0xd2800000 | status << 5u, 0xd2800bc8, 0xd4000001}; // exit_group
#else
    constexpr auto machine = EM_X86_64;
    const unsigned char code[] = {0xbf, status, 0, 0, 0, 0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05};
#endif
    constexpr uint64_t base = 0x400000, headers = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    Elf64_Ehdr header{};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_entry = base + headers;
    header.e_phoff = header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_X;
    segment.p_vaddr = segment.p_paddr = base;
    segment.p_filesz = segment.p_memsz = headers + sizeof code;
    segment.p_align = 4096;
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
    bytes.append(reinterpret_cast<const char*>(&segment), sizeof segment);
    return bytes.append(reinterpret_cast<const char*>(code), sizeof code);
}

class ExecRaces : public Races {
  public:
    using Races::Races;

  private:
    static int execute(void* argument) {
        const Target& exec = *static_cast<const Target*>(argument);
        const char* const empty[] = {nullptr};
        syscall(SYS_execveat, exec.fd, exec.old_name, empty, empty, *exec.old_name ? 0 : AT_EMPTY_PATH);
        _exit(99);
    }

    /// Executes in a process that shares memory, descriptors and working directory.
    Truth execute_sharing(const Target& exec) const {
        alignas(16) static char stack[65536];
        int status = 0;
        const pid_t pid =
            clone(execute, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FS | CLONE_FILES | SIGCHLD,
                  const_cast<Target*>(&exec));
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
            return unclear;
        return WEXITSTATUS(status) == 1 ? first : WEXITSTATUS(status) == 2 ? second : unclear;
    }

    void race_exec(const std::vector<Attempt>& attempts) {
        memset(shared_->truth, unclear, sizeof shared_->truth);
        std::vector<std::function<void()>> bodies;
        for (size_t i = 0; i < attempts.size(); i++)
            bodies.emplace_back([this, &attempt = attempts[i], truth = shared_->truth[i][0]] {
                while_changing(attempt.change, [&] {
                    for (unsigned round = 0; round < rounds(); round++)
                        truth[round] = execute_sharing(attempt.target);
                });
            });
        const auto events = run_each("execveat", bodies, From::descendants);
        for (size_t i = 0; i < attempts.size(); i++) {
            SCOPED_TRACE(std::string("execveat, ") + attempts[i].how + " changed");
            if (events[i].size() != rounds() && can_miss_runs(tier_))
                continue;
            ASSERT_EQ(events[i].size(), rounds());
            compare(events[i], 0, shared_->truth[i][0]);
        }
    }

    void TestBody() override {
        make_folders();
        for (uint8_t i = 0; i < 2; i++) {
            std::ofstream(folders_[i] + "/f") << program_ending_with(i + 1);
            chmod((folders_[i] + "/f").c_str(), 0755);
        }
        const Changing directory(folders_[0], folders_[1], O_RDONLY);
        const Changing program(folders_[0] + "/f", folders_[1] + "/f", O_RDONLY);
        race_exec({{"string", change_strings("/f", "/n"), {AT_FDCWD, shared_->old_name, nullptr}},
                   {"directory", change_directory(), {AT_FDCWD, "f", nullptr}},
                   {"descriptor of the folder", directory.change(), {directory.fd, "f", nullptr}},
                   {"descriptor", program.change(), {program.fd, "", nullptr}}});
    }
};

} // namespace

void register_exec_race_tests(ebpf_loader::Tier tier) {
    add_test<ExecRaces>("Witnesses." + std::string(tier_name(tier)), "ExecRaces", tier);
}

} // namespace kernel_test
