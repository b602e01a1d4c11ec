/* SPDX-License-Identifier: GPL-2.0 */
/* Every struct that the kernel side and user space share, so that BTF describes it. */
#include <linux/bpf.h>

#include "kern/abi/plan.h"
#include "kern/abi/record.h"

struct {
    struct ebt_header header;
    struct ebt_field field;
    struct ebt_inode inode;
    struct ebt_socket socket;
    struct ebt_child child;
    struct ebt_namespaces namespaces;
    struct ebt_numbers numbers;
    struct ebt_step step;
    struct ebt_predicate predicate;
    struct ebt_plan plan;
    struct ebt_screen screen;
    struct ebt_settings settings;
    struct ebt_slot slot;
    struct ebt_transfer_gate transfer_gate;
    struct ebt_sharing sharing;
    struct ebt_endpoint endpoint;
    struct ebt_transfer stream;
    struct ebt_registers registers;
} layouts;
