/*
 * pages.c - userfaultfd and /proc/self/pagemap.
 *
 * Rules:
 *  1. Whatever the kernel does not say for certain counts as written.
 *  2. Protecting a page again takes the kernel's note away, so every set of pages is told before: a page may belong to
 *     several.
 *  3. A page that is written to all the time is left unprotected: its page faults would cost more than looking at it.
 */
#define _GNU_SOURCE
#include "shim/base/pages.h"

#include "shim/base/attempt.h"
#include "shim/base/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* What headers before Linux 6.7 lack. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define FEATURE_WP_UNPOPULATED (1 << 13)
#define FEATURE_WP_ASYNC (1 << 15)

/* PAGEMAP_SCAN with its pm_scan_arg and page_region, as linux/fs.h has them; names of our own, so that both can be there. */
struct region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN _IOWR('f', 16, struct scan_arg)
#define SCAN_WP_MATCHING (1 << 0)
#define SCAN_CHECK_WPASYNC (1 << 1) /* memory that is not watched, or not any more, is an error */
#define IS_WRITTEN (1 << 1)

struct range {
	uintptr_t start, end;
};

struct sg_pages {
	struct sg_pages *next;
	struct range *ranges;          /* pages that follow each other */
	uintptr_t *addresses;          /* of the pages, in order */
	unsigned *first;               /* for each page, and one more: where its numbers begin */
	unsigned *numbers;             /* in order */
	struct page {
		bool written;
		unsigned char heat;    /* how often it is written to, see is_cold() */
		unsigned scan;         /* that found it written to last; of a hot one, when it was last protected */
	} *pages;
	unsigned *written;             /* pages, each once */
	size_t range_count, count, written_count;
	unsigned scans;
	unsigned *answer;              /* numbers */
};

static bool tried;
static const char *missing; /* what sg_pages_missing() says */

static struct file {
	int number;          /* -1: not open */
	dev_t device;
	ino_t inode;         /* a userfaultfd has one of its own, too */
} faults = {.number = -1}, map = {.number = -1};

static struct sg_pages *all;

static uintptr_t page_size(void)
{
	return getauxval(AT_PAGESZ);
}

/* --- the kernel -------------------------------------------------------------------------------- */

/* The application may have closed what it does not know, and been given the number again. */
static bool is_ours(const struct file *file)
{
	struct stat status;

	return file->number >= 0 && sg_raw_syscall(SYS_fstat, file->number, (long)&status, 0, 0) == 0 &&
		status.st_dev == file->device && status.st_ino == file->inode;
}

static void close_file(struct file *file)
{
	if (is_ours(file))
		sg_raw_syscall(SYS_close, file->number, 0, 0, 0);
	file->number = -1;
}

static void close_files(void)
{
	close_file(&faults);
	close_file(&map);
}

/* Out of the way of others; a negative errno stays one. */
static int lift(struct file *ret_file, long number)
{
	int high = number < 0 ? (int)number : sg_raw_descriptor_raise((int)number);
	struct stat status;

	if (number >= 0)
		sg_raw_syscall(SYS_close, number, 0, 0, 0);
	if (high >= 0 && sg_raw_syscall(SYS_fstat, high, (long)&status, 0, 0) == 0)
		*ret_file = (struct file){high, status.st_dev, status.st_ino};
	return high;
}

static long open_files(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED};
	long error;
	int uffd, pagemap;

	uffd = lift(&faults, sg_raw_syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY, 0, 0, 0));
	pagemap = lift(&map, sg_raw_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0));
	error = uffd < 0 ? uffd : pagemap < 0 ? pagemap : 0;
	if (!error)
		error = sg_raw_syscall(SYS_ioctl, faults.number, UFFDIO_API, (long)&api, 0);
	if (error)
		close_files();
	return error;
}

static long watch_range(const struct range *range)
{
	struct uffdio_register watch = {
		.range = {range->start, range->end - range->start}, .mode = UFFDIO_REGISTER_MODE_WP
	};

	return sg_raw_syscall(SYS_ioctl, faults.number, UFFDIO_REGISTER, (long)&watch, 0);
}

