#include "shim/run/answer.h"

#include "shim/base/log.h"
#include "shim/run/policy.h"

#include <string.h>

#define NANOSECONDS 1000000000

__thread const struct sg_answer *sg_answer_current;

static bool fails[SG_SOURCES]; /* a trial has shown it */

/* --- SipHash-2-4, of Aumasson and Bernstein (2012) ---------------------------------------------- */

static uint64_t turn(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = turn(v[1], 13) ^ v[0];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] = turn(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = turn(v[1], 17) ^ v[2];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] = turn(v[2], 32);
	}
}

static uint64_t sip(const uint64_t key[2], const void *data, size_t size)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
		key[1] ^ 0x7465646279746573u};
	const unsigned char *bytes = data;

	for (size_t done = 0; done <= size; done += 8) {
		size_t left = size - done < 8 ? size - done : 8;
		uint64_t word = 0;

		for (size_t i = 0; i < left; i++)
			word |= (uint64_t)bytes[done + i] << 8 * i;
		if (left < 8)
			word |= (uint64_t)size << 56;
		v[3] ^= word;
		mix(v, 2);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- streams ------------------------------------------------------------------------------------ */

/* The first half of the first key is the label: no other use of the seed gives the same numbers. */
static void make_streams(struct sg_answers *answers, const char *seed)
{
	for (uint64_t i = 0; i < SG_STREAMS; i++) {
		struct sg_stream *stream = &answers->streams[i];

		sg_python_clear(&stream->generators);
		stream->drawn = 0;
		for (uint64_t half = 0; half < 2; half++)
			stream->key[half] = sip((uint64_t[]){0x73616e64676c6173u, i * 2 + half}, seed, strlen(seed));
	}
}

void sg_answer_draw(struct sg_stream *stream, void *buffer, size_t size)
{
	unsigned char *bytes = buffer;

	for (size_t i = 0; i < size; i++, stream->drawn++) {
		uint64_t block = stream->drawn / 8;

		bytes[i] = (unsigned char)(sip(stream->key, &block, sizeof(block)) >> stream->drawn % 8 * 8);
	}
}

int sg_answer_prepare(struct sg_answers *answers, int64_t now, PyObject *seed, enum sg_stream_kind kind, struct sg_answer *ret)
{
	if (answers->seed != seed) {
		PyObject *text = PyObject_Str(seed);

		if (!text) {
			PyErr_Clear();
			return -1;
		}
		make_streams(answers, sg_python_text(text));
		sg_python_clear(&text);
		sg_python_clear(&answers->seed);
		answers->seed = sg_python_ref(seed);
	}
	*ret = (struct sg_answer){now, &answers->streams[kind]};
	return 0;
}

static long number(PyObject *object, const char *name)
{
	PyObject *value = sg_python_attribute_or_null(object, name);
	long answer = value ? PyLong_AsLong(value) : -1;

	sg_python_clear(&value);
	return answer;
}

#define DAYS_UNTIL_1970 719163

int64_t sg_answer_moment(PyObject *datetime)
{
	PyObject *ordinal = sg_python_attribute_or_null(datetime, "toordinal");
	PyObject *days = ordinal ? PyObject_CallObject(ordinal, NULL) : NULL;
	int64_t seconds = days ? (PyLong_AsLong(days) - DAYS_UNTIL_1970) * 86400 : -1;

	if (seconds >= 0) {
		seconds += number(datetime, "hour") * 3600 + number(datetime, "minute") * 60 + number(datetime, "second");
		seconds = seconds * 1000000000 + number(datetime, "microsecond") * 1000;
	}
	PyErr_Clear();
	sg_python_clear(&days);
	sg_python_clear(&ordinal);
	return seconds;
}

void sg_answer_at(struct sg_answers *answers, int64_t now)
{
	if (answers->now != now)
		answers->clock = 0;
	answers->now = now;
}

struct timespec sg_answer_time(int64_t now)
{
	return (struct timespec){now / NANOSECONDS, now % NANOSECONDS};
}

void sg_answer_bytes(void *buffer, size_t size)
{
	sg_answer_draw(sg_answer_current->stream, buffer, size);
}

static PyObject *new_generator(struct sg_stream *stream, PyObject *class)
{
	PyObject *module = PyImport_ImportModule("random"), *plain, *number, *made = NULL;
	uint64_t seed;

	plain = module ? PyObject_GetAttrString(module, "Random") : NULL;
	sg_answer_draw(stream, &seed, sizeof(seed));
	number = PyLong_FromUnsignedLong(class ? (uint32_t)seed : seed);
	if (plain && number)
		made = PyObject_CallFunctionObjArgs(class ? class : plain, number, NULL);
	sg_python_clear(&number);
	sg_python_clear(&plain);
	sg_python_clear(&module);
	return made;
}

PyObject *sg_answer_generator(struct sg_stream *stream, PyObject *generator, PyObject *class)
{
	PyObject *known, *made;

	if (!stream->generators && !(stream->generators = PyDict_New()))
		return NULL;
	known = PyDict_GetItemWithError(stream->generators, generator);
	if (known || PyErr_Occurred())
		return known;
	made = new_generator(stream, class);
	if (made && PyDict_SetItem(stream->generators, generator, made) < 0)
		sg_python_clear(&made);
	if (made)
		Py_DecRef(made); /* the dict holds it */
	return made;
}

void sg_answer_release(struct sg_answers *answers)
{
	for (int i = 0; i < SG_STREAMS; i++)
		sg_python_clear(&answers->streams[i].generators);
	sg_python_clear(&answers->seed);
}

/* --- the trial ---------------------------------------------------------------------------------- */

bool sg_answer_can(enum sg_source source)
{
	return !fails[source] && sg_policy_config->answered & 1u << source;
}

static PyObject *call(const char *module_name, const char *name, PyObject *argument)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *function = module ? PyObject_GetAttrString(module, name) : NULL, *result = NULL;

	if (function)
		result = PyObject_CallFunctionObjArgs(function, argument, NULL);
	PyErr_Clear();
	sg_python_clear(&function);
	sg_python_clear(&module);
	return result;
}

static void note(enum sg_source source, const char *function, bool works)
{
	struct sg_line line;

	fails[source] = !works;
	if (works || !sg_log_begin(&line, SG_LOG_WARN, "unanswered"))
		return;
	sg_log_text(&line, "source", sg_config_source_name(source));
	sg_log_text(&line, "reason", "this interpreter does not ask the C library where it is heard");
	sg_log_text(&line, "function", function);
	sg_log_end(&line);
}

void sg_answer_try(void)
{
	struct sg_stream stream = {.key = {1, 2}}, again = stream;
	const struct sg_answer answer = {123456789 * (int64_t)NANOSECONDS, &stream};
	PyObject *size = PyLong_FromLong(16), *now, *bytes;
	char expected[16], *got = NULL;
	Py_ssize_t length = 0;

	sg_answer_draw(&again, expected, sizeof(expected));
	sg_answer_current = &answer;
	now = call("time", "time_ns", NULL);
	bytes = size ? call("os", "urandom", size) : NULL;
	sg_answer_current = NULL;
	note(SG_SOURCE_CLOCK, "time.time_ns", now && PyLong_AsLong(now) == answer.now);
	note(SG_SOURCE_RANDOM, "os.urandom", bytes && PyBytes_AsStringAndSize(bytes, &got, &length) == 0 &&
			length == sizeof(expected) && memcmp(got, expected, sizeof(expected)) == 0);
	PyErr_Clear();
	sg_python_clear(&bytes);
	sg_python_clear(&now);
	sg_python_clear(&size);
}
