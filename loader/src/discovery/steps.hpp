// SPDX-License-Identifier: LGPL-2.1
// Each step finds the offsets of one subject, in a file named like it: discover_tasks() in tasks.cpp,
// discover_audit_ids() in credentials.cpp, discover_exit() in threads.cpp. It throws Unobservable where it
// cannot go on.
#pragma once
#include "loader/src/discovery/setup.hpp"

namespace ebpf_loader::discovery {

void discover_tasks(Setup& setup);        ///< ids, family, start time
void discover_kernel_stack(Setup& setup); ///< and the mark of 32-bit calls
void discover_folders(Setup& setup);      ///< fs_struct, path
void discover_descriptors(Setup& setup);  ///< files_struct, fdtable, file.f_path
void discover_names(Setup& setup);        ///< dentry, qstr
void discover_mounts(Setup& setup);       ///< vfsmount, mount
void discover_inodes(Setup& setup);       ///< file.f_inode, inode, super_block
void discover_namespaces(Setup& setup);
void discover_memory(Setup& setup); ///< mm_struct and the executable
void discover_credentials(Setup& setup);
void discover_audit_ids(Setup& setup);
void discover_threads(Setup& setup); ///< signal_struct
void discover_exit(Setup& setup);    ///< how processes end
void discover_terminal(Setup& setup);
void discover_sockets(Setup& setup);
void discover_network(Setup& setup);    ///< the namespace of a socket
void discover_unix_names(Setup& setup); ///< in network.cpp too

} // namespace ebpf_loader::discovery
