# Sandglass. `make help` lists the targets.
#
# Variables: PREFIX, DESTDIR (install); PYTHON=PATH_OR_VERSION (demo, test, bench: only that Python);
# JOBS (test: worker suites at a time); CC, CFLAGS (added to the ones that the object needs).

VERSION := 0.9.0
PREFIX ?= /usr/local
PYTHON ?=
export PYTHON

B := build
object := $(B)/libsandglass.so
command := $(B)/sandglass

core_sources := $(wildcard shim/*/*.c config/*.c)
hook_sources := $(wildcard hooks/*.c hooks/engines/*.c)
generated := $(B)/gen/default_conf.c $(B)/gen/rule_names.c
core_objects := $(core_sources:%.c=$(B)/obj/%.o) $(generated:%.c=%.o)
objects := $(core_objects) $(hook_sources:%.c=$(B)/obj/%.o)

# Not for tuning: each one is there because the object lives in somebody else's process.
#   fortify, file offset and time bits would turn calls into other names than the ones written;
#   LTO would merge hooks with what they call; a lazily allocated TLS block would call malloc in a hook.
required := -std=gnu11 -O2 -g3 -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-lto \
	-U_FORTIFY_SOURCE -U_FILE_OFFSET_BITS -U_TIME_BITS \
	-Wall -Wextra -Werror -Wmissing-prototypes -Wvla -I. -DSG_VERSION=\"$(VERSION)\"
inih := $(shell $(CC) -print-file-name=libinih.a 2>/dev/null)

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all layers coverage-table demo test bench install uninstall clean help unit FORCE

# The command is an ordinary program: its libraries are linked here and nowhere else, as archives where there
# are any, so that it runs where only Python is installed. Without them the object is built all the same.
command_sources := $(wildcard config/command/*.c)
command_objects := $(command_sources:%.c=$(B)/obj/%.o) $(filter $(B)/obj/config/%,$(core_objects)) \
	$(generated:%.c=%.o) $(B)/gen/command_rows.o
archive = $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a 2>/dev/null))
command_libraries = $(foreach name,minizip elf z,$(or $(call archive,$(name)),-l$(name))) \
	$(call archive,zstd) $(inih) -lm
can_build_command := $(shell printf '\043include <gelf.h>\n\043include <minizip/unzip.h>\n' | \
	$(CC) $(CFLAGS) -E - >/dev/null 2>&1 && echo yes)

all: $(object) $(if $(can_build_command),$(command),no-command)

.PHONY: no-command
no-command:
	@echo '$(command) is not built, libelf or minizip is missing: apt-get install libelf-dev libminizip-dev'

$(object): $(objects) $(B)/gen/exports.map $(B)/gen/objects
	$(CC) -shared -o $@ $(objects) $(inih) -fno-lto $(LDFLAGS) \
		-Wl,-soname,libsandglass.so -Wl,--exclude-libs,ALL -Wl,--version-script,$(B)/gen/exports.map \
		-Wl,-z,defs,-z,now,-z,relro,-z,nodelete

$(command): $(command_objects) $(B)/gen/command_objects
	$(CC) -o $@ $(command_objects) $(command_libraries) -fno-lto $(LDFLAGS) -Wl,-z,now,-z,relro

$(B)/obj/%.o: %.c $(B)/gen/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(required) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c
	$(CC) $(CFLAGS) $(required) -c -o $@ $<

# The default rules, byte for byte, as a C array that a zero ends.
$(B)/gen/default_conf.c: config/default.conf
	@mkdir -p $(@D)
	@{ echo '#include <stddef.h>'; \
	   echo 'extern const char sg_default_conf[];'; \
	   echo 'extern const size_t sg_default_conf_size;'; \
	   echo 'const char sg_default_conf[] = {'; \
	   od -An -v -td1 $< | sed 's/ *\(-\{0,1\}[0-9][0-9]*\)/\1,/g'; \
	   echo '0};'; \
	   echo 'const size_t sg_default_conf_size = sizeof(sg_default_conf) - 1;'; } >$@

# The names of its rules but for those about whole modules, sorted by bytes.
$(B)/gen/rule_names.c: config/default.conf
	@mkdir -p $(@D)
	@{ echo '#include <stddef.h>'; \
	   echo 'extern const char *const sg_rule_names[];'; \
	   echo 'extern const size_t sg_rule_name_count;'; \
	   echo 'const char *const sg_rule_names[] = {'; \
	   sed -n '/^\[rules\]/,/^\[/{/^\[/d;/guard=module/d;s/^\([A-Za-z_][A-Za-z0-9_.]*\) *=.*/\t"\1",/p;}' $< | LC_ALL=C sort -u; \
	   echo '	NULL};'; \
	   echo 'const size_t sg_rule_name_count = sizeof(sg_rule_names) / sizeof(sg_rule_names[0]) - 1;'; } >$@

