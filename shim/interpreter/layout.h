/*
 * layout.h - every number that tells where something lies inside CPython's objects, for the files beside this one alone.
 *
 * The same in 3.10 to 3.15 with a GIL, where a row does not say otherwise. No number is believed before a probe has seen on
 * the very interpreter that it is right; tests/layout/ makes each of them wrong, one at a time, and start must notice.
 *
 * ROW(name, type of what lies there, bytes from the start of the object). SOME(..., first 3.x that has a use for it, last
 * one, why the others have none). NUMBER(name, value): not an offset, but as much a fact of the layout.
 */
#ifndef SG_LAYOUT_H
#define SG_LAYOUT_H

#define SG_LAYOUT_ROWS(ROW, SOME, NUMBER) \
	/* every object: the count is the lower half of its word, which no object outgrows */ \
	ROW(object_refcount, uint32_t, 0) \
	ROW(object_type, PyTypeObject *, 8) \
	ROW(object_fields, char, 16) /* where an object's own fields begin */ \
	ROW(c_function_def, PyMethodDef *, 16) \
	ROW(c_function_self, PyObject *, 24) \
	ROW(descriptor_payload, void *, 40) /* PyMethodDef, or what a slot wrapper wraps */ \
	ROW(descriptor_wrapped, void *, 48) /* the slot's function, of a slot wrapper */ \
	ROW(type_name, const char *, 24) \
	ROW(type_basicsize, Py_ssize_t, 32) \
	ROW(type_dealloc, void *, 48) \
	ROW(type_vectorcall_offset, Py_ssize_t, 56) \
	ROW(type_repr, void *, 88) \
	ROW(type_hash, void *, 120) \
	ROW(type_call, void *, 128) \
	ROW(type_getattro, void *, 144) \
	ROW(type_setattro, void *, 152) \
	ROW(type_flags, unsigned long, 168) \
	ROW(type_iter, void *, 216) \
	ROW(type_methods, void *, 232) \
	ROW(type_base, PyTypeObject *, 256) \
	ROW(type_dict, PyObject *, 264) \
	ROW(type_descr_get, void *, 272) \
	ROW(type_init, sg_initproc, 296) \
	ROW(type_alloc, void *, 304) \
	ROW(type_new, sg_newproc, 312) \
	SOME(type_version, unsigned int, 384, 13, 15, "a class may have as many versions as it takes") \
	SOME(function_version, uint32_t, 8, 11, 15, "call sites do not know versions") /* from its vectorcall pointer */ \
	SOME(generator_frame, PyObject *, 16, 10, 10, "the state of a generator is a byte, which is searched for") \
	SOME(object_dict, PyObject *, -24, 11, 15, "the dict of an instance lies behind its fields") \
	ROW(gil_holder, void *, 8) /* the last thread state that had it */ \
	ROW(gil_locked, int, 16) \
	ROW(gil_switches, unsigned long, 24) /* how often it has gone to another one */ \
	ROW(cell_content, PyObject *, 16) \
	ROW(abc_registry, PyObject *, 16) \
	ROW(partial_function, PyObject *, 16) \
	ROW(partial_arguments, PyObject *, 24) \
	ROW(partial_keywords, PyObject *, 32) \
	SOME(local_content, PyObject *, 16, 10, 12, "a threading.local has the contents of all threads in a dict") \
	ROW(dict_used, Py_ssize_t, 16) \
	ROW(dict_tag, uint64_t, 24) /* version, and who watches */ \
	SOME(dict_watchers, char, 8, 12, 15, "nobody can watch a dict") /* not an offset: bits at the low end of the tag */ \
	ROW(dict_keys, void *, 32) \
	ROW(dict_values, void *, 40) \
	SOME(values_capacity, unsigned char, 0, 13, 13, "a dict has a version, or no need of one") /* of an instance's dict */ \
	SOME(values_items, PyObject *, 8, 13, 13, "a dict has a version, or no need of one") \
	ROW(set_fill, Py_ssize_t, 16) \
	ROW(set_used, Py_ssize_t, 24) \
	ROW(set_mask, Py_ssize_t, 32) \
	ROW(set_table, void *, 40) \
	ROW(set_finger, Py_ssize_t, 56) \
	ROW(set_small, char, 64) /* the table of a small set */ \
	ROW(entry_key, PyObject *, 0) \
	ROW(entry_hash, Py_ssize_t, 8) /* -1: a deleted entry's placeholder */ \
	ROW(link_previous, PyObject *, 16) /* of an lru_cache, which begins like one itself */ \
	ROW(link_next, PyObject *, 24) \
	ROW(link_hash, Py_ssize_t, 32) \
	ROW(link_key, PyObject *, 40) \
	ROW(link_result, PyObject *, 48) \
	ROW(cache_dict, PyObject *, 72) \
	ROW(cache_hits, Py_ssize_t, 80) \
	ROW(cache_misses, Py_ssize_t, 104) \
	ROW(list_size, Py_ssize_t, 16) \
	ROW(list_items, void *, 24) \
	ROW(list_end, char, 40) \
	ROW(deque_size, Py_ssize_t, 16) \
	ROW(deque_left, void *, 24) /* first block */ \
	ROW(deque_first, Py_ssize_t, 40) /* index in it */ \
	ROW(deque_most, Py_ssize_t, 64) /* the end of what is its content's: how many items it may have; -1: any number */ \
	ROW(block_items, PyObject *, 8) /* after the address of the block to its left */ \
	ROW(block_next, void *, 520) \
	ROW(ordered_state, char, 72) /* how often it has changed, first and last node */ \
	ROW(ordered_end, char, 96) \
	ROW(bytearray_size, Py_ssize_t, 16) \
	ROW(bytearray_start, void *, 40) \
	ROW(bytearray_exports, Py_ssize_t, 48) \
	ROW(array_size, Py_ssize_t, 16) \
	ROW(array_items, void *, 24) \
	ROW(array_descriptor, void *, 40) /* what the items are: not exchanged */ \
	ROW(array_exports, Py_ssize_t, 56) \
	ROW(descriptor_item_size, int, 4) /* of an array's descriptor */ \
	NUMBER(set_small_table, 8) /* entries */ \
	NUMBER(entry_size, 16) \
	NUMBER(block_count, 64) /* items in a block of a deque */

