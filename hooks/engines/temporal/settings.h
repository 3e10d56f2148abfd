/*
 * settings.h - what a worker's SandboxRestrictions object means.
 *
 * The object is never read member by member where the SDK itself can be asked: its own matcher says whether a
 * name is restricted. What differs from the SDK's defaults is the worker's word and goes before our rules; where
 * the worker left the defaults alone, our rules hold, as they are the more precise ones. The functions are those
 * of struct sg_engine (shim/guard/family.h). GIL: held.
 */
#ifndef SG_TEMPORAL_SETTINGS_H
#define SG_TEMPORAL_SETTINGS_H

#include "shim/guard/family.h"

/* restrictions, workflow: the SDK's modules of those names. 0, or -1 with an exception. */
int sg_temporal_settings_install(PyObject *restrictions, PyObject *workflow);

int sg_temporal_shares(PyObject *settings, PyObject *module_name);
int sg_temporal_judge(PyObject *settings, const char *name, struct sg_judgement *ret);
int sg_temporal_additions(PyObject *settings, int (*add)(const char *name, enum sg_guard_kind kind));
int sg_temporal_loading(struct sg_context *context, PyObject *name, bool shared);
bool sg_temporal_lazy(PyObject *settings);
int sg_temporal_forbids(PyObject *settings, PyObject *name, enum sg_phase phase);

#endif