# For the command: which functions the hooks know, and which conditions their rules may have.
$(B)/gen/command_rows.c: hooks/rows.h $(wildcard hooks/*_rows.h) $(hook_sources)
	@mkdir -p $(@D)
	@{ echo '#include "config/command/entries.h"'; \
	   echo 'const struct sg_entry_row sg_entry_rows[] = {'; \
	   $(CC) -E -P -DSG_ROW_TABLE $< | sed -n 's/^ *hook \([a-z]*\) \([A-Za-z0-9_]*\).*/\t{"\1", "\2"},/p'; \
	   echo '	{0, 0}};'; \
	   echo 'const char *const sg_condition_names[] = {'; \
	   sed -n '/sg_condition_entry conditions/,/{NULL, NULL}/p' $(hook_sources) | \
		grep -o '{"[a-z-]*"' | sed 's/{/\t/; s/$$/,/'; \
	   echo '	0};'; } >$@

# Exported: the interposed libc names, from their rows. Nothing else.
$(B)/gen/exports.map: hooks/rows.h $(wildcard hooks/*_rows.h)
	@mkdir -p $(@D)
	@$(CC) -E -P -DSG_VERSION_SCRIPT $< >$@

# Which entries of the C library are seen: a test compares the file with the rows.
coverage-table:
	@sh hooks/coverage.sh >hooks/COVERAGE.md.new && mv hooks/COVERAGE.md.new hooks/COVERAGE.md

# Files that change when a flag does, or the list of sources: a source taken away relinks too.
define remember
	@mkdir -p $(@D)
	@printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
endef
$(B)/gen/flags: FORCE
	$(call remember,$(CC) $(CFLAGS) $(required))
$(B)/gen/objects: FORCE
	$(call remember,$(objects) $(LDFLAGS))
$(B)/gen/command_objects: FORCE
	$(call remember,$(command_objects) $(LDFLAGS))

# Unit tests: each tests/unit/NAME.c is a program. The core is an archive, so each takes what it needs of it.
unit_programs := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
# Only test_python.c looks at them, and does without where there are none.
python_includes = $(patsubst -I%,-isystem %,$(shell python3-config --includes 2>/dev/null))
unit: $(unit_programs) $(if $(can_build_command),$(B)/command/fuzz)

# The fuzzer of tests/command: the command's own code but for the sub-commands.
sub_commands := $(patsubst %,$(B)/obj/config/command/%.o,main audit doctor explain run status)
$(B)/command/fuzz: tests/command/fuzz.c $(command_objects) $(B)/gen/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(required) -MMD -MP -MF $@.d -o $@ $< $(filter-out $(sub_commands),$(command_objects)) \
		$(command_libraries) $(LDFLAGS)

$(B)/unit/libcore.a: $(core_objects)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/unit/%: tests/unit/%.c $(B)/unit/libcore.a $(B)/gen/flags
	$(CC) $(CFLAGS) $(required) -MMD -MP -MF $@.d -o $@ $< $(B)/unit/libcore.a $(inih) \
		$(python_includes) $$(pkg-config --cflags --libs check) -ldl

demo:
	@tests/setup.sh packages
	@$(MAKE) --no-print-directory -s all
	@tests/run.sh demo

test:
	@tests/setup.sh packages
	@tests/setup.sh preloads
	@$(MAKE) --no-print-directory -s all unit
	@tests/layers.sh
	@tests/run.sh

layers: $(object)
	@tests/layers.sh

# Inside the core, so linked with it; bench.py compiles the rest.
$(B)/bench/%: tests/bench/%.c $(B)/unit/libcore.a $(B)/gen/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(required) -o $@ $< $(B)/unit/libcore.a $(inih) -ldl

bench:
	@tests/setup.sh packages
	@$(MAKE) --no-print-directory -s all $(B)/bench/hardened
	@tests/run.sh bench

install: all
	install -D -m 0755 $(object) $(DESTDIR)$(PREFIX)/lib/libsandglass.so
	[ ! -e $(command) ] || install -D -m 0755 $(command) $(DESTDIR)$(PREFIX)/bin/sandglass
	install -D -m 0644 config/default.conf $(DESTDIR)$(PREFIX)/share/sandglass/default.conf
	install -D -m 0644 README.md $(DESTDIR)$(PREFIX)/share/doc/sandglass/README.md

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/lib/libsandglass.so $(DESTDIR)$(PREFIX)/bin/sandglass
	rm -rf $(DESTDIR)$(PREFIX)/share/sandglass $(DESTDIR)$(PREFIX)/share/doc/sandglass

# Refuses while something is mounted below: a recursive removal would follow it.
clean:
	@if grep -q " $(CURDIR)/$(B)/" /proc/self/mounts; then \
		echo "something is mounted under $(B)/, nothing removed" >&2; exit 1; fi
	rm -rf --one-file-system $(B)

help:
	@echo 'make            build $(object) and the command $(command)'
	@echo 'make demo       a real server and unmodified workers under the preload'
	@echo 'make test       unit, preload and worker tests on every Python found'
	@echo 'make layers     no file of the object calls one on a higher floor, and none stands in a circle'
	@echo 'make bench      costs with and without Sandglass, side by side'
	@echo 'make install    into $$DESTDIR$$PREFIX (PREFIX=$(PREFIX)); make uninstall'
	@echo 'make clean      remove $(B)/'
	@echo 'PYTHON=3.12 or PYTHON=/path/to/python restricts demo, test and bench to that one.'

-include $(wildcard $(B)/obj/*/*.d $(B)/obj/*/*/*.d $(B)/unit/*.d $(B)/command/*.d)
