/* What is said when the configuration is wrong. */
#define _GNU_SOURCE 1

#include "tests/unit/config_fixture.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static void expect_refusal(int result, const char *wanted)
{
	struct sg_config before = config;

	ck_assert_int_eq(sg_config_load(&config, sg_condition_names, error, sizeof(error)), result);
	ck_assert_msg(strstr(error, wanted) != NULL, "said:   %s\nwanted: %s", error, wanted);
	ck_assert_ptr_null(strchr(error, '\n'));
	ck_assert_msg(memcmp(&before, &config, sizeof(config)) == 0, "touched by a failure");
}

/* The sentence must hold file and line too. */
static void expect_file_refusal(const char *text, int line, const char *wanted)
{
	char place[192];

	use_file(text);
	snprintf(place, sizeof(place), "%s:%d: %s", path_of("rules.conf"), line, wanted);
	expect_refusal(-EINVAL, place);
	ck_assert_ptr_nonnull(strstr(error, "; accepted: "));
}

/* One line each: what the file says, in which line the mistake is, what is answered. */
static const struct {
	const char *text;
	int line;
	const char *wanted;
} wrong_files[] = {
		{"\n[setings]\n", 2,
				"[setings]: unknown section, did you mean [settings]?; accepted: "
				"[settings], [rules], [sinks], [native], [types], [engine NAME]"},
		{"[engine]\n", 1,
				"[engine]: unknown section; accepted: "},
		{"[]\n", 1,
				"[]: unknown section; accepted: "},
		{"[rules\n", 1,
				"[rules: there is no ']'"},
		{"[rules] # mine\n", 1,
				"[rules] # mine: there is text after the ']'"},
		{"[engine tempral]\n", 1,
				"[engine tempral]: unknown engine, did you mean [engine "
				"temporal]?"},
		{"mode = warn\n", 1,
				"mode = warn: it stands before the first section"},
		{"[settings]\nmode\n", 2,
				"mode: it has no '='"},
		{"[settings]\nmode =\n", 2,
				"mode = : the value is empty"},
		{"[settings]\n= warn\n", 2,
				" = warn: the name is empty"},
		{"[settings]\nmood = warn\n", 2,
				"mood = warn: unknown setting, did you mean mode?; accepted: "
				"mode, passthrough, reload, isolation, log, log_level, log_format, summary, inherit, native, "
				"hardened"},
		{"[settings]\nmode = warn\n\nmode = strict\n", 4,
				"mode = strict: mode is stated twice, first in line 2"},
		{"[settings]\nmode = enforced\n", 2,
				"mode = enforced: unknown mode \"enforced\", did you mean "
				"\"enforce\"?; accepted: enforce, strict, answer, warn, observe, off, 0"},
		{"[settings]\nmode = 1\n", 2,
				"mode = 1: unknown mode \"1\"; accepted: enforce"},
		{"[settings]\nisolation = some\n", 2,
				"isolation = some: unknown isolation \"some\"; accepted: shared, private, off"},
		{"[settings]\nisolation = full\n", 2,
				"isolation = full: unknown isolation"},
		{"[settings]\ninherit = python3\n", 2,
				"inherit = python3: unknown inheritance \"python3\", did you "
				"mean \"python\"?; accepted: python, all, none"},
		{"[settings]\nlog_level = warning\n", 2,
				"log_level = warning: unknown log level \"warning\"; accepted: "
				"error, warn, info, debug, trace"},
		{"[settings]\nlog = stdout\n", 2,
				"log = stdout: neither stderr nor a path; accepted: stderr, or a "
				"path"},
		{"[settings]\nlog = /tmp/%d.log\n", 2,
				"log = /tmp/%d.log: '%' without p"},
		{"[settings]\nlog = /tmp/%\n", 2,
				"log = /tmp/%: '%' without p"},
		{"[settings]\nnative = allow\n", 2,
				"native = allow: unknown verdict on native code \"allow\"; accepted: off, "
				"warn, block"},
		{"[native]\nnumpy/* = pass | x\n", 2,
				"numpy/* = pass | x: unknown action \"pass\"; accepted: allow, log, warn, "
				"block"},
		{"[native]\nnumpy/* = allow\n", 2,
				"numpy/* = allow: there is no reason; accepted: ACTION "
				"[only=FAMILY,FAMILY] | REASON"},
		{"[native]\nnumpy/* = allow |\n", 2, "numpy/* = allow |: there is no reason"},
		{"[native]\nnumpy/* = allow | a | b\n", 2,
				"numpy/* = allow | a | b: there is a second '|'"},
		{"[native]\nnumpy/* = allow only=clocks | x\n", 2,
				"numpy/* = allow only=clocks | x: unknown family \"clocks\", did you mean \"clock\"?; accepted: clock, "
				"monotonic, sleep, random, environment, file, network, process, thread, "
				"host, pool"},
		{"[native]\nnumpy/* = allow import=warn | x\n", 2,
				"numpy/* = allow import=warn | x: \"import=warn\" after the action; accepted: only=FAMILY,FAMILY"},
		{"[native]\nnumpy/* = allow | x\nnumpy/* = warn | x\n", 3,
				"numpy/* = warn | x: numpy/* is stated twice, first in line 2"},
		{"[types]\nacme.Table = frozen | x\n", 2,
				"acme.Table = frozen | x: unknown trait \"frozen\"; accepted: fixed, private, fields, kept"},
		{"[types]\nacme.Table = fixed\n", 2,
				"acme.Table = fixed: there is no reason; accepted: fixed | REASON, private | REASON"},
		{"[types]\nacme.Table = fixed | a | b\n", 2, "acme.Table = fixed | a | b: there is a second '|'"},
		{"[types]\nacme.Table = fixed | x\nacme.Table = private | x\n", 3,
				"acme.Table = private | x: acme.Table is stated twice, first in line 2"},
		{"[settings]\nconfig = /tmp/x\n", 2,
				"config = /tmp/x: only the environment has it; accepted: the "
				"variable SANDGLASS_CONFIG"},
		{"[settings]\nrules = os.*=warn\n", 2,
				"rules = os.*=warn: only the environment"},
		{"[settings]\npassthrough = a,,b\n", 2,
				"passthrough = a,,b: an item of the list is"},
		{"[settings]\npassthrough = a,\n", 2,
				"passthrough = a,: an item of the list is"},
		{"[settings]\npassthrough = a-b\n", 2,
				"passthrough = a-b: \"a-b\" is not the name of a module"},
		{"[settings]\nreload = .a\n", 2,
				"reload = .a: \".a\" is not the name of a module"},
		{"[settings]\nreload = a.\n", 2,
				"reload = a.: \"a.\" is not the name of a module"},
		{"[settings]\nreload = 1a\n", 2,
				"reload = 1a: \"1a\" is not the name of a module"},
		{"[settings]\nreload = a, a\n", 2,
				"reload = a, a: a is stated twice"},
		{"[settings]\nreload = a\npassthrough = b, a\n", 3,
				"passthrough = b, a: a is both in passthrough and in reload"},
		{"[rules]\ntime.time = blok\n", 2,
				"time.time = blok: unknown action \"blok\", did you mean "
				"\"block\"?; accepted: allow, log, warn, answer, block"},
		{"[rules]\nos.urandom = answer\n", 2,
				"os.urandom = answer: os.urandom has no answer; accepted: allow, log, warn, block"},
		{"[rules]\nos.urandom = block via=answer\n", 2,
				"os.urandom = block via=answer: os.urandom has no answer"},
		{"[rules]\nuuid.* = answer\n", 2,
				"uuid.* = answer: uuid.getnode has no answer"},
		{"[rules]\nos.urandom = block answer=bytes\n", 2,
				"os.urandom = block answer=bytes: unknown source \"bytes\"; accepted: none, clock, random, locale, terminal, entropy, identity"},
		{"[settings]\nvirtual = clocks\n", 2,
				"virtual = clocks: unknown source \"clocks\", did you mean \"clock\"?; accepted: none, clock, random, locale, terminal"},
		{"[rules]\ntime.tyme = warn\n", 2,
				"time.tyme = warn: no rule is named time.tyme, did you mean "
				"time.time?; accepted: a rule that exists"},
		{"[rules]\nacme.x = warn\n", 2,
				"acme.x = warn: no rule is named acme.x; accepted: "},
		{"[rules]\nacme.* = warn\n", 2,
				"acme.* = warn: no rule is named acme.*; accepted: the beginning "
				"of a rule's name"},
		{"[rules]\nti.* = warn\n", 2,
				"ti.* = warn: no rule is named ti.*"},
		{"[rules]\n.* = warn\n", 2,
				".* = warn: \".*\" is not the name of a rule"},
		{"[rules]\n* = warn\n", 2,
				"* = warn: \"*\" is not the name of a rule"},
		{"[rules]\ntime.*.time = warn\n", 2,
				"time.*.time = warn: \"time.*.time\" is not"},
		{"[rules]\nos.* = warn guard=call\n", 2,
				"os.* = warn guard=call: a prefix changes actions only"},
		{"[rules]\nos.* = warn | a | b\n", 2,
				"os.* = warn | a | b: a prefix changes actions"},
		{"[rules]\ntime.time = block imprt=warn\n", 2,
				"time.time = block imprt=warn: unknown word after the action "
				"\"imprt=\", did you mean \"import=\"?; accepted: import=, via=, "
				"when=, guard=, allow="},
		{"[rules]\ntime.time = block import\n", 2,
				"time.time = block import: unknown word after the action "
				"\"import\", did you mean \"import=\"?"},
		{"[rules]\ntime.time = block via=warn via=log\n", 2,
				"time.time = block via=warn via=log: via= is stated twice, first "
				"in line 2"},
		{"[rules]\ntime.time = block import=never\n", 2,
				"time.time = block import=never: unknown action \"never\"; "
				"accepted: allow"},
		{"[rules]\ntime.time = block guard=frames\n", 2,
				"time.time = block guard=frames: unknown guard \"frames\", did "
				"you mean \"frame\"?; accepted: call, frame, module, read, "
				"mapping, store"},
		{"[rules]\ntime.time = block when=mising:0\n", 2,
				"time.time = block when=mising:0: unknown condition \"mising\", "
				"did you mean \"missing\"?; accepted: "},
		{"[rules]\ntime.gmtime = block when=missing:x\n", 2,
				"time.gmtime = block when=missing:x: \"x\" is no number for the "
				"condition missing; accepted: 0 to 99"},
		{"[rules]\ntime.gmtime = block when=missing:\n", 2,
				"time.gmtime = block when=missing:: \"\" is no number"},
		{"[rules]\ntime.gmtime = block when=missing:100\n", 2,
				"time.gmtime = block when=missing:100: \"100\" is no number"},
		{"[rules]\ntime.gmtime = block when=missing:-1\n", 2,
				"time.gmtime = block when=missing:-1: \"-1\" is no number"},
		{"[rules]\ntime.gmtime = block guard=frame\n", 2,
				"time.gmtime = block guard=frame: the condition missing cannot "
				"be tested with guard=frame"},
		{"[rules]\ntime.time = block | why\n", 2,
				"time.time = block | why: wrong number of '|'"},
		{"[rules]\ntime.time = block | a | b | c\n", 2,
				"time.time = block | a | b | c: wrong number of '|'"},
		{"[rules]\ntime.time = block | | b\n", 2,
				"time.time = block | | b: the reason is empty"},
		{"[rules]\ntime.time = block | a |\n", 2,
				"time.time = block | a |: the replacement is empty"},
		{"[rules]\ntime.time = | a | b\n", 2,
				"time.time = | a | b: unknown action \"\""},
		{"[rules]\nacme = block | a | b\n", 2,
				"acme = block | a | b: a name without a dot is a module"},
		{"[rules]\ntime.time = warn\nos.* = warn\ntime.time = log\n", 4,
				"time.time = log: time.time is stated twice, first in line 2"},
		{"[sinks]\nlogging = anywere\n", 2,
				"logging = anywere: unknown trust \"anywere\", did you mean "
				"\"anywhere\"?; accepted: nearest, host, anywhere, through"},
		{"[sinks]\nacme = nearest only=time.time, 9\n", 2,
				"acme = nearest only=time.time, 9: there is no reason"},
		{"[sinks]\nacme = nearest only=time.time, 9 | a\n", 2,
				"acme = nearest only=time.time, 9 | a: \"9\" is not the name of a rule"},
		{"[sinks]\nacme = anywhere only=time.time | a\n", 2,
				"acme = anywhere only=time.time | a: text after the trust; accepted: nearest | REASON, nearest only=NAME,NAME"},
		{"[sinks]\nacme = nearest time.time | a\n", 2,
				"acme = nearest time.time | a: text after the trust"},
		{"[rules]\ntime.* = allow allow=time\n", 2,
				"time.* = allow allow=time: a prefix changes actions"},
		{"[sinks]\nacme = nearest\n", 2,
				"acme = nearest: there is no reason"},
		{"[sinks]\nacme = nearest |\n", 2,
				"acme = nearest |: there is no reason"},
		{"[sinks]\nacme = nearest | a | b\n", 2,
				"acme = nearest | a | b: there is a second"},
		{"[sinks]\nacme-x = nearest | a\n", 2,
				"acme-x = nearest | a: \"acme-x\" is not the name"},
		{"[sinks]\nacme = nearest | a\nacme = anywhere | a\n", 3,
				"acme = anywhere | a: acme is stated twice, first in line 2"},
		{"[engine temporal]\npackage = a\n", 2,
				"package = a: unknown key, did you mean packages?; accepted: packages, worker, tested, and the words that `sandglass rules` has there"},
		{"[engine temporal]\ntested = 1.8\n", 2,
				"tested = 1.8: it is no range"},
		{"[engine temporal]\nrandum = a\n", 2,
				"randum = a: unknown key, did you mean random?"},
		{"[engine temporal]\nworker = a; b\n", 2,
				"worker = a; b: \"a; b\" is not the name"},
		{"[engine temporal]\npackages = a b\n", 2,
				"packages = a b: \"a b\" is not the name"},
		{"[engine temporal]\npackages = a\npackages = b\n", 3,
				"packages = b: packages is stated twice, first in line 2"},
};

