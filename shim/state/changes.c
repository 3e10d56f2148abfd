#include "shim/state/changes.h"

#include "shim/base/address.h"
#include "shim/base/pages.h"
#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A piece of memory and where in slots->expected lies what it should hold. */
struct sg_look {
	const char *address;
	unsigned size, slot, expected;
};

/* How many references there are to a pristine object. */
struct sg_own {
	unsigned slot;
	bool seen;                     /* the page of its count has been written to */
	Py_ssize_t references;
};

#define AHEAD 16 /* looks whose memory is fetched in advance */

static int out_of_memory(void)
{
	PyErr_SetString(PyExc_RuntimeError, "sandglass: out of memory");
	return -1;
}

/* Room for one more item of an array that doubles. */
static int reserve(void **items, size_t *size, size_t needed, size_t item_size)
{
	size_t wanted = *size ? *size : 256;
	void *grown;

	if (needed <= *size)
		return 0;
	while (wanted < needed)
		wanted *= 2;
	grown = realloc(*items, wanted * item_size);
	if (!grown)
		return out_of_memory();
	*items = grown;
	*size = wanted;
	return 0;
}

/* A copy of a dict that has lost keys has other positions: then the object gets those. */
static PyObject *save_alike(PyObject *object, const struct sg_state_kind *kind)
{
	PyObject *pristine = kind->save(object);

	if (!pristine || kind != &sg_state_dict || kind->same(object, pristine) == 1)
		return pristine;
	if (kind->exchange(object, &pristine) < 0)
		PyErr_Clear();
	Py_DecRef(pristine);
	return kind->save(object);
}

int sg_slots_add(struct sg_slots *slots, PyObject *object, const struct sg_state_kind *kind)
{
	PyObject *pristine;

	if (reserve((void **)&slots->items, &slots->size, slots->count + 1, sizeof(*slots->items)) < 0)
		return -1;
	pristine = save_alike(object, kind);
	if (!pristine)
		return -1;
	slots->items[slots->count++] = (struct sg_slot){
		.object = sg_python_ref(object), .kind = kind, .pristine = pristine
	};
	return 0;
}

/* --- watched dicts ----------------------------------------------------------------------------- */

/* Whose is a dict? Open addressing; a dict lives as long as its image. */
static struct watched {
	PyObject *dict;
	struct sg_slots *slots;
	unsigned number;
} *watched;
static size_t watched_count, watched_size;

static struct watched *find_watched(struct watched *table, size_t size, PyObject *dict)
{
	size_t i = sg_address_hash(dict, size);

	while (table[i].dict && table[i].dict != dict)
		i = (i + 1) & (size - 1);
	return &table[i];
}

static void suspect(struct sg_slots *slots, unsigned number)
{
	struct sg_slot *slot = &slots->items[number];

	if (slot->suspected || slot->foreign)
		return;
	slot->suspected = true;
	slots->suspects[slots->suspect_count++] = number;
}

/* Called by the interpreter in the middle of a change. */
static void note_change(PyObject *dict)
{
	struct watched *found = watched_size ? find_watched(watched, watched_size, dict) : NULL;

	if (found && found->slots)
		suspect(found->slots, found->number);
}

static int grow_watched(void)
{
	size_t size = watched_size ? 2 * watched_size : 1024;
	struct watched *table;

	if (2 * (watched_count + 1) <= watched_size)
		return 0;
	table = calloc(size, sizeof(*table));
	if (!table)
		return out_of_memory();
	for (size_t i = 0; i < watched_size; i++)
		if (watched[i].dict)
			*find_watched(table, size, watched[i].dict) = watched[i];
	free(watched);
	watched = table;
	watched_size = size;
	return 0;
}

static int watch(struct sg_slots *slots, unsigned number, PyObject *dict)
{
	struct watched *found;

	if (grow_watched() < 0)
		return -1;
	found = find_watched(watched, watched_size, dict);
	watched_count += !found->dict;
	*found = (struct watched){sg_python_ref(dict), slots, number};
	sg_containers_changed = note_change;
	return sg_containers_watch(dict);
}

/* What stands behind it and belongs further to the front moves up. */
static void take_out(size_t hole)
{
	size_t mask = watched_size - 1;

	for (size_t i = (hole + 1) & mask; watched[i].dict; i = (i + 1) & mask) {
		size_t home = sg_address_hash(watched[i].dict, watched_size);

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		watched[hole] = watched[i];
		hole = i;
	}
	watched[hole] = (struct watched){0};
	watched_count--;
}

