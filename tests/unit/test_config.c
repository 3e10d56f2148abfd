/* What can be written into the configuration, and what comes of it. */
#include "config/zone.h"
#include "tests/unit/config_fixture.h"

#include "config/native.h"
#include "config/types.h"
#include "config/words.h"
#include "shim/base/log.h"

#include <stdarg.h>

static void load(void)
{
	int result = sg_config_load(&config, sg_condition_names, error, sizeof(error));

	ck_assert_msg(result == 0, "refused: %s", error);
	ck_assert_str_eq(error, "");
}

static struct sg_rule *rule(const char *name)
{
	struct sg_rule *found = sg_config_rule(&config, name);

	ck_assert_msg(found != NULL, "no rule %s", name);
	ck_assert_str_eq(found->name, name);
	return found;
}

static void expect_actions(const char *name, enum sg_action action, enum sg_action at_import,
		enum sg_action via)
{
	struct sg_rule *found = rule(name);

	ck_assert_msg(found->action == action && found->at_import == at_import && found->via == via,
			"%s is %s import=%s via=%s", name, sg_config_action_name(found->action),
			sg_config_action_name(found->at_import), sg_config_action_name(found->via));
}

static const struct sg_engine_config *engine(const char *name)
{
	for (size_t i = 0; i < config.engine_count; i++)
		if (strcmp(config.engines[i].name, name) == 0)
			return &config.engines[i];
	ck_abort_msg("no engine %s", name);
}

static void expect_list(char **list, ...)
{
	va_list names;
	const char *name;

	va_start(names, list);
	while ((name = va_arg(names, const char *))) {
		ck_assert_ptr_nonnull(*list);
		ck_assert_str_eq(*list++, name);
	}
	va_end(names);
	ck_assert_ptr_null(*list);
}

START_TEST(defaults)
{
	load();
	ck_assert_int_eq(config.mode, SG_MODE_ENFORCE);
	ck_assert_int_eq(config.isolation, SG_ISOLATION_SHARED);
	ck_assert_int_eq(config.inherit, SG_INHERIT_ALL);
	ck_assert_int_eq(config.log_level, SG_LOG_WARN);
	ck_assert_str_eq(config.log, "stderr");
	expect_list(config.passthrough, NULL);
	expect_list(config.reload, NULL);
	expect_list(engine("temporal")->packages, "temporalio", "nexusrpc", NULL);
	expect_list(engine("durabletask")->packages, "durabletask", NULL);
	ck_assert_uint_gt(config.rule_count, 500);
	ck_assert_uint_gt(config.sink_count, 30);
	ck_assert_ptr_null(sg_config_rule(&config, "time"));
	ck_assert_ptr_null(sg_config_rule(&config, "time.tim"));
	sg_config_release(&config);
}
END_TEST

START_TEST(every_default_rule_is_complete)
{
	load();
	for (size_t i = 0; i < config.rule_count; i++) {
		struct sg_rule *each = &config.rules[i];

		ck_assert_ptr_eq(sg_config_rule(&config, each->name), each);
		ck_assert_msg(each->reason && *each->reason, "%s", each->name);
		ck_assert_msg(each->replacement && *each->replacement, "%s", each->name);
		ck_assert_str_eq(each->source, "default.conf");
		ck_assert_int_gt(each->line, 0);
	}
	for (size_t i = 0; i < config.sink_count; i++)
		ck_assert_msg(*config.sinks[i].reason, "%s", config.sinks[i].module);
	sg_config_release(&config);
}
END_TEST

/* What the user of an engine is told to write; the buffer is good until the next call. */
static const char *instead(const char *name)
{
	static char buffer[SG_WORDS_SIZE];

	return sg_words_put(&config, "temporal", rule(name)->replacement, buffer, sizeof(buffer));
}

START_TEST(every_engine_has_every_word)
{
	char buffer[SG_WORDS_SIZE];

	load();
	for (size_t i = 0; i < config.rule_count; i++)
		for (size_t j = 0; j < config.engine_count; j++) {
			sg_words_put(&config, config.engines[j].name, config.rules[i].replacement, buffer, sizeof(buffer));
			ck_assert_msg(!strchr(buffer, '{'), "%s: %s", config.rules[i].name, buffer);
			ck_assert_uint_lt(strlen(buffer), sizeof(buffer) - 1);
		}
	sg_config_release(&config);
}
END_TEST