#ifndef SG_LAYOUT_LIST /* the rows alone: for the build of the tests */

#include "shim/interpreter/cpython.h"

#include <stdint.h>

#define SG_LAYOUT_TYPE(name, type, ...) typedef type sg_type_##name;
#define SG_LAYOUT_NO_TYPE(name, value)
SG_LAYOUT_ROWS(SG_LAYOUT_TYPE, SG_LAYOUT_TYPE, SG_LAYOUT_NO_TYPE)

#ifdef SG_LAYOUT_VARIABLE /* the object that the test makes wrong */
#define SG_LAYOUT_NAME(name, ...) SG_ROW_##name,
enum { SG_LAYOUT_ROWS(SG_LAYOUT_NAME, SG_LAYOUT_NAME, SG_LAYOUT_NAME) SG_LAYOUT_COUNT };
extern long sg_layout_values[SG_LAYOUT_COUNT];
#define sg_at(name) sg_layout_values[SG_ROW_##name]
#else
#define SG_LAYOUT_AT(name, type, offset, ...) SG_AT_##name = offset,
#define SG_LAYOUT_NUMBER(name, value) SG_AT_##name = value,
enum { SG_LAYOUT_ROWS(SG_LAYOUT_AT, SG_LAYOUT_AT, SG_LAYOUT_NUMBER) };
#define sg_at(name) ((long)SG_AT_##name)
#endif

/* Is there a use for a row of SOME on this interpreter? */
#define SG_LAYOUT_SPAN(name, type, offset, since, until, why) SG_SINCE_##name = since, SG_UNTIL_##name = until,
#define SG_LAYOUT_NO_SPAN(...)
enum { SG_LAYOUT_ROWS(SG_LAYOUT_NO_SPAN, SG_LAYOUT_SPAN, SG_LAYOUT_NO_SPAN) };
#define sg_has(name) (sg_cpython.minor >= SG_SINCE_##name && sg_cpython.minor <= SG_UNTIL_##name)

/* What lies there, to be read or written. */
#define sg_field(object, name) (*(sg_type_##name *)((char *)(object) + sg_at(name)))

#endif /* SG_LAYOUT_LIST */
#endif