/* By the table, not by the objects: one may have another dict by now than the one that is watched. */
static void unwatch(struct sg_slots *slots)
{
	PyObject *dicts = PyList_New(0);

	for (size_t i = 0; i < watched_size; i++) {
		PyObject *dict = watched[i].dict;

		if (watched[i].slots != slots)
			continue;
		sg_containers_unwatch(dict);
		if (!dicts || PyList_Append(dicts, dict) < 0) {
			PyErr_Clear();
			watched[i].slots = NULL; /* it stays, nobody's, so that its address cannot be taken for another's */
			continue;
		}
		take_out(i--); /* what moves up is looked at next */
		Py_DecRef(dict);
	}
	sg_python_clear(&dicts); /* what goes with them may change other dicts */
}

/* --- looks ------------------------------------------------------------------------------------- */

/* The memory of the slot's content; 0: it can only be compared. */
static int memory_of(const struct sg_slot *slot, struct sg_memory memory[SG_MEMORY_MAX])
{
	PyObject *dict = slot->kind->dict ? slot->kind->dict(slot->object) : NULL;
	int count = slot->kind->memory ? slot->kind->memory(slot->object, memory) : 0;

	if (slot->kind->memory && !count)
		return 0;
	if (dict && !sg_containers.watchers) {
		int parts = sg_containers_dict_memory(dict, &memory[count]);

		return parts ? count + parts : 0;
	}
	return count;
}

static int add_look(struct sg_slots *slots, unsigned number, const struct sg_memory *memory)
{
	if (reserve((void **)&slots->looks, &slots->look_size, slots->look_count + 1, sizeof(*slots->looks)) < 0 ||
	    reserve((void **)&slots->expected, &slots->expected_size, slots->expected_used + memory->size, 1) < 0)
		return -1;
	slots->looks[slots->look_count++] = (struct sg_look){
		memory->address, (unsigned)memory->size, number, (unsigned)slots->expected_used
	};
	memcpy(slots->expected + slots->expected_used, memory->address, memory->size);
	slots->expected_used += (memory->size + 7) & ~(size_t)7;
	return 0;
}

/* Larger content is compared in its own way, with no third copy of it. */
#define LARGEST_LOOK (1 << 20)

static bool too_large(const struct sg_memory memory[], int count)
{
	for (int i = 0; i < count; i++)
		if (memory[i].size > LARGEST_LOOK)
			return true;
	return false;
}

static void look_always(struct sg_slots *slots, unsigned number)
{
	struct sg_slot *slot = &slots->items[number];

	for (unsigned i = 0; i < slot->looks; i++)
		slots->looks[slot->first_look + i].size = 0;
	slot->looks = 0;
	slot->always = true;
	slots->always[slots->always_count++] = number;
}

static int seal_slot(struct sg_slots *slots, unsigned number)
{
	struct sg_slot *slot = &slots->items[number];
	struct sg_memory memory[SG_MEMORY_MAX];
	PyObject *dict = slot->kind->dict ? slot->kind->dict(slot->object) : NULL;
	int count = memory_of(slot, memory);
	bool told = dict && sg_containers.watchers;

	if (told && watch(slots, number, dict) < 0)
		return -1;
	slot->first_look = (unsigned)slots->look_count;
	if ((!count && !(told && !slot->kind->memory)) || too_large(memory, count)) {
		look_always(slots, number);
		return 0;
	}
	slot->looks = (unsigned char)count;
	for (int i = 0; i < count; i++)
		if (add_look(slots, number, &memory[i]) < 0)
			return -1;
	return 0;
}

static int count_references(struct sg_slots *slots)
{
	for (unsigned i = 0; i < slots->count; i++) {
		struct sg_slot *slot = &slots->items[i];

		if (!slot->kind->own)
			continue;
		if (reserve((void **)&slots->own, &slots->own_size, slots->own_count + 1, sizeof(*slots->own)) < 0)
			return -1;
		slot->own = (unsigned)slots->own_count;
		slots->own[slots->own_count++] = (struct sg_own){i, false, sg_cpython_refcount(slot->object)};
	}
	return 0;
}

/* --- pages ------------------------------------------------------------------------------------- */

/* Fewer are looked at faster than the kernel is asked, and than its page faults are taken. */
#define MANY_LOOKS 4000

static struct sg_pages_piece piece_of(const struct sg_look *look)
{
	return (struct sg_pages_piece){look->address, look->size, look->slot};
}

static void forget_pages(struct sg_slots *slots)
{
	sg_pages_free(slots->pages);
	slots->pages = NULL;
	slots->age = 0;
	for (size_t i = 0; i < slots->loose_count; i++)
		slots->items[slots->loose[i]].loose = false;
	slots->loose_count = 0;
}