START_TEST(default_rules_that_matter)
{
	load();
	expect_actions("time.time", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_WARN);
	expect_actions("os.urandom", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_WARN);
	expect_actions("datetime.datetime.now", SG_ACTION_BLOCK, SG_ACTION_BLOCK, SG_ACTION_WARN);
	expect_actions("uuid.uuid4", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_WARN);
	expect_actions("secrets.token_hex", SG_ACTION_BLOCK, SG_ACTION_BLOCK, SG_ACTION_WARN);
	expect_actions("gettext", SG_ACTION_BLOCK, SG_ACTION_ALLOW, SG_ACTION_WARN);
	expect_actions("asyncio.wait", SG_ACTION_WARN, SG_ACTION_WARN, SG_ACTION_WARN);
	expect_actions("zoneinfo.ZoneInfo", SG_ACTION_ALLOW, SG_ACTION_ALLOW, SG_ACTION_ALLOW);
	ck_assert_ptr_null(rule("time.time")->condition);
	ck_assert_str_eq(rule("time.strftime")->condition, "format");
	ck_assert_int_eq(rule("time.strftime")->condition_argument, 1);
	ck_assert_int_eq(rule("time.gmtime")->condition_argument, 0);
	ck_assert_str_eq(rule("_thread.RLock.acquire")->condition, "blocking");
	ck_assert_str_eq(rule("_random.Random.seed")->condition, "unseeded");
	ck_assert_str_eq(rule("random.Random.random")->condition, "shared-generator");
	ck_assert_int_eq(rule("time.time")->guard, SG_GUARD_CALL);
	ck_assert_int_eq(rule("uuid.uuid4")->guard, SG_GUARD_FRAME);
	ck_assert_int_eq(rule("http.client")->guard, SG_GUARD_MODULE);
	ck_assert_int_eq(rule("os.environ")->guard, SG_GUARD_MAPPING);
	ck_assert_str_eq(rule("time.sleep")->replacement, "{sleep}");
	ck_assert_str_eq(instead("time.sleep"), "await asyncio.sleep() or workflow.sleep()");
	sg_config_release(&config);
}
END_TEST

START_TEST(variables_win_over_files_and_later_files_over_earlier)
{
	char paths[300];

	write_text("1.conf", "[settings]\nmode = warn\nlog_level = debug\ninherit = all\n");
	write_text("2.conf", "[settings]\nmode = strict\nlog_level = info\n");
	snprintf(paths, sizeof(paths), "%s:%s", path_of("1.conf"), path_of("2.conf"));
	setenv("SANDGLASS_CONFIG", paths, 1);
	setenv("SANDGLASS", "observe", 1);
	load();
	ck_assert_int_eq(config.mode, SG_MODE_OBSERVE);
	ck_assert_int_eq(config.log_level, SG_LOG_INFO);
	ck_assert_int_eq(config.inherit, SG_INHERIT_ALL);
	sg_config_release(&config);
}
END_TEST

START_TEST(all_variables)
{
	setenv("SANDGLASS", "strict", 1);
	setenv("SANDGLASS_ISOLATION", "off", 1);
	setenv("SANDGLASS_INHERIT", "none", 1);
	setenv("SANDGLASS_LOG", "/tmp/sandglass.%p.log", 1);
	setenv("SANDGLASS_LOG_LEVEL", " trace ", 1);
	setenv("SANDGLASS_RULES", "time.time=log, os.*=warn", 1);
	setenv("SANDGLASS_PASSTHROUGH", "numpy,acme.models", 1);
	setenv("SANDGLASS_RELOAD", "acme.counters", 1);
	load();
	ck_assert_int_eq(config.mode, SG_MODE_STRICT);
	ck_assert_int_eq(config.isolation, SG_ISOLATION_OFF);
	ck_assert_int_eq(config.inherit, SG_INHERIT_NONE);
	ck_assert_int_eq(config.log_level, SG_LOG_TRACE);
	ck_assert_str_eq(config.log, "/tmp/sandglass.%p.log");
	expect_list(config.passthrough, "numpy", "acme.models", NULL);
	expect_list(config.reload, "acme.counters", NULL);
	expect_actions("time.time", SG_ACTION_LOG, SG_ACTION_LOG, SG_ACTION_LOG);
	ck_assert_str_eq(rule("time.time")->source, "SANDGLASS_RULES");
	ck_assert_int_eq(rule("time.time")->line, 0);
	expect_actions("os.getpid", SG_ACTION_WARN, SG_ACTION_WARN, SG_ACTION_WARN);
	expect_actions("os.path.exists", SG_ACTION_WARN, SG_ACTION_WARN, SG_ACTION_WARN);
	expect_actions("posix._create_environ", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_WARN);
	ck_assert_str_eq(sg_config_mode_name(config.mode), "strict");
	ck_assert_str_eq(sg_config_isolation_name(config.isolation), "off");
	sg_config_release(&config);
}
END_TEST

