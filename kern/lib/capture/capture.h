/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Filling a record: first what belongs to the process, then what the plan of the
 * call asks for. There is one piece of code per kind of capture, none per call.
 */
#ifndef EBT_LIB_CAPTURE_CAPTURE_H
#define EBT_LIB_CAPTURE_CAPTURE_H

#include "kern/lib/capture/argv.h"
#include "kern/lib/capture/image.h"
#include "kern/lib/capture/shed.h"
#include "kern/lib/capture/socket.h"
#include "kern/lib/execution.h"
#include "kern/lib/sharing.h"
#include "kern/lib/witness/witness.h"

/* A success that nobody saw begin may be an answer of these. Kprobes see what runs. */
INLINE void note_supervisors(struct scratch *s, __u64 task)
{
#ifndef TIER_KPROBE
	if (s->watched || s->header.ret < 0)
		return;
	__u8 by = supervised_by(s->task.seccomp, tracer_of(task));
	if (by)
		s->header.execution = by | EBT_UNPROVEN;
#endif
}

/* Completes the header and finds root and cwd of the caller, which every path needs. */
INLINE void capture_begin(struct scratch *s, __u64 task, const struct ebt_plan *plan)
{
	if (!s->has_identity)
		header_identity(s, task);
	header_process(s);
	note_supervisors(s, task);
	s->chrooted = 0;
	s->top_mount = 0;
	s->walker.mount = 0;
	find_root_and_cwd(s);
	note_past_sharing(s, task);
	if (s->root_dentry)
		s->chrooted = scan_root(s, s->root_mount, s->root_dentry);
	s->phase = s->with_image && image_unknown(s) ? PHASE_EXE : PHASE_CWD;
	/* After a mere check the caller's memory is still there, as after a failure. */
	s->step_list = s->header.ret >= 0 && !(s->header.flags & EBT_CHECKED) &&
		       !(s->header.execution & EBT_SKIPPED);
	if (plan->flags & EBT_PLAN_CREDENTIALS)
		capture_capabilities(s);
	capture_witness(s, task, plan);
}

/* Runs one step of a plan. */
INLINE enum outcome capture_step(struct scratch *s, __u64 task, const struct ebt_step *step)
{
	__u8 kind = EBT_FIELD_FILE, fd = step->arg, first = 0;
	if (step->capture != EBT_CAPTURE_FILE && step->capture != EBT_CAPTURE_SOCKET)
		note_memory(s, task);
	switch (step->capture) {
	case EBT_CAPTURE_PATH:
		first = capture_string(s, step->arg);
		if (!has_base(s, step, first))
			return CAPTURED;
		kind = EBT_FIELD_DIR;
		fd = step->link;
		break;
	case EBT_CAPTURE_STRING:
		capture_string(s, step->arg);
		return CAPTURED;
	case EBT_CAPTURE_WRITTEN:
		fd = 0;
		break;
	case EBT_CAPTURE_BYTES:
	case EBT_CAPTURE_FILE:
	case EBT_CAPTURE_SOCKET:
		break;
	case EBT_CAPTURE_SOCKADDR:
	case EBT_CAPTURE_SOCKADDR_OUT:
	case EBT_CAPTURE_MSGHDR:
	case EBT_CAPTURE_MESSAGES:
		s->phase -= capture_address(s, step); /* the same step again for the next one */
		return CAPTURED;
	case EBT_CAPTURE_ARGV:
		return capture_argv(s, step);
	default:
		return CAPTURED;
	}
	__u64 file = 0;
	if (step->capture != EBT_CAPTURE_BYTES)
		file = file_of(s, (__s32)s->values[fd & 7]);
	if (step->capture == EBT_CAPTURE_BYTES || step->capture == EBT_CAPTURE_WRITTEN) {
		if (step->capture == EBT_CAPTURE_BYTES || is_setting(file))
			capture_bytes(s, step);
		return CAPTURED;
	}
	if (step->capture == EBT_CAPTURE_SOCKET) {
		capture_socket(s, step, file);
		return CAPTURED;
	}
	return first ? capture_base(s, step->arg, file) : capture_file(s, kind, step->arg, file);
}