#define REGIONS 128

/* Tells note() of what has been written in the range since it was protected. flags: SCAN_... 0 or a negative errno. */
static long scan(const struct range *range, long flags, void (*note)(uintptr_t start, uintptr_t end))
{
	struct region regions[REGIONS];
	struct scan_arg arg = {
		.size = sizeof(arg), .flags = (uint64_t)flags | SCAN_CHECK_WPASYNC, .start = range->start,
		.end = range->end, .vec = (uintptr_t)regions, .vec_len = REGIONS,
		.category_mask = IS_WRITTEN, .return_mask = IS_WRITTEN
	};
	long count;

	while (arg.start < range->end) {
		count = sg_raw_syscall(SYS_ioctl, map.number, (long)SCAN, (long)&arg, 0);
		if (count < 0)
			return count;
		for (long i = 0; i < count; i++)
			note(regions[i].start, regions[i].end);
		if (arg.walk_end <= arg.start)
			return -EIO;
		arg.start = arg.walk_end;
	}
	return 0;
}

/* --- trying it --------------------------------------------------------------------------------- */

static struct range sample;
static unsigned seen; /* bits: pages of the sample that have been written to */

static void see(uintptr_t start, uintptr_t end)
{
	for (; start < end; start += page_size())
		seen |= 1u << (start - sample.start) / page_size();
}

static bool sees(long flags, unsigned expected)
{
	seen = 0;
	return scan(&sample, flags, see) == 0 && seen == expected;
}

/* In a child process. */
static long try_pages(void)
{
	size_t size = page_size();
	long memory = sg_raw_syscall6(SYS_mmap, 0, (long)(4 * size), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), error = open_files(), file;
	volatile char *page = (volatile char *)memory;

	if (error || memory < 0)
		return error ? -error : ENOMEM;
	sample = (struct range){(uintptr_t)memory, (uintptr_t)memory + 4 * size};
	page[0] = page[2 * size] = 1;
	/* Memory that is not watched must not pass for unwritten. */
	if (scan(&sample, 0, see) != -EPERM || watch_range(&sample) || scan(&sample, SCAN_WP_MATCHING, see) || !sees(0, 0))
		return ENOSYS;
	page[size] = page[2 * size + 7] = 1;
	if (page[0] != 1 || !sees(0, 2 | 4) || !sees(SCAN_WP_MATCHING, 2 | 4) || !sees(0, 0))
		return ENOSYS;
	file = sg_raw_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY, 0);
	if (file < 0 || sg_raw_syscall(SYS_read, file, memory + (long)(3 * size), 1, 0) != 1 || !sees(0, 8))
		return ENOSYS;
	close_file(&faults);
	page[0] = 2;
	return scan(&sample, 0, see) == -EPERM ? 0 : ENOSYS;
}

static const char *try_once(void)
{
	const char *reason = NULL;

	switch (sg_attempt(try_pages, &reason)) {
	case -1:
		return reason;
	case 0:
		return open_files() == 0 ? NULL : "no descriptor is to be had";
	case EPERM:
	case EACCES:
		return "a filter of seccomp, such as a container's, or another policy forbids userfaultfd";
	default:
		return "this kernel does not tell which pages have been written to";
	}
}

const char *sg_pages_missing(void)
{
	if (!tried)
		missing = try_once();
	tried = true;
	return missing;
}

void sg_pages_after_fork(void)
{
	if (!tried || missing)
		return;
	missing = "this process was forked off";
	close_files();
}

/* --- sets of pages ----------------------------------------------------------------------------- */