START_TEST(off_wins_over_any_mistake)
{
	setenv("SANDGLASS", _i ? "0" : "off", 1);
	setenv("SANDGLASS_CONFIG", "/does/not/exist", 1);
	setenv("SANDGLASS_RULES", "nonsense", 1);
	setenv("SANDGLASS_TYPO", "1", 1);
	load();
	ck_assert_int_eq(config.mode, SG_MODE_OFF);
	ck_assert_uint_eq(config.rule_count, 0);
	expect_list(config.passthrough, NULL);
	expect_list(config.reload, NULL);
	ck_assert_ptr_null(sg_config_rule(&config, "time.time"));
	sg_config_release(&config);
}
END_TEST

START_TEST(off_in_a_file)
{
	use_file("[settings]\nmode = 0\n");
	load();
	ck_assert_int_eq(config.mode, SG_MODE_OFF);
	sg_config_release(&config);
}
END_TEST

START_TEST(lists_add_up_and_a_later_source_moves_a_module)
{
	use_file("[settings]\npassthrough = a, b, c\nreload = d\n");
	setenv("SANDGLASS_PASSTHROUGH", "e,a,d", 1);
	setenv("SANDGLASS_RELOAD", "b", 1);
	load();
	expect_list(config.passthrough, "a", "c", "e", "d", NULL);
	expect_list(config.reload, "b", NULL);
	sg_config_release(&config);
}
END_TEST

/* Far longer than what lies behind any constant of the program: nothing but the name itself may be read. */
START_TEST(a_module_may_have_a_name_of_any_length)
{
	size_t length = 8 << 20;
	char *name = malloc(length + 1);

	ck_assert_ptr_nonnull(name);
	memset(name, 'a', length);
	name[length] = '\0';
	setenv("SANDGLASS_PASSTHROUGH", name, 1);
	load();
	unsetenv("SANDGLASS_PASSTHROUGH"); /* no program starts with it */
	expect_list(config.passthrough, name, NULL);
	sg_config_release(&config);
	free(name);
}
END_TEST

START_TEST(comments_indents_carriage_returns_and_a_byte_order_mark)
{
	use_file("\xef\xbb\xbf[settings]\r\n# a comment\r\n; another\r\n  mode = warn\r\n"
		 "\tlog_level=info\r\n\r\n[rules]\r\n"
		 "time.time = log | it ; really | use = this # too");
	load();
	ck_assert_int_eq(config.mode, SG_MODE_WARN);
	ck_assert_int_eq(config.log_level, SG_LOG_INFO);
	ck_assert_str_eq(rule("time.time")->reason, "it ; really");
	ck_assert_str_eq(rule("time.time")->replacement, "use = this # too");
	ck_assert_int_eq(rule("time.time")->line, 8);
	ck_assert_str_eq(rule("time.time")->source, path_of("rules.conf"));
	sg_config_release(&config);
}
END_TEST

START_TEST(an_empty_file_changes_nothing)
{
	use_file("");
	load();
	ck_assert_int_eq(config.mode, SG_MODE_ENFORCE);
	sg_config_release(&config);
}
END_TEST