START_TEST(a_wrong_file)
{
	expect_file_refusal(wrong_files[_i].text, wrong_files[_i].line, wrong_files[_i].wanted);
}
END_TEST

static const struct {
	const char *variable;
	const char *value;
	const char *wanted;
} wrong_variables[] = {
		{"SANDGLASS", "enforse",
				"environment: SANDGLASS = enforse: unknown mode \"enforse\", did "
				"you mean \"enforce\"?; accepted: enforce, strict"},
		{"SANDGLASS", "",
				"environment: SANDGLASS = : it is empty; accepted: "},
		{"SANDGLASS", "Off",
				"environment: SANDGLASS = Off: unknown mode \"Off\", did you mean"},
		{"SANDGLASS_MODE", "warn",
				"environment: SANDGLASS_MODE = warn: unknown variable, did you mean SANDGLASS?; accepted: "
				"SANDGLASS, SANDGLASS_CONFIG, SANDGLASS_RULES, "
				"SANDGLASS_PASSTHROUGH, SANDGLASS_RELOAD, SANDGLASS_ISOLATION, "
				"SANDGLASS_LOG, SANDGLASS_LOG_LEVEL, SANDGLASS_LOG_FORMAT, SANDGLASS_SUMMARY, SANDGLASS_INHERIT, SANDGLASS_NATIVE, "
				"SANDGLASS_HARDENED"},
		{"SANDGLASS_LOGLEVEL", "info",
				"environment: SANDGLASS_LOGLEVEL = info: unknown variable, did "
				"you mean SANDGLASS_LOG_LEVEL?; accepted: "},
		{"SANDGLASS_RULE", "x",
				"environment: SANDGLASS_RULE = x: unknown variable, did you mean "
				"SANDGLASS_RULES?"},
		{"SANDGLASS_FOO", "x",
				"environment: SANDGLASS_FOO = x: unknown variable; accepted: "},
		{"SANDGLASS_RULES", "datetime.now=warn",
				"environment: SANDGLASS_RULES = datetime.now=warn: no rule is named datetime.now, did you mean datetime.datetime.now?; "
				"accepted: a rule that exists, or PREFIX.*; `sandglass rules` lists them"},
		{"SANDGLASS_", "x",
				"environment: SANDGLASS_ = x: unknown variable"},
		{"SANDGLASS_NATIVE", "on",
				"environment: SANDGLASS_NATIVE = on: unknown verdict on native code "
				"\"on\"; accepted: off, warn, block"},
		{"SANDGLASS_HARDENED", "yes",
				"environment: SANDGLASS_HARDENED = yes: unknown value \"yes\"; accepted: 0, 1"},
		{"SANDGLASS_VIRTUAL", "time",
				"environment: SANDGLASS_VIRTUAL = time: unknown source \"time\"; accepted: none, clock, random, locale, terminal"},
		{"SANDGLASS_TZ", "Europe/Berln",
				"environment: SANDGLASS_TZ = Europe/Berln: this machine has no time zone of that name; accepted: "
				"UTC, a name of the zone database such as Europe/Berlin, or host"},
		{"SANDGLASS_TZ", "Europe",
				"environment: SANDGLASS_TZ = Europe: its file in the zone database is not one of a time zone; "},
		{"SANDGLASS_HASHSEED", "4294967296",
				"environment: SANDGLASS_HASHSEED = 4294967296: not a seed; accepted: a number from 0 to "
				"4294967295, or random"},
		{"SANDGLASS_HASHSEED", "-1",
				"environment: SANDGLASS_HASHSEED = -1: not a seed"},
		{"SANDGLASS_ISOLATION", "some",
				"environment: SANDGLASS_ISOLATION = some: unknown isolation \"some\"; accepted: "
				"shared, private, off"},
		{"SANDGLASS_INHERIT", "child",
				"environment: SANDGLASS_INHERIT = child: unknown inherit"},
		{"SANDGLASS_LOG", "stdrr",
				"environment: SANDGLASS_LOG = stdrr: neither stderr nor"},
		{"SANDGLASS_LOG", " ",
				"environment: SANDGLASS_LOG =  : it is empty"},
		{"SANDGLASS_LOG_FORMAT", "xml",
				"environment: SANDGLASS_LOG_FORMAT = xml: unknown log format \"xml\"; accepted: logfmt, json"},
		{"SANDGLASS_SUMMARY", "1h",
				"environment: SANDGLASS_SUMMARY = 1h: not a number of minutes; accepted: 0 to 100000"},
		{"SANDGLASS_WORLD", "0",
				"environment: SANDGLASS_WORLD = 0: not a number of a world; accepted: 1 to 100"},
		{"SANDGLASS_LOG_LEVEL", "3",
				"environment: SANDGLASS_LOG_LEVEL = 3: unknown log level"},
		{"SANDGLASS_RULES", "time.tim=warn",
				"environment: SANDGLASS_RULES = time.tim=warn: no rule is named "
				"time.tim, did you mean time.time?; accepted: a rule that "
				"exists, or PREFIX.*"},
		{"SANDGLASS_RULES", "time.time",
				"environment: SANDGLASS_RULES = time.time: there is no '='"},
		{"SANDGLASS_RULES", "os.stat=log,os.urandom=answer",
				"environment: SANDGLASS_RULES = os.urandom=answer: os.urandom has no "
				"answer"},
		{"SANDGLASS_RULES", "time.time=warn via=log",
				"environment: SANDGLASS_RULES = time.time=warn via=log: text "
				"after the"},
		{"SANDGLASS_RULES", "acme.x=warn | a | b",
				"environment: SANDGLASS_RULES = acme.x=warn | a | b: text after "
				"the action"},
		{"SANDGLASS_RULES", "time.time=",
				"SANDGLASS_RULES = time.time=: unknown action \"\""},
		{"SANDGLASS_RULES", "=warn",
				"environment: SANDGLASS_RULES = =warn: \"\" is not the name"},
		{"SANDGLASS_RULES", "time.time=warn,time.time=log",
				"environment: SANDGLASS_RULES = time.time=log: time.time is "
				"stated twice"},
		{"SANDGLASS_RULES", "time.time=warn,",
				"SANDGLASS_RULES = time.time=warn,: an item of"},
		{"SANDGLASS_RULES", "nix.*=warn",
				"environment: SANDGLASS_RULES = nix.*=warn: no rule is"},
		{"SANDGLASS_PASSTHROUGH", "a b",
				"environment: SANDGLASS_PASSTHROUGH = a b: \"a b\" is not"},
		{"SANDGLASS_RELOAD", ",",
				"environment: SANDGLASS_RELOAD = ,: an item of the list is empty"},
		{"SANDGLASS_CONFIG", "",
				"environment: SANDGLASS_CONFIG = : it is empty"},
		{"SANDGLASS_CONFIG", ":/x",
				"environment: SANDGLASS_CONFIG = :/x: it is empty, or a path"},
};