/*
 * Tail calls that the rest of the record needs: two for each step to come, and three
 * for a process's exit after it, more for a call's own record.
 */
INLINE __u32 calls_to_come(const struct scratch *s, const struct ebt_plan *plan)
{
	__u32 calls = 1;
	if (s->phase <= PHASE_CWD)
		calls += 2;
	if (s->chrooted && s->phase <= PHASE_ROOT)
		calls += 2;
	calls += plan->steps[s->step_list & 1] * 2;
	return calls + (s->next_record_stage == STAGE_CALL ? 8 : s->next_record_stage ? 3 : 0);
}

/* Runs the phase, cwd or root, and advances to the next. */
INLINE enum outcome capture_place(struct scratch *s)
{
	int cwd = s->phase == PHASE_CWD; /* one call: the code of two is too long */
	s->phase = cwd && s->chrooted ? PHASE_ROOT : PHASE_STEPS;
	return capture_directory(s, cwd ? EBT_FIELD_CWD : EBT_FIELD_ROOT, EBT_ARG_NONE,
				 cwd ? s->pwd_mount : s->root_mount,
				 cwd ? s->pwd_dentry : s->root_dentry);
}

/* Walks a path without a tail call: most are short enough. 1 when it was. */
INLINE int walked_inline(struct scratch *s)
{
#ifdef TIER_LOOPS
	if (!walk_some(s, TIER_WALK_INLINE))
		return 0;
	walk_end(s, 0);
	return 1;
#else
	return 0;
#endif
}

/* Captures until the record is complete or another stage has to continue it. */
INLINE void capture(void *ctx, struct claim *claim, __u64 task, const struct ebt_plan *plan)
{
	struct scratch *s = claim->scratch;
	enum outcome outcome = CAPTURED;
	if (s->phase == PHASE_BEGIN)
		capture_begin(s, task, plan);
	if (s->phase == PHASE_EXE) {
		s->phase = PHASE_IMAGE;
		outcome = capture_exe(s, task);
	}
	if (outcome == CAPTURED && s->phase == PHASE_IMAGE) {
		s->phase = PHASE_CWD;
		outcome = NEEDS_IMAGE;
	}
	if (outcome == CAPTURED && s->phase < PHASE_STEPS) {
		outcome = capture_place(s);
		if (outcome == NEEDS_WALK && walked_inline(s))
			outcome = CAPTURED;
	}
	/* One step a run: the verifier would go through a second for each way the first can end. */
	if (outcome == CAPTURED && s->phase >= PHASE_STEPS && !captured_all(s, plan)) {
		const struct ebt_step *step =
		    &plan->step[s->step_list & 1][(s->phase - PHASE_STEPS) & (EBT_STEPS - 1)];
		OPAQUE(step); /* in one piece: else its parts are kept, whose bounds get lost */
		s->phase++;
		outcome = capture_step(s, task, step);
	}
	if (outcome == CAPTURED && captured_all(s, plan)) {
		screen(ctx, claim);
	} else {
		s->reserved_calls = calls_to_come(s, plan);
		if (outcome == NEEDS_WALK)
			tail_call(ctx, s, STAGE_WALK);
		else if (outcome == CAPTURED)
			tail_call(ctx, s, STAGE_CAPTURE);
		else
			tail_call(ctx, s, outcome == NEEDS_ARGV ? STAGE_ARGV : STAGE_IMAGE);
		s->header.flags |= EBT_LOST_FIELDS; /* the kernel refused */
	}
	emit_and_end(ctx, claim);
}

/* The stage: fills the record. */
INLINE void run_capture(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	if (!claim.scratch)
		return;
	if (is_too_many(&claim)) {
		end_record(ctx, &claim);
		return;
	}
	__u32 row = claim.scratch->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (plan)
		capture(ctx, &claim, bpf_get_current_task(), plan);
}

#endif
