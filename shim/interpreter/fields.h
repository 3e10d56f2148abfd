/*
 * fields.h - objects whose content is their memory as it is: iterators, and what a C class adds to its base.
 *
 * A snapshot is the bytes, and the references among them, which it keeps alive. Each iterator type has a probe: one is saved,
 * goes on, is put back, and must then give the same again. GIL: held.
 */
#ifndef SG_FIELDS_H
#define SG_FIELDS_H

#include "shim/interpreter/guts.h"
#include "shim/interpreter/python.h"

#include <stdbool.h>

/* Of an object's own memory, or a part of it. New snapshot, or NULL with an exception. */
PyObject *sg_fields_save(PyObject *object, const struct sg_memory *fields);

/* 1, 0, or -1 with an exception; 0 or -1 with an exception. */
int sg_fields_same(const struct sg_memory *fields, PyObject *snapshot);
int sg_fields_restore(PyObject *object, const struct sg_memory *fields, PyObject *snapshot);

void sg_fields_probe(void);

/* May objects of the iterator type of that tp_name be saved and put back? */
bool sg_fields_proved(const char *type);

/* The next type that has a probe, from *position = 0 on, and what came of it; NULL: that were all. */
enum sg_fields_result { SG_FIELDS_PROVED, SG_FIELDS_FAILED, SG_FIELDS_NOT_THERE };
const char *sg_fields_next(int *position, enum sg_fields_result *ret_result);

#endif
