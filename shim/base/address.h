/*
 * address.h - where an object's address begins to look for its place in a hash table with open addressing.
 */
#ifndef SG_ADDRESS_H
#define SG_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

/* size: of the table, a power of two. */
static inline size_t sg_address_hash(const void *address, size_t size)
{
	return (((uintptr_t)address >> 4) * 0x9e3779b97f4a7c15u >> 20) & (size - 1);
}

#endif
