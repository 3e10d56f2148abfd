/*
 * order.h - the order of what the interpreter and its libraries keep by hashes of their own.
 *
 * The maps of protobuf's messages have another order in each process, whatever the hash seed, and so have the bytes of a message
 * that has some; a contextvars.Context has its variables by their addresses. In a run, what iterates over them does so by key
 * or by name (equal names keep the order in which they are found), and bytes are made with deterministic=True, unless the
 * caller says otherwise. In the host all is as ever.
 *
 * A technique that is not proved on an interpreter, or on a version of protobuf, is left out (logged: event=unguarded); of
 * protobuf that which is loaded when the first engine is, in its compiled form. GIL: held. Without a context: a branch each.
 */
#ifndef SG_ORDER_H
#define SG_ORDER_H

/* After sg_subclasses_install(). */
void sg_order_install(void);
void sg_order_remove(void);

#endif
