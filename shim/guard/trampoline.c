#include "shim/guard/trampoline.h"

#include "shim/guard/stray.h"
#include "shim/run/answer.h"

typedef PyObject *(*object_fn)(PyObject *, PyObject *);
typedef PyObject *(*keywords_fn)(PyObject *, PyObject *, PyObject *);
typedef int (*init_fn)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*fast_fn)(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *(*fast_keywords_fn)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
typedef PyObject *(*method_fn)(PyObject *, PyObject *, PyObject *const *, size_t, PyObject *);

#define CALL(convention, trampoline, ...) ((convention##_fn)(trampoline)->original)(__VA_ARGS__)

/*
 * An allowed original runs without a context: what it does inside is its own business. It may take its
 * time and call back; the context is per thread, so nobody else is affected. A condition may want it watched.
 */
#define DECIDE_AND_CALL(failure, given, type, call, ...) \
	do { \
		const struct sg_answer *mark = sg_answer_current; \
		struct sg_context *token; \
		struct sg_answer answer; \
		type result; \
		enum sg_decision decision = sg_decide(&(call), trampoline->condition, &answer); \
		if (decision == SG_DECIDED_NO) \
			return failure; \
		if (decision == SG_DECIDED_ANSWER && (call).value) \
			return given; \
		token = decision == SG_DECIDED_INSIDE ? sg_context_current : sg_context_suspend(); \
		if (decision == SG_DECIDED_ANSWER) { \
			self = (call).self; \
			sg_answer_current = &answer; \
		} \
		result = CALL(__VA_ARGS__); \
		sg_answer_current = mark; \
		sg_context_leave(token); \
		return result; \
	} while (0)

__attribute__((noinline, cold))
static PyObject *guarded_object(struct sg_trampoline *trampoline, PyObject *self, PyObject *arg)
{
	struct sg_call call = {.rule = trampoline->rule, .self = self};

	if (trampoline->flags & METH_O) {
		call.args = &arg;
		call.nargs = 1;
	} else if (trampoline->flags & METH_VARARGS) {
		call.tuple = arg;
	}
	DECIDE_AND_CALL(NULL, call.value, PyObject *, call, object, trampoline, self, arg);
}

__attribute__((noinline, cold))
static PyObject *guarded_keywords(struct sg_trampoline *trampoline, PyObject *self, PyObject *args,
		PyObject *kwargs)
{
	struct sg_call call = {
		.rule = trampoline->rule, .self = self, .tuple = args, .kwargs = kwargs
	};

	DECIDE_AND_CALL(NULL, call.value, PyObject *, call, keywords, trampoline, self, args, kwargs);
}

__attribute__((noinline, cold))
static int guarded_init(struct sg_trampoline *trampoline, PyObject *self, PyObject *args, PyObject *kwargs)
{
	struct sg_call call = {
		.rule = trampoline->rule, .self = self, .tuple = args, .kwargs = kwargs
	};

	DECIDE_AND_CALL(-1, 0, int, call, init, trampoline, self, args, kwargs);
}

__attribute__((noinline, cold))
static PyObject *guarded_fast(struct sg_trampoline *trampoline, PyObject *self, PyObject *const *args,
		Py_ssize_t nargs)
{
	struct sg_call call = {.rule = trampoline->rule, .self = self, .args = args, .nargs = nargs};

	DECIDE_AND_CALL(NULL, call.value, PyObject *, call, fast, trampoline, self, args, nargs);
}

__attribute__((noinline, cold))
static PyObject *guarded_fast_keywords(struct sg_trampoline *trampoline, PyObject *self,
		PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	struct sg_call call = {
		.rule = trampoline->rule, .self = self, .args = args, .nargs = nargs,
		.kwnames = kwnames
	};

	DECIDE_AND_CALL(NULL, call.value, PyObject *, call, fast_keywords, trampoline, self, args, nargs, kwnames);
}

__attribute__((noinline, cold))
static PyObject *guarded_method(struct sg_trampoline *trampoline, PyObject *self, PyObject *class,
		PyObject *const *args, size_t nargs, PyObject *kwnames)
{
	struct sg_call call = {
		.rule = trampoline->rule, .self = self, .args = args, .nargs = (Py_ssize_t)nargs,
		.kwnames = kwnames
	};

	DECIDE_AND_CALL(NULL, call.value, PyObject *, call, method, trampoline, self, class, args, nargs, kwnames);
}

/* The pools. POOL_n(X) expands X(i) for n different i. */
#define POOL_4(X, i) X(i##0) X(i##1) X(i##2) X(i##3)
#define POOL_16(X, i) POOL_4(X, i##0) POOL_4(X, i##1) POOL_4(X, i##2) POOL_4(X, i##3)
#define POOL_64(X, i) POOL_16(X, i##0) POOL_16(X, i##1) POOL_16(X, i##2) POOL_16(X, i##3)
#define POOL_256(X, i) POOL_64(X, i##0) POOL_64(X, i##1) POOL_64(X, i##2) POOL_64(X, i##3)

/* The digits are base 4, written as a C hexadecimal constant: 0x0123 is 1 * 16 + 2 * 4 + 3. */
#define INDEX(i) ((0x##i & 3) | (0x##i >> 4 & 3) << 2 | (0x##i >> 8 & 3) << 4 | (0x##i >> 12 & 3) << 6)

static struct sg_trampoline object_pool[256], keywords_pool[64], init_pool[64], fast_pool[256];
static struct sg_trampoline fast_keywords_pool[256], method_pool[64];

#define BODY(convention, i, ...) \
	{ \
		struct sg_trampoline *trampoline = &convention##_pool[INDEX(i)]; \
		if (!sg_stray_guarded()) \
			return CALL(convention, trampoline, __VA_ARGS__); \
		return guarded_##convention(trampoline, __VA_ARGS__); \
	}

#define OBJECT(i) \
	static PyObject *object_##i(PyObject *self, PyObject *arg) BODY(object, i, self, arg)
#define KEYWORDS(i) \
	static PyObject *keywords_##i(PyObject *self, PyObject *args, PyObject *kwargs) \
	BODY(keywords, i, self, args, kwargs)
#define INIT(i) \
	static int init_##i(PyObject *self, PyObject *args, PyObject *kwargs) \
	BODY(init, i, self, args, kwargs)
#define FAST(i) \
	static PyObject *fast_##i(PyObject *self, PyObject *const *args, Py_ssize_t nargs) \
	BODY(fast, i, self, args, nargs)
#define FAST_KEYWORDS(i) \
	static PyObject *fast_keywords_##i(PyObject *self, PyObject *const *args, Py_ssize_t nargs, \
			PyObject *kwnames) \
	BODY(fast_keywords, i, self, args, nargs, kwnames)