START_TEST(a_wrong_variable)
{
	setenv(wrong_variables[_i].variable, wrong_variables[_i].value, 1);
	expect_refusal(-EINVAL, wrong_variables[_i].wanted);
}
END_TEST

START_TEST(one_source_may_not_share_and_isolate_a_module)
{
	setenv("SANDGLASS_PASSTHROUGH", "a", 1);
	setenv("SANDGLASS_RELOAD", "a", 1);
	expect_refusal(-EINVAL, "SANDGLASS_RELOAD = a: a is both in passthrough and in reload");
}
END_TEST

START_TEST(a_missing_file)
{
	setenv("SANDGLASS_CONFIG", "/does/not/exist", 1);
	expect_refusal(-ENOENT, "environment: SANDGLASS_CONFIG = /does/not/exist: /does/not/exist: "
				"No such file or directory; accepted: PATH[:PATH]");
}
END_TEST

START_TEST(the_second_file_is_missing)
{
	char paths[200];

	use_file("[settings]\nmode = warn\n");
	snprintf(paths, sizeof(paths), "%s:./none", path_of("rules.conf"));
	setenv("SANDGLASS_CONFIG", paths, 1);
	expect_refusal(-ENOENT, "./none: No such file or directory");
}
END_TEST

START_TEST(a_directory)
{
	setenv("SANDGLASS_CONFIG", directory, 1);
	expect_refusal(-EISDIR, ": Is a directory; accepted: ");
}
END_TEST