START_TEST(a_rule_changes_only_in_what_the_line_states)
{
	use_file("[rules]\n"
		 "time.strftime = block via=block\n"
		 "gettext = block\n"
		 "time.gmtime = block when=always\n"
		 "time.ctime = block import=block when=missing:7\n"
		 "uuid.uuid4 = block guard=call\n");
	load();
	expect_actions("time.strftime", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_BLOCK);
	ck_assert_str_eq(rule("time.strftime")->condition, "format");
	ck_assert_int_eq(rule("time.strftime")->condition_argument, 1);
	ck_assert_str_eq(rule("time.strftime")->reason,
			"without a time tuple it takes the current time");
	expect_actions("gettext", SG_ACTION_BLOCK, SG_ACTION_ALLOW, SG_ACTION_WARN);
	ck_assert_ptr_null(rule("time.gmtime")->condition);
	ck_assert_int_eq(rule("time.ctime")->condition_argument, 7);
	expect_actions("time.ctime", SG_ACTION_BLOCK, SG_ACTION_BLOCK, SG_ACTION_WARN);
	ck_assert_int_eq(rule("uuid.uuid4")->guard, SG_GUARD_CALL);
	sg_config_release(&config);
}
END_TEST

START_TEST(a_lower_action_lowers_the_rest_and_a_higher_one_lifts_it)
{
	use_file("[rules]\n"
		 "random.choice = allow\n"
		 "random.randint = log import=block\n"
		 "zoneinfo.ZoneInfo = block\n"
		 "asyncio.wait = block via=allow\n"
		 "zoneinfo.ZoneInfo.no_cache = log\n");
	load();
	expect_actions("random.choice", SG_ACTION_ALLOW, SG_ACTION_ALLOW, SG_ACTION_ALLOW);
	expect_actions("random.randint", SG_ACTION_LOG, SG_ACTION_BLOCK, SG_ACTION_LOG);
	expect_actions("zoneinfo.ZoneInfo", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_WARN);
	expect_actions("asyncio.wait", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_ALLOW);
	expect_actions("zoneinfo.ZoneInfo.no_cache", SG_ACTION_LOG, SG_ACTION_LOG, SG_ACTION_LOG);
	sg_config_release(&config);
}
END_TEST

START_TEST(a_new_rule)
{
	use_file("[rules]\n"
		 "acme.dice.roll = block when=missing | it rolls | workflow.random()\n"
		 "acme.net = block import=allow via=block guard=module | it calls | an activity\n"
		 "acme = log guard=module | it is ours | nothing\n"
		 "acme.dice.name = warn guard=read | it varies | workflow input\n");
	load();
	expect_actions("acme.dice.roll", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_WARN);
	ck_assert_str_eq(rule("acme.dice.roll")->condition, "missing");
	ck_assert_int_eq(rule("acme.dice.roll")->condition_argument, 0);
	ck_assert_str_eq(rule("acme.dice.roll")->reason, "it rolls");
	ck_assert_str_eq(rule("acme.dice.roll")->replacement, "workflow.random()");
	ck_assert_int_eq(rule("acme.dice.roll")->line, 2);
	expect_actions("acme.net", SG_ACTION_BLOCK, SG_ACTION_ALLOW, SG_ACTION_BLOCK);
	ck_assert_int_eq(rule("acme.net")->guard, SG_GUARD_MODULE);
	expect_actions("acme", SG_ACTION_LOG, SG_ACTION_LOG, SG_ACTION_LOG);
	expect_actions("acme.dice.name", SG_ACTION_WARN, SG_ACTION_WARN, SG_ACTION_WARN);
	ck_assert_int_eq(rule("acme.dice.name")->guard, SG_GUARD_READ);
	sg_config_release(&config);
}
END_TEST

START_TEST(lines_take_effect_in_order)
{
	use_file("[rules]\n"
		 "random.choice = block\n"
		 "random.* = warn import=log\n"
		 "random.randint = block\n");
	load();
	expect_actions("random.choice", SG_ACTION_WARN, SG_ACTION_LOG, SG_ACTION_WARN);
	expect_actions("random.shuffle", SG_ACTION_WARN, SG_ACTION_LOG, SG_ACTION_WARN);
	expect_actions("random.randint", SG_ACTION_BLOCK, SG_ACTION_WARN, SG_ACTION_WARN);
	expect_actions("secrets.token_hex", SG_ACTION_BLOCK, SG_ACTION_BLOCK, SG_ACTION_WARN);
	ck_assert_int_eq(rule("random.shuffle")->line, 3);
	sg_config_release(&config);
}
END_TEST