#define METHOD(i) \
	static PyObject *method_##i(PyObject *self, PyObject *class, PyObject *const *args, \
			size_t nargs, PyObject *kwnames) \
	BODY(method, i, self, class, args, nargs, kwnames)

POOL_256(OBJECT, )
POOL_64(KEYWORDS, )
POOL_64(INIT, )
POOL_256(FAST, )
POOL_256(FAST_KEYWORDS, )
POOL_64(METHOD, )

#define ADDRESS_OBJECT(i) (void *)object_##i,
#define ADDRESS_KEYWORDS(i) (void *)keywords_##i,
#define ADDRESS_INIT(i) (void *)init_##i,
#define ADDRESS_FAST(i) (void *)fast_##i,
#define ADDRESS_FAST_KEYWORDS(i) (void *)fast_keywords_##i,
#define ADDRESS_METHOD(i) (void *)method_##i,

static void *const object_addresses[] = {POOL_256(ADDRESS_OBJECT, )};
static void *const keywords_addresses[] = {POOL_64(ADDRESS_KEYWORDS, )};
static void *const init_addresses[] = {POOL_64(ADDRESS_INIT, )};
static void *const fast_addresses[] = {POOL_256(ADDRESS_FAST, )};
static void *const fast_keywords_addresses[] = {POOL_256(ADDRESS_FAST_KEYWORDS, )};
static void *const method_addresses[] = {POOL_64(ADDRESS_METHOD, )};

static struct pool {
	struct sg_trampoline *records;
	void *const *addresses;
	int size, used;
} pools[SG_CONVENTION_COUNT] = {
	[SG_CONVENTION_OBJECT] = {object_pool, object_addresses, 256, 0},
	[SG_CONVENTION_KEYWORDS] = {keywords_pool, keywords_addresses, 64, 0},
	[SG_CONVENTION_INIT] = {init_pool, init_addresses, 64, 0},
	[SG_CONVENTION_FAST] = {fast_pool, fast_addresses, 256, 0},
	[SG_CONVENTION_FAST_KEYWORDS] = {fast_keywords_pool, fast_keywords_addresses, 256, 0},
	[SG_CONVENTION_METHOD] = {method_pool, method_addresses, 64, 0},
};

static bool same(const struct sg_trampoline *a, const struct sg_trampoline *b)
{
	return a->original == b->original && a->rule == b->rule && a->condition == b->condition &&
		a->flags == b->flags;
}

void *sg_trampoline_get(enum sg_convention convention, const struct sg_trampoline *content)
{
	struct pool *pool = &pools[convention];
	int i;

	for (i = 0; i < pool->used; i++)
		if (same(&pool->records[i], content))
			return pool->addresses[i];
	if (pool->used == pool->size)
		return NULL;
	pool->records[pool->used++] = *content;
	return pool->addresses[i];
}

struct sg_trampoline *sg_trampoline_at(const void *address)
{
	for (int convention = 0; convention < SG_CONVENTION_COUNT; convention++)
		for (int i = 0; i < pools[convention].used; i++)
			if (pools[convention].addresses[i] == address)
				return &pools[convention].records[i];
	return NULL;
}