/* Everything is pristine. */
static void watch_pages(struct sg_slots *slots)
{
	struct sg_pages_piece *pieces;
	size_t count = 0;

	forget_pages(slots);
	if (slots->look_count < MANY_LOOKS || sg_pages_missing())
		return;
	pieces = malloc((slots->look_count + slots->own_count) * sizeof(*pieces));
	if (!pieces)
		return;
	for (size_t i = 0; i < slots->look_count; i++)
		if (slots->looks[i].size)
			pieces[count++] = piece_of(&slots->looks[i]);
	for (size_t i = 0; i < slots->own_count; i++)
		pieces[count++] = (struct sg_pages_piece){
			slots->items[slots->own[i].slot].object, sizeof(Py_ssize_t), slots->own[i].slot
		};
	slots->pages = sg_pages_watch(pieces, count);
	free(pieces);
}

/* Its memory has moved: perhaps to where its pages say nothing about it. */
static void follow(struct sg_slots *slots, unsigned number)
{
	struct sg_slot *slot = &slots->items[number];

	for (unsigned i = 0; slots->pages && !slot->loose && i < slot->looks; i++) {
		struct sg_pages_piece piece = piece_of(&slots->looks[slot->first_look + i]);

		if (sg_pages_cover(slots->pages, &piece))
			continue;
		slot->loose = true;
		slots->loose[slots->loose_count++] = number;
	}
}

/* Now and then it is time to begin anew: much has moved, or the kernel knows no more. It is not cheap. */
#define OLD 64 /* changes of runs; twice as many each time */
#define OLDEST 4096

static void renew_pages(struct sg_slots *slots)
{
	size_t most = slots->pages ? slots->count / 16 : 0;

	if (slots->look_count < MANY_LOOKS || ++slots->age < slots->old || (slots->pages && slots->loose_count <= most))
		return;
	if (slots->old < OLDEST)
		slots->old *= 2;
	watch_pages(slots);
}

/* By address; aspects of one object stay in order, which `own` tells until it is needed. */
static int compare_slots(const void *a, const void *b)
{
	const struct sg_slot *one = a, *other = b;

	if (one->object != other->object)
		return one->object < other->object ? -1 : 1;
	return (one->own > other->own) - (one->own < other->own);
}

/* What lies together in memory is looked at together. */
static void sort_slots(struct sg_slots *slots)
{
	for (size_t i = 0; i < slots->count; i++)
		slots->items[i].own = (unsigned)i;
	qsort(slots->items, slots->count, sizeof(*slots->items), compare_slots);
}

int sg_slots_seal(struct sg_slots *slots)
{
	sort_slots(slots);
	slots->suspects = calloc(slots->count + 1, sizeof(*slots->suspects));
	slots->always = calloc(slots->count + 1, sizeof(*slots->always));
	slots->loose = calloc(slots->count + 1, sizeof(*slots->loose));
	if (!slots->suspects || !slots->always || !slots->loose)
		return out_of_memory();
	for (unsigned i = 0; i < slots->count; i++)
		if (seal_slot(slots, i) < 0)
			return -1;
	if (count_references(slots) < 0)
		return -1;
	slots->old = OLD;
	watch_pages(slots);
	return 0;
}

bool sg_slots_has(const struct sg_slots *slots, PyObject *object)
{
	size_t low = 0, high = slots->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (slots->items[middle].object < object)
			low = middle + 1;
		else
			high = middle;
	}
	return low < slots->count && slots->items[low].object == object;
}

const char *sg_slots_unwatched(const struct sg_slots *slots)
{
	if (slots->pages || slots->look_count < MANY_LOOKS)
		return NULL;
	return sg_pages_missing() ? sg_pages_missing() : "its memory cannot be watched";
}

void sg_slots_free(struct sg_slots *slots)
{
	unwatch(slots);
	for (size_t i = 0; i < slots->count; i++) {
		struct sg_slot *slot = &slots->items[i];

		sg_python_clear(&slot->object);
		sg_python_clear(&slot->pristine);
	}
	forget_pages(slots);
	free(slots->items);
	free(slots->looks);
	free(slots->expected);
	free(slots->suspects);
	free(slots->always);
	free(slots->own);
	free(slots->loose);
	*slots = (struct sg_slots){0};
}

/* --- asking ------------------------------------------------------------------------------------ */

/* Most are a few words: a call of memcmp() would cost more than the comparison. */
static bool as_expected(const struct sg_look *look, const char *expected)
{
	const uint64_t *now = (const uint64_t *)look->address, *then = (const uint64_t *)expected;
	uint64_t differences = 0;

	if (look->size % sizeof(*now) || look->size > 16 * sizeof(*now))
		return memcmp(look->address, expected, look->size) == 0;
	for (unsigned i = 0; i < look->size / sizeof(*now); i++)
		differences |= now[i] ^ then[i];
	return !differences;
}

/* Its pieces in order: if one has changed, those after it may be gone. */
static void look_at(struct sg_slots *slots, unsigned number)
{
	const struct sg_slot *slot = &slots->items[number];
	const struct sg_look *look = slots->looks + slot->first_look, *end = look + slot->looks;

	while (look < end && as_expected(look, slots->expected + look->expected))
		look++;
	if (look < end)
		suspect(slots, number);
}

