/*
 * pages.h - which pages of memory have been written to, as the kernel tells.
 *
 * It write-protects the pages and notes the first write to each, without a signal and without anybody waiting for it
 * (userfaultfd's asynchronous write protection, asked for by PAGEMAP_SCAN: Linux 6.7). Such a write costs a page fault,
 * some tenths of a microsecond; asking costs some microseconds, however much memory there is. Writes by system calls
 * count too. Where the kernel, a filter of seccomp or the machine does not have it, or it does not work when it is
 * tried in a child process, there is nothing to be had, and the caller looks for himself.
 *
 * A write to the pages' other content counts as well: a hit is only a suspicion. A process that was forked off has
 * none of it. GIL: held.
 */
#ifndef SG_PAGES_H
#define SG_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of memory, and the caller's number for it. */
struct sg_pages_piece {
	const void *address;
	size_t size;
	unsigned number;
};

struct sg_pages;

/* Watches the pages that the pieces lie on, from now on. NULL: it is not to be had. */
struct sg_pages *sg_pages_watch(const struct sg_pages_piece *pieces, size_t count);
void sg_pages_free(struct sg_pages *pages);

/*
 * The numbers of the pieces whose pages have been written to since the last time, and of some others, valid until the
 * next time, some of them more than once. 0, or -1: that is not known, all may have been written to, and these pages
 * are of no more use.
 */
int sg_pages_written(struct sg_pages *pages, const unsigned **ret_numbers, size_t *ret_count);

/* Is all of this memory watched under that number? */
bool sg_pages_cover(const struct sg_pages *pages, const struct sg_pages_piece *piece);

/* NULL: it works here. Else why not, in words for the log. Tried by the first call. */
const char *sg_pages_missing(void);

/* In the child. */
void sg_pages_after_fork(void);

#endif