/* The first page of the set that is not before the address. */
static size_t find(const struct sg_pages *pages, uintptr_t address)
{
	size_t low = 0, high = pages->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (pages->addresses[middle] < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void note(uintptr_t start, uintptr_t end)
{
	for (struct sg_pages *pages = all; pages; pages = pages->next)
		for (size_t i = find(pages, start); i < pages->count && pages->addresses[i] < end; i++)
			if (!pages->pages[i].written) {
				pages->pages[i].written = true;
				pages->written[pages->written_count++] = (unsigned)i;
			}
}

struct entry {
	uintptr_t page;
	unsigned number;
};

static int compare(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	if (one->page != other->page)
		return one->page < other->page ? -1 : 1;
	return (one->number > other->number) - (one->number < other->number);
}

static struct range pages_of(const struct sg_pages_piece *piece)
{
	uintptr_t mask = ~(page_size() - 1), address = (uintptr_t)piece->address;

	return (struct range){address & mask, (address + piece->size + page_size() - 1) & mask};
}

/* (page, number) of all pieces, in order; NULL: out of memory. */
static struct entry *list_entries(const struct sg_pages_piece *pieces, size_t count, size_t *ret_count)
{
	struct entry *entries;
	size_t total = 0, n = 0;

	for (size_t i = 0; i < count; i++) {
		struct range range = pages_of(&pieces[i]);

		total += (range.end - range.start) / page_size();
	}
	entries = malloc((total + 1) * sizeof(*entries));
	if (!entries)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct range range = pages_of(&pieces[i]);

		for (; range.start < range.end; range.start += page_size())
			entries[n++] = (struct entry){range.start, pieces[i].number};
	}
	qsort(entries, n, sizeof(*entries), compare);
	*ret_count = n;
	return entries;
}

static void add_page(struct sg_pages *pages, uintptr_t address, size_t gap)
{
	struct range *last = pages->range_count ? &pages->ranges[pages->range_count - 1] : NULL;

	pages->addresses[pages->count++] = address;
	if (last && address - last->end <= gap * page_size())
		last->end = address + page_size();
	else
		pages->ranges[pages->range_count++] = (struct range){address, address + page_size()};
}

static void fill(struct sg_pages *pages, const struct entry *entries, size_t count, size_t gap)
{
	unsigned used = 0;

	for (size_t i = 0; i < count; i++) {
		bool new_page = !i || entries[i].page != entries[i - 1].page;

		if (new_page) {
			pages->first[pages->count] = used;
			add_page(pages, entries[i].page, gap);
		}
		if (new_page || entries[i].number != entries[i - 1].number)
			pages->numbers[used++] = entries[i].number;
	}
	pages->first[pages->count] = used;
}

static struct sg_pages *make(const struct sg_pages_piece *pieces, size_t count, size_t gap)
{
	struct sg_pages *pages = calloc(1, sizeof(*pages));
	struct entry *entries = list_entries(pieces, count, &count);

	if (pages && entries) {
		pages->ranges = malloc((count + 1) * sizeof(*pages->ranges));
		pages->addresses = malloc((count + 1) * sizeof(*pages->addresses));
		pages->first = malloc((count + 1) * sizeof(*pages->first));
		pages->numbers = malloc((count + 1) * sizeof(*pages->numbers));
		pages->pages = calloc(count + 1, sizeof(*pages->pages));
		pages->written = malloc((count + 1) * sizeof(*pages->written));
		pages->answer = malloc((count + 1) * sizeof(*pages->answer));
	}
	if (pages && entries && pages->ranges && pages->addresses && pages->first && pages->numbers &&
	    pages->pages && pages->written && pages->answer) {
		fill(pages, entries, count, gap);
	} else {
		sg_pages_free(pages);
		pages = NULL;
	}
	free(entries);
	return pages;
}

/* Scans all ranges, for whoever watches them. An error may have swallowed what others should know. */
static int scan_all(const struct sg_pages *pages, long flags)
{
	for (size_t i = 0; i < pages->range_count; i++)
		if (scan(&pages->ranges[i], flags, note) != 0) {
			note(0, UINTPTR_MAX);
			return -1;
		}
	return 0;
}

/*
 * A page fault, with protecting the page again, costs as much as looking at the page some eight times. One that is written
 * to more often gets hot, which is tried again now and then.
 */
#define WARMTH 8
#define HOT 20
#define LONG_HOT 128 /* scans */

/* Is a page that has been written to to be protected again? */
static bool is_cold(struct sg_pages *pages, struct page *page)
{
	unsigned passed = pages->scans - page->scan;

	if (page->heat >= HOT && passed < LONG_HOT)
		return false;
	page->scan = pages->scans;
	if (page->heat >= HOT) {
		page->heat = HOT - 1;
		return true;
	}
	page->heat = (unsigned char)((passed < page->heat ? page->heat - passed : 0) + WARMTH);
	return page->heat < HOT;
}

/* Protects what has been written to again. */
static int protect(struct sg_pages *pages)
{
	struct range range = {0, 0};
	long error = 0;

	pages->scans++;
	for (size_t i = 0; i < pages->written_count && !error; i++) {
		uintptr_t address = pages->addresses[pages->written[i]];

		if (!is_cold(pages, &pages->pages[pages->written[i]]))
			continue;
		if (range.end != address) {
			error = scan(&range, SCAN_WP_MATCHING, note);
			range = (struct range){address, address};
		}
		range.end += page_size();
	}
	return error || scan(&range, SCAN_WP_MATCHING, note) ? -1 : 0;
}

#define RANGES_MAX 256 /* to scan more takes as long as looking; and each may split a mapping */

static struct sg_pages *watch(const struct sg_pages_piece *pieces, size_t count, size_t gap)
{
	struct sg_pages *pages = make(pieces, count, gap);
	bool watched = pages && pages->range_count <= RANGES_MAX;

	for (size_t i = 0; watched && i < pages->range_count; i++)
		watched = watch_range(&pages->ranges[i]) == 0;
	if (watched && scan_all(pages, SCAN_WP_MATCHING) == 0) {
		pages->next = all;
		all = pages;
		return pages;
	}
	sg_pages_free(pages);
	return NULL;
}

#define GAP 256 /* pages: to scan them is faster than to scan twice */

struct sg_pages *sg_pages_watch(const struct sg_pages_piece *pieces, size_t count)
{
	struct sg_pages *pages;

	if (sg_pages_missing())
		return NULL;
	pages = watch(pieces, count, GAP);
	/* Between them may lie what cannot be watched. */
	return pages ? pages : watch(pieces, count, 0);
}

void sg_pages_free(struct sg_pages *pages)
{
	struct sg_pages **link = &all;

	if (!pages)
		return;
	while (*link && *link != pages)
		link = &(*link)->next;
	if (*link)
		*link = pages->next;
	free(pages->ranges);
	free(pages->addresses);
	free(pages->first);
	free(pages->numbers);
	free(pages->pages);
	free(pages->written);
	free(pages->answer);
	free(pages);
}

int sg_pages_written(struct sg_pages *pages, const unsigned **ret_numbers, size_t *ret_count)
{
	size_t count = 0;

	if (missing || scan_all(pages, 0) < 0 || protect(pages) < 0)
		return -1;
	for (size_t i = 0; i < pages->written_count; i++) {
		unsigned page = pages->written[i];

		pages->pages[page].written = false;
		for (unsigned n = pages->first[page]; n < pages->first[page + 1]; n++)
			pages->answer[count++] = pages->numbers[n];
	}
	pages->written_count = 0;
	*ret_numbers = pages->answer;
	*ret_count = count;
	return 0;
}

static int compare_number(const void *a, const void *b)
{
	const unsigned *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

bool sg_pages_cover(const struct sg_pages *pages, const struct sg_pages_piece *piece)
{
	struct range range = pages_of(piece);

	for (; range.start < range.end; range.start += page_size()) {
		size_t i = find(pages, range.start);

		if (i == pages->count || pages->addresses[i] != range.start ||
		    !bsearch(&piece->number, &pages->numbers[pages->first[i]],
				pages->first[i + 1] - pages->first[i], sizeof(unsigned), compare_number))
			return false;
	}
	return true;
}