static void look_at_all(struct sg_slots *slots)
{
	const struct sg_look *look = slots->looks, *end = look + slots->look_count;
	unsigned differs = UINT_MAX;

	for (; look < end; look++) {
		if (look + AHEAD < end)
			__builtin_prefetch(look[AHEAD].address);
		/* After the first difference the slot's other memory may be gone. */
		if (look->slot == differs || as_expected(look, slots->expected + look->expected))
			continue;
		differs = look->slot;
		suspect(slots, look->slot);
	}
	for (size_t i = 0; i < slots->own_count; i++)
		slots->own[i].seen = true;
}

/* What is far ahead is brought near step by step: each address is in what comes before. */
static void fetch(const struct sg_slots *slots, const unsigned *numbers, size_t count)
{
	if (count > 3 * AHEAD)
		__builtin_prefetch(&slots->items[numbers[3 * AHEAD]].first_look);
	if (count > 2 * AHEAD)
		__builtin_prefetch(&slots->looks[slots->items[numbers[2 * AHEAD]].first_look]);
	if (count > AHEAD && slots->items[numbers[AHEAD]].looks) {
		const struct sg_look *look = &slots->looks[slots->items[numbers[AHEAD]].first_look];

		__builtin_prefetch(look->address);
		__builtin_prefetch(slots->expected + look->expected);
	}
}

static void look_at_these(struct sg_slots *slots, const unsigned *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fetch(slots, numbers + i, count - i);
		look_at(slots, numbers[i]);
		if (slots->items[numbers[i]].kind->own)
			slots->own[slots->items[numbers[i]].own].seen = true;
	}
}

static void look_for_suspects(struct sg_slots *slots)
{
	const unsigned *numbers;
	size_t count;

	if (slots->pages && sg_pages_written(slots->pages, &numbers, &count) < 0)
		forget_pages(slots);
	if (slots->pages)
		look_at_these(slots, numbers, count);
	else
		look_at_all(slots);
	look_at_these(slots, slots->loose, slots->loose_count);
	for (size_t i = 0; i < slots->always_count; i++)
		suspect(slots, slots->always[i]);
}

static bool is_pristine(const struct sg_slot *slot)
{
	int same;

	if (!slot->pristine)
		return true;
	same = slot->kind->same(slot->object, slot->pristine);
	if (same < 0)
		PyErr_Clear();
	return same == 1;
}

size_t sg_slots_changed(struct sg_slots *slots, const unsigned **ret_numbers)
{
	size_t count = 0, suspects;

	look_for_suspects(slots);
	/* The changed ones come first; comparing may add others, which are none. */
	suspects = slots->suspect_count;
	for (size_t i = 0; i < suspects; i++) {
		unsigned number = slots->suspects[i];

		if (is_pristine(&slots->items[number])) {
			sg_slots_renew(slots, number);
			continue;
		}
		slots->suspects[i] = slots->suspects[count];
		slots->suspects[count++] = number;
	}
	*ret_numbers = slots->suspects;
	return count;
}

bool sg_slots_referred(struct sg_slots *slots, size_t *position, unsigned *ret_number)
{
	while (*position < slots->own_count) {
		struct sg_own *own = &slots->own[(*position)++];
		const struct sg_slot *slot = &slots->items[own->slot];
		Py_ssize_t references;

		if (!own->seen)
			continue;
		own->seen = false;
		references = sg_cpython_refcount(slot->object);
		/* Something from the time of the import has gone. */
		if (references < own->references)
			own->references = references;
		if (slot->held || references == own->references)
			continue;
		*ret_number = own->slot;
		return true;
	}
	return false;
}

void sg_slots_renew(struct sg_slots *slots, unsigned number)
{
	struct sg_slot *slot = &slots->items[number];
	struct sg_memory memory[SG_MEMORY_MAX];
	bool moved = false;
	int count;

	if (slot->always)
		return;
	count = memory_of(slot, memory);
	for (int i = 0; i < count && count == slot->looks; i++) {
		struct sg_look *look = &slots->looks[slot->first_look + (unsigned)i];

		if (look->size != memory[i].size) {
			count = -1;
			break;
		}
		moved |= look->address != memory[i].address;
		look->address = memory[i].address;
		memcpy(slots->expected + look->expected, look->address, look->size);
	}
	if (count != slot->looks)
		look_always(slots, number);
	else if (moved)
		follow(slots, number);
}

void sg_slots_settle(struct sg_slots *slots)
{
	for (size_t i = 0; i < slots->suspect_count; i++)
		slots->items[slots->suspects[i]].suspected = false;
	slots->suspect_count = 0;
	renew_pages(slots);
}
