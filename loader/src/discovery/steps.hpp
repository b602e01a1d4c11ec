// SPDX-License-Identifier: LGPL-2.1
// Each step finds the offsets of one subject. It throws Unobservable where it cannot go on.
#pragma once
#include "loader/src/discovery/scene.hpp"

namespace ebpf_loader::discovery {

void discover_tasks(Scene& scene);        ///< ids, family, start time
void discover_kernel_stack(Scene& scene); ///< and the mark of 32-bit calls
void discover_folders(Scene& scene);      ///< fs_struct, path
void discover_descriptors(Scene& scene);  ///< files_struct, fdtable, file.f_path
void discover_names(Scene& scene);        ///< dentry, qstr
void discover_mounts(Scene& scene);       ///< vfsmount, mount
void discover_inodes(Scene& scene);       ///< file.f_inode, inode, super_block
void discover_memory(Scene& scene);       ///< mm_struct and the executable
void discover_credentials(Scene& scene);
void discover_audit_ids(Scene& scene);
void discover_threads(Scene& scene); ///< signal_struct
void discover_exit(Scene& scene);    ///< how processes end
void discover_terminal(Scene& scene);
void discover_sockets(Scene& scene);
void discover_network(Scene& scene); ///< the namespace of a socket

} // namespace ebpf_loader::discovery
