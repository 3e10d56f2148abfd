/*
 * sdk.h - what the files of this engine share of the SDK: fetched once, when the engine is installed.
 */
#ifndef SG_TEMPORAL_SDK_H
#define SG_TEMPORAL_SDK_H

#include "shim/interpreter/python.h"

struct sg_temporal_sdk {
	PyObject *runner_class; /* SandboxedWorkflowRunner */
	PyObject *original_create_instance, *original_prepare_workflow;
	PyObject *refusal_class;
	PyObject *is_passed_through, *set_in_sandbox;      /* of workflow.unsafe, NULL in old versions */
};

extern struct sg_temporal_sdk sg_temporal_sdk;

#endif