START_TEST(sinks_are_added_and_changed)
{
	bool structlog = false, acme = false;

	use_file("[sinks]\nstructlog = nearest\nacme.audit = anywhere | it is an audit log\n");
	load();
	for (size_t i = 0; i < config.sink_count; i++) {
		struct sg_sink *sink = &config.sinks[i];

		if (strcmp(sink->module, "structlog") == 0) {
			ck_assert(!structlog && sink->trust == SG_TRUST_NEAREST);
			ck_assert_ptr_nonnull(strstr(sink->reason, "log record"));
			structlog = true;
		}
		if (strcmp(sink->module, "acme.audit") == 0) {
			ck_assert(!acme && sink->trust == SG_TRUST_ANYWHERE);
			ck_assert_str_eq(sink->reason, "it is an audit log");
			acme = true;
		}
	}
	ck_assert(structlog && acme);
	sg_config_release(&config);
}
END_TEST

static bool is_in(char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

START_TEST(what_is_allowed_is_so_with_all_below_it)
{
	use_file("[rules]\nthreading.Thread = allow\ntempfile.* = allow\nuuid.uuid4 = allow\n");
	setenv("SANDGLASS_RULES", "uuid.uuid4=block", 1);
	load();
	unsetenv("SANDGLASS_RULES");
	expect_actions("threading.Thread.start", SG_ACTION_ALLOW, SG_ACTION_ALLOW, SG_ACTION_ALLOW);
	expect_actions("tempfile.mkdtemp", SG_ACTION_ALLOW, SG_ACTION_ALLOW, SG_ACTION_ALLOW);
	ck_assert(is_in(config.allowed, "threading.Thread") && is_in(config.allowed, "tempfile"));
	ck_assert(!is_in(config.allowed, "uuid.uuid4"));
	ck_assert_str_eq(rule("threading.Thread.start")->setting, "threading.Thread");
	ck_assert_ptr_null(rule("uuid.uuid4")->setting);
	sg_config_release(&config);
}
END_TEST

START_TEST(a_sink_may_be_trusted_with_some_rules_only)
{
	size_t seen = 0;

	use_file("[sinks]\nacme = nearest only=time.time, os.environ | x\nargparse = nearest | y\n");
	load();
	for (size_t i = 0; i < config.sink_count; i++) {
		struct sg_sink *sink = &config.sinks[i];

		if (strcmp(sink->module, "acme") == 0 && ++seen)
			ck_assert(is_in(sink->only, "time.time") && is_in(sink->only, "os.environ"));
		if (strcmp(sink->module, "argparse") == 0 && ++seen)
			ck_assert_ptr_null(sink->only);
		if (strcmp(sink->module, "optparse") == 0 && ++seen)
			ck_assert(is_in(sink->only, "gettext"));
	}
	ck_assert_uint_eq(seen, 3);
	sg_config_release(&config);
}
END_TEST

static enum sg_action native(const char *path, enum sg_native_family family)
{
	return sg_native_rule_action(&config, path, family, SG_ACTION_LOG);
}

START_TEST(native_objects_are_told_by_path_and_family)
{
	use_file("[settings]\nlog_format = json\nsummary = 10\nworld = 2\nnative = block\nhardened = 1\nhashseed = 4294967295\ntz = UTC\n[native]\n"
		 "acme/* = block | x\n"
		 "acme/_fast.*.so = allow only=clock, random | x\n"
		 "/opt/only?.so = warn | x\n");
	load();
	ck_assert_int_eq(config.native, SG_NATIVE_BLOCK);
	ck_assert(config.hardened);
	ck_assert(config.log_json && config.summary == 10 && config.world == 2);
	ck_assert(sg_config_pins_seed(&config) && config.hash_seed == UINT32_MAX);
	ck_assert(config.zone == &sg_zone_utc && !config.host_zone);
	ck_assert_int_eq(native("/v/site-packages/acme/_fast.abi3.so", SG_NATIVE_CLOCK), SG_ACTION_ALLOW);
	ck_assert_int_eq(native("/v/site-packages/acme/_fast.abi3.so", SG_NATIVE_RANDOM), SG_ACTION_ALLOW);
	ck_assert_int_eq(native("/v/site-packages/acme/_fast.abi3.so", SG_NATIVE_FILE), SG_ACTION_BLOCK);
	ck_assert_int_eq(native("/v/site-packages/acme/sub/other.so", SG_NATIVE_CLOCK), SG_ACTION_BLOCK);
	ck_assert_int_eq(native("acme/other.so", SG_NATIVE_CLOCK), SG_ACTION_BLOCK);
	ck_assert_int_eq(native("/v/site-packages/notacme/other.so", SG_NATIVE_CLOCK), SG_ACTION_LOG);
	ck_assert_int_eq(native("/opt/only1.so", SG_NATIVE_HOST), SG_ACTION_WARN);
	ck_assert_int_eq(native("/root/opt/only1.so", SG_NATIVE_HOST), SG_ACTION_LOG);
	ck_assert_int_eq(native("/opt/only.so", SG_NATIVE_HOST), SG_ACTION_LOG);
	ck_assert_int_eq(native("", SG_NATIVE_HOST), SG_ACTION_LOG);
	ck_assert_int_eq(native("/usr/lib/libjemalloc.so.2", SG_NATIVE_MONOTONIC), SG_ACTION_ALLOW);
	sg_config_release(&config);
}
END_TEST

START_TEST(the_verdict_on_native_code_goes_by_the_mode_unless_stated)
{
	use_file("[settings]\nmode = strict\n");
	load();
	ck_assert_int_eq(config.native, SG_NATIVE_BY_MODE);
	sg_config_release(&config);
	setenv("SANDGLASS_NATIVE", "off", 1);
	load();
	ck_assert_int_eq(config.native, SG_NATIVE_OFF);
	sg_config_release(&config);
}
END_TEST

START_TEST(the_last_line_that_fits_says_what_a_type_is)
{
	use_file("[types]\nacme.* = fixed | x\nacme.Counter = private | x\ndatetime.* = private | x\n"
			"acme.Set = fields | x\nacme.Client = kept | x\n");
	load();
	ck_assert_int_eq(sg_type_trait(&config, "acme.Set"), SG_TYPE_FIELDS);
	ck_assert_int_eq(sg_type_trait(&config, "acme.Client"), SG_TYPE_KEPT);
	ck_assert_int_eq(sg_type_trait(&config, "acme.Table"), SG_TYPE_FIXED);
	ck_assert_int_eq(sg_type_trait(&config, "acme.Counter"), SG_TYPE_PRIVATE);
	ck_assert_int_eq(sg_type_trait(&config, "notacme.Table"), SG_TYPE_UNKNOWN);
	ck_assert_int_eq(sg_type_trait(&config, "datetime.datetime"), SG_TYPE_PRIVATE);
	ck_assert_int_eq(sg_type_trait(&config, "decimal.Decimal"), SG_TYPE_FIXED);
	sg_config_release(&config);
}
END_TEST

START_TEST(an_engine_is_told_other_words)
{
	use_file("[engine temporal]\nrandom = acme.dice()\n");
	load();
	ck_assert_str_eq(instead("random.SystemRandom.random"), "acme.dice().random()");
	sg_config_release(&config);
}
END_TEST

START_TEST(words_are_put_where_they_are_known)
{
	char buffer[SG_WORDS_SIZE], small[12];

	load();
	ck_assert_str_eq(sg_words_put(&config, "temporal", "a {now} b{uuid4}", buffer, sizeof(buffer)),
			"a workflow.now() bworkflow.uuid4()");
	ck_assert_str_eq(sg_words_put(&config, "temporal", "{no} {} {now {now}", buffer, sizeof(buffer)), "{no} {} {now workflow.now()");
	ck_assert_str_eq(sg_words_put(&config, "temporal", "{} {now", buffer, sizeof(buffer)), "{} {now");
	ck_assert_str_eq(sg_words_put(&config, "another", "{now}", buffer, sizeof(buffer)), "{now}");
	ck_assert_str_eq(sg_words_put(&config, "temporal", "{now} b", small, sizeof(small)), "workflow.no");
	sg_config_release(&config);
}
END_TEST

START_TEST(versions_of_an_engine_are_tested_or_not)
{
	static const char *const in[] = {"1.8", "1.8.0", "1.35.2", "1.20rc1", NULL};
	static const char *const out[] = {"1.7.9", "1.36.0", "0.9", "2.8.0", "unknown", "", NULL};

	load();
	for (int i = 0; in[i]; i++)
		ck_assert_int_eq(sg_words_tested("1.8 to 1.35", in[i]), 1);
	for (int i = 0; out[i]; i++)
		ck_assert_int_eq(sg_words_tested("1.8 to 1.35", out[i]), 0);
	ck_assert_int_eq(sg_words_tested(NULL, "unknown"), 1);
	ck_assert_int_eq(sg_words_tested("1.8 to 1.35 ", "1.8"), -1);
	ck_assert_int_eq(sg_words_tested(engine("temporal")->tested, "1.8.0"), 1);
	sg_config_release(&config);
}
END_TEST

START_TEST(an_engine_gets_more_packages)
{
	use_file("[engine temporal]\npackages = acme.temporal, nexusrpc\n");
	load();
	expect_list(engine("temporal")->packages, "temporalio", "nexusrpc", "acme.temporal", NULL);
	sg_config_release(&config);
}
END_TEST

START_TEST(a_line_may_have_a_thousand_bytes)
{
	static const char head[] = "[rules]\ntime.time = block | ";
	const size_t start = strlen("[rules]\n");
	char text[1200];

	memset(text, 'x', sizeof(text));
	memcpy(text, head, strlen(head));
	strcpy(text + start + 1000 - 4, " | y");
	use_file(text);
	load();
	ck_assert_str_eq(rule("time.time")->replacement, "y");
	sg_config_release(&config);
}
END_TEST

Suite *config_suite(void);

Suite *config_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, defaults);
	tcase_add_test(tests, every_default_rule_is_complete);
	tcase_add_test(tests, default_rules_that_matter);
	tcase_add_test(tests, variables_win_over_files_and_later_files_over_earlier);
	tcase_add_test(tests, all_variables);
	tcase_add_loop_test(tests, off_wins_over_any_mistake, 0, 2);
	tcase_add_test(tests, off_in_a_file);
	tcase_add_test(tests, lists_add_up_and_a_later_source_moves_a_module);
	tcase_add_test(tests, a_module_may_have_a_name_of_any_length);
	tcase_add_test(tests, comments_indents_carriage_returns_and_a_byte_order_mark);
	tcase_add_test(tests, an_empty_file_changes_nothing);
	tcase_add_test(tests, a_rule_changes_only_in_what_the_line_states);
	tcase_add_test(tests, a_lower_action_lowers_the_rest_and_a_higher_one_lifts_it);
	tcase_add_test(tests, a_new_rule);
	tcase_add_test(tests, lines_take_effect_in_order);
	tcase_add_test(tests, sinks_are_added_and_changed);
	tcase_add_test(tests, what_is_allowed_is_so_with_all_below_it);
	tcase_add_test(tests, a_sink_may_be_trusted_with_some_rules_only);
	tcase_add_test(tests, native_objects_are_told_by_path_and_family);
	tcase_add_test(tests, the_verdict_on_native_code_goes_by_the_mode_unless_stated);
	tcase_add_test(tests, versions_of_an_engine_are_tested_or_not);
	tcase_add_test(tests, an_engine_gets_more_packages);
	tcase_add_test(tests, an_engine_is_told_other_words);
	tcase_add_test(tests, words_are_put_where_they_are_known);
	tcase_add_test(tests, every_engine_has_every_word);
	tcase_add_test(tests, the_last_line_that_fits_says_what_a_type_is);
	tcase_add_test(tests, a_line_may_have_a_thousand_bytes);
	suite_add_tcase(suite, tests);
	return suite;
}

/* Weak: alone this file is a program, and a runner of several suites brings its own. */
__attribute__((weak)) int main(void)
{
	SRunner *runner = srunner_create(config_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