START_TEST(an_unreadable_file)
{
	use_file("[settings]\n");
	ck_assert_int_eq(chmod(path_of("rules.conf"), 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	expect_refusal(-EACCES, ": Permission denied; accepted: ");
	_exit(0); /* the teardown would lack the rights */
}
END_TEST

/* Opening it for reading would wait for a writer. */
START_TEST(a_fifo)
{
	ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
	setenv("SANDGLASS_CONFIG", path_of("fifo"), 1);
	expect_refusal(-ENODEV, ": Not a regular file; accepted: ");
}
END_TEST

START_TEST(a_line_that_is_too_long)
{
	char text[1200];

	memset(text, 'x', sizeof(text));
	memcpy(text, "\nmode = ", strlen("\nmode = "));
	text[1 + 1001] = 0;
	expect_file_refusal(text, 2, "the line has 1001 bytes; accepted: at most 1000");

	memset(text, '#', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	expect_file_refusal(text, 1, "the line has 1199 bytes");
}
END_TEST

START_TEST(a_zero_byte)
{
	write_bytes("zero.conf", "[settings]\nmode = wa\0rn\n", 24);
	setenv("SANDGLASS_CONFIG", path_of("zero.conf"), 1);
	expect_refusal(-EINVAL, "zero.conf:2: a zero byte; accepted: text");
}
END_TEST

START_TEST(a_file_that_is_too_large)
{
	use_file("[settings]\n");
	ck_assert_int_eq(truncate(path_of("rules.conf"), 1024 * 1024 + 1), 0);
	expect_refusal(-EFBIG, ": File too large; accepted: text files of at most 1 MiB");
}
END_TEST

START_TEST(a_message_is_one_printable_line_and_fits)
{
	char value[4000];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	value[1] = '\n';
	value[2] = '\x1b';
	setenv("SANDGLASS", value, 1);
	expect_refusal(-EINVAL, "environment: SANDGLASS = x??xxx");
	ck_assert_ptr_nonnull(strstr(error, "xxx...: unknown mode \"x??xxx"));
	ck_assert_uint_lt(strlen(error), 500);
	ck_assert_int_eq(sg_config_load(&config, sg_condition_names, error, 20), -EINVAL);
	ck_assert_str_eq(error, "environment: SANDGL");
	ck_assert_int_eq(sg_config_load(&config, sg_condition_names, NULL, 0), -EINVAL);
}
END_TEST

Suite *config_errors_suite(void);

Suite *config_errors_suite(void)
{
	Suite *suite = suite_create("config errors");
	TCase *tests = tcase_create("config errors");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, a_wrong_file, 0, COUNT(wrong_files));
	tcase_add_loop_test(tests, a_wrong_variable, 0, COUNT(wrong_variables));
	tcase_add_test(tests, one_source_may_not_share_and_isolate_a_module);
	tcase_add_test(tests, a_missing_file);
	tcase_add_test(tests, the_second_file_is_missing);
	tcase_add_test(tests, a_directory);
	tcase_add_test(tests, an_unreadable_file);
	tcase_add_test(tests, a_fifo);
	tcase_add_test(tests, a_line_that_is_too_long);
	tcase_add_test(tests, a_zero_byte);
	tcase_add_test(tests, a_file_that_is_too_large);
	tcase_add_test(tests, a_message_is_one_printable_line_and_fits);
	suite_add_tcase(suite, tests);
	return suite;
}

/* Weak: alone this file is a program, and a runner of several suites brings its own. */
__attribute__((weak)) int main(void)
{
	SRunner *runner = srunner_create(config_errors_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
