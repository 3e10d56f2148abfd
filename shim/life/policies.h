/*
 * policies.h - which policies there are: made when a worker first needs one, retired when its workflow file has changed.
 *
 * A policy is freed, and its images with it, when neither a run nor anybody else has the settings any more (by weak
 * reference; where they cannot have one, it stays for good). GIL: held.
 */
#ifndef SG_POLICIES_H
#define SG_POLICIES_H

#include "shim/run/policy.h"

/* Finds or makes the policy, which lives as long as the settings unless it is held; NULL with an exception. */
struct sg_policy *sg_policies_get(const struct sg_engine *engine, PyObject *settings,
		PyObject *workflow_module);

/* A run has it, and has it no more. To release may run Python code. */
struct sg_policy *sg_policies_hold(struct sg_policy *policy);
void sg_policies_release(struct sg_policy *policy);

/* The workflow file has changed: runs from now on execute it anew. Those there are keep the image that they have. */
void sg_policies_retire(struct sg_policy *policy);

/* The same for all: a file that runs have executed has. */
void sg_policies_retire_all(void);

#endif
