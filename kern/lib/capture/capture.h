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

/* Completes the header and finds root and cwd of the caller, which every path needs. */
INLINE void capture_begin(struct scratch *s, __u64 task)
{
	if (!s->who_known)
		header_who(s, task);
	header_process(s);
	s->chrooted = 0;
	s->top_mount = 0;
	s->walker.mount = 0;
	view_places(s);
	if (s->root_dentry)
		s->chrooted = scan_root(s, s->root_mount, s->root_dentry);
	s->phase = s->with_image && image_unknown(s) ? PHASE_EXE : PHASE_CWD;
	/* After a mere check the caller's memory is still there, as after a failure. */
	s->list = s->header.ret >= 0 && !(s->header.flags & EBT_CHECKED);
}

/* Runs one step of a plan. */
INLINE enum outcome capture_step(struct scratch *s, __u64 task, const struct ebt_step *step)
{
	switch (step->capture) {
	case EBT_CAPTURE_PATH:
		return capture_path(s, task, step);
	case EBT_CAPTURE_STRING:
		capture_string(s, step->arg);
		return NEXT;
	case EBT_CAPTURE_FILE:
		return capture_file(s, EBT_FIELD_FILE, step->arg,
				    file_of(s, (__s32)s->values[step->arg & 7]));
	case EBT_CAPTURE_SOCKADDR:
	case EBT_CAPTURE_SOCKADDR_OUT:
		capture_sockaddr(s, step);
		return NEXT;
	case EBT_CAPTURE_MSGHDR:
		capture_msghdr(s, step);
		return NEXT;
	case EBT_CAPTURE_SOCKET:
		capture_socket(s, task, step);
		return NEXT;
	case EBT_CAPTURE_ARGV:
		return capture_argv(s, step);
	}
	return NEXT;
}

INLINE int captured_all(const struct scratch *s, const struct ebt_plan *plan)
{
	return s->phase >= PHASE_STEPS + (__u32)plan->steps[s->list & 1];
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
	calls += plan->steps[s->list & 1] * 2;
	return calls + (s->then_stage == STAGE_CALL ? 8 : s->then_stage ? 3 : 0);
}

/* Does what s->phase says, from the cwd on, and moves it on. */
INLINE enum outcome capture_phase(struct scratch *s, __u64 task, const struct ebt_plan *plan)
{
	__u32 phase = s->phase;
	s->phase = phase + 1;
	switch (phase) {
	case PHASE_CWD:
		s->phase += !s->chrooted;
		return capture_place(s, EBT_FIELD_CWD, EBT_ARG_NONE, s->pwd_mount, s->pwd_dentry);
	case PHASE_ROOT:
		return capture_place(s, EBT_FIELD_ROOT, EBT_ARG_NONE, s->root_mount,
				     s->root_dentry);
	}
	return capture_step(s, task,
			    &plan->step[s->list & 1][(phase - PHASE_STEPS) & (EBT_STEPS - 1)]);
}

/* Most paths are short enough to be walked on the spot. 1 when it was. */
INLINE int walked_here(struct scratch *s)
{
#ifdef TIER_LOOPS
	if (!walk_some(s, TIER_WALK_HERE))
		return 0;
	walk_end(s, 0);
	return 1;
#else
	return 0;
#endif
}

/* Captures until the record is complete or another stage has to go on. */
INLINE void capture(void *ctx, struct claim *claim, __u64 task, const struct ebt_plan *plan)
{
	struct scratch *s = claim->scratch;
	enum outcome outcome = NEXT;
	if (s->phase == PHASE_BEGIN)
		capture_begin(s, task);
	if (s->phase == PHASE_EXE) {
		s->phase = PHASE_IMAGE;
		outcome = capture_exe(s, task);
	}
	if (outcome == NEXT && s->phase == PHASE_IMAGE) {
		s->phase = PHASE_CWD;
		capture_image(s, task, plan);
	}
	TIER_LOOP
	for (int i = 0; i < TIER_CAPTURES; i++) {
		if (outcome != NEXT || captured_all(s, plan))
			break;
		outcome = capture_phase(s, task, plan);
		if (outcome == WALK && walked_here(s))
			outcome = NEXT;
	}
	if (outcome == NEXT && captured_all(s, plan)) {
		finish(ctx, claim);
		return;
	}
	s->reserve = calls_to_come(s, plan);
	go_on(ctx, claim,
	      outcome == WALK      ? STAGE_WALK
	      : outcome == STRINGS ? STAGE_ARGV
				   : STAGE_CAPTURE);
}

/* The stage: goes on capturing. */
INLINE void run_capture(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	if (!claim.scratch)
		return;
	if (is_too_many(&claim)) {
		leave(ctx, &claim);
		return;
	}
	__u32 row = claim.scratch->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (plan)
		capture(ctx, &claim, bpf_get_current_task(), plan);
}

#endif
