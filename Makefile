# Sandglass. `make help` lists the targets.
#
# Variables: PREFIX, DESTDIR (install); PYTHON=PATH_OR_VERSION (demo, test, bench: only that Python);
# JOBS (test: worker suites at a time); CC, CFLAGS (added to the ones that the object needs); DEBUG=1 (not optimised,
# assertions on); B (another folder than build/ for what is compiled).

VERSION := 0.9.0
PREFIX ?= /usr/local
PYTHON ?=
export PYTHON

B := build
object := $(B)/libsandglass.so
command := $(B)/sandglass

core_sources := $(wildcard shim/*/*.c config/*.c)
hook_sources := $(wildcard hooks/*/*.c hooks/engines/*/*.c)
generated := $(B)/gen/default_conf.c $(B)/gen/rule_names.c
core_objects := $(core_sources:%.c=$(B)/obj/%.o) $(generated:%.c=%.o)
objects := $(core_objects) $(hook_sources:%.c=$(B)/obj/%.o)

# Not for tuning: each one is there because the object lives in somebody else's process.
#   fortify, file offset and time bits would turn calls into other names than the ones written;
#   LTO would merge hooks with what they call; a lazily allocated TLS block would call malloc in a hook.
required := -std=gnu11 $(if $(DEBUG),-O0 -DSG_DEBUG,-O2) -g3 -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-lto \
	-U_FORTIFY_SOURCE -U_FILE_OFFSET_BITS -U_TIME_BITS \
	-Wall -Wextra -Werror -Wmissing-prototypes -Wvla -I. -DSG_VERSION=\"$(VERSION)\"
inih := $(shell $(CC) -print-file-name=libinih.a 2>/dev/null)

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all man layers format-check asan coverage coverage-table demo test test-all bench mutants fuzz soak install uninstall clean help unit FORCE

# The command is an ordinary program: its libraries are linked here and nowhere else, as archives where there
# are any, so that it runs where only Python is installed. Without them the object is built all the same.
command_sources := $(wildcard config/command/*.c hooks/engines/*/command/*.c)
command_objects := $(command_sources:%.c=$(B)/obj/%.o) $(filter $(B)/obj/config/% $(B)/obj/shim/base/log.o,$(core_objects)) \
	$(generated:%.c=%.o) $(B)/gen/command_rows.o
archive = $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a 2>/dev/null))
command_libraries = $(foreach name,minizip elf z,$(or $(call archive,$(name)),-l$(name))) \
	$(call archive,zstd) $(inih) -lm
can_build_command := $(shell printf '\043include <gelf.h>\n\043include <minizip/unzip.h>\n' | \
	$(CC) $(CFLAGS) -E - >/dev/null 2>&1 && echo yes)

all: $(object) $(if $(can_build_command),$(command),no-command) $(B)/compile_commands.json

.PHONY: no-command
no-command:
	@echo '$(command) is not built, libelf or minizip is missing: apt-get install libelf-dev libminizip-dev'

link_flags = $(inih) -Wl,--no-as-needed -l:libdl.so.2 -fno-lto $(LDFLAGS) \
	-Wl,-soname,libsandglass.so -Wl,--exclude-libs,ALL -Wl,--version-script,$(B)/gen/exports.map \
	-Wl,-z,defs,-z,now,-z,relro,-z,nodelete
$(object): $(objects) $(B)/gen/exports.map $(B)/gen/objects
	$(CC) -shared -o $@ $(objects) $(link_flags)

$(command): $(command_objects) $(B)/gen/command_objects
	$(CC) $(if $(STATIC),-static-pie) -o $@ $(command_objects) $(command_libraries) -fno-lto $(LDFLAGS) -Wl,-z,now,-z,relro

$(B)/obj/%.o: %.c $(B)/gen/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(required) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c
	$(CC) $(CFLAGS) $(required) -c -o $@ $<

# The default configuration, from its parts: settings and engines first, rules last, families in the order of their names.
conf_parts := config/default.conf $(sort $(wildcard hooks/engines/*/*.conf)) \
	config/sinks.conf config/native.conf config/types.conf $(sort $(wildcard hooks/*/rules.conf))
$(B)/gen/default.conf: $(conf_parts) $(B)/gen/conf_parts
	@awk 'FNR == 1 && NR > 1 { print "" } { print }' $(conf_parts) >$@

# The same, byte for byte, as a C array that a zero ends.
.SECONDARY: $(generated)
%/default_conf.c: %/default.conf
	@{ echo '#include <stddef.h>'; \
	   echo 'extern const char sg_default_conf[];'; \
	   echo 'extern const size_t sg_default_conf_size;'; \
	   echo 'const char sg_default_conf[] = {'; \
	   od -An -v -td1 $< | sed 's/ *\(-\{0,1\}[0-9][0-9]*\)/\1,/g'; \
	   echo '0};'; \
	   echo 'const size_t sg_default_conf_size = sizeof(sg_default_conf) - 1;'; } >$@

# The names of its rules but for those about whole modules, sorted by bytes.
$(B)/gen/rule_names.c: $(B)/gen/default.conf
	@{ echo '#include <stddef.h>'; \
	   echo 'extern const char *const sg_rule_names[];'; \
	   echo 'extern const size_t sg_rule_name_count;'; \
	   echo 'const char *const sg_rule_names[] = {'; \
	   awk -F ' *=' '/^\[/ { rules = $$0 == "[rules]" } rules && /^[A-Za-z_]/ && !/guard=module/ { print "\t\"" $$1 "\"," }' $< | LC_ALL=C sort -u; \
	   echo '	NULL};'; \
	   echo 'const size_t sg_rule_name_count = sizeof(sg_rule_names) / sizeof(sg_rule_names[0]) - 1;'; } >$@

# For the command: which functions the hooks know, and which conditions their rules may have.
$(B)/gen/command_rows.c: hooks/rows.h $(wildcard hooks/*/rows.h) $(hook_sources)
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
$(B)/gen/exports.map: hooks/rows.h $(wildcard hooks/*/rows.h)
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
$(B)/gen/conf_parts: FORCE
	$(call remember,$(conf_parts))
$(B)/gen/objects: FORCE
	$(call remember,$(objects) $(LDFLAGS))
$(B)/gen/command_objects: FORCE
	$(call remember,$(command_objects) $(LDFLAGS))

# For clangd and its like, from the flags and sources above.
$(B)/compile_commands.json: $(B)/gen/flags $(B)/gen/objects $(B)/gen/command_objects
	@{ echo '['; separator=; for source in $(sort $(core_sources) $(hook_sources) $(command_sources)) $(wildcard tests/unit/*.c tests/engine/*.c); do \
		printf '%b{"directory": "%s", "file": "%s", "command": "%s -c %s"}' "$$separator" '$(CURDIR)' "$$source" \
			'$(subst ",\",$(subst \,\\,$(CC) $(CFLAGS) $(required)))' "$$source"; separator=',\n'; \
	done; printf '\n]\n'; } >$@

# The object with one more engine, for the tests of tests/engine.
test_engine := $(B)/test-engine/libsandglass.so
$(B)/test-engine/default.conf: $(B)/gen/default.conf tests/engine/replay.conf
	@mkdir -p $(@D)
	@cat $^ >$@

$(test_engine): $(objects) $(B)/test-engine/default_conf.o $(B)/obj/tests/engine/engine.o $(B)/gen/exports.map $(B)/gen/objects
	$(CC) -shared -o $@ $(filter-out $(B)/gen/default_conf.o %.map %/objects,$^) $(link_flags)

$(B)/test-engine/%.o: $(B)/test-engine/%.c
	$(CC) $(CFLAGS) $(required) -c -o $@ $<

# For tests/layout: the same object, but that the numbers of CPython's layout are variables, which it puts wrong.
wrong_sources := $(wildcard shim/interpreter/*.c) tests/layout/values.c
wrong_objects := $(wrong_sources:%.c=$(B)/layout/obj/%.o)
$(B)/layout/obj/%.o: %.c $(B)/gen/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(required) -DSG_LAYOUT_VARIABLE -MMD -MP -c -o $@ $<

$(B)/layout/exports.map: $(B)/gen/exports.map
	@mkdir -p $(@D)
	@sed 's/global:/& sg_layout_values; sg_layout_rows;/' $< >$@

$(B)/layout/libsandglass.so: $(wrong_objects) $(objects) $(B)/layout/exports.map $(B)/gen/objects
	$(CC) -shared -o $@ $(wrong_objects) $(filter-out $(B)/obj/shim/interpreter/%,$(objects)) \
		$(subst $(B)/gen/exports.map,$(B)/layout/exports.map,$(link_flags))

# Unit tests: each tests/unit/NAME.c is a program. The core is an archive, so each takes what it needs of it.
unit_programs := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
# Only test_python.c looks at them, and does without where there are none.
python_includes = $(patsubst -I%,-isystem %,$(shell python3-config --includes 2>/dev/null))
unit: $(unit_programs) $(test_engine) $(B)/layout/libsandglass.so $(if $(can_build_command),$(B)/command/fuzz)

# The fuzzer of tests/command: the command's own code but for the sub-commands.
sub_commands := $(patsubst %,$(B)/obj/config/command/%.o,main audit check completion doctor explain log_command rules run status)
$(B)/command/fuzz: tests/command/fuzz.c $(command_objects) $(B)/gen/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(required) -MMD -MP -MF $@.d -o $@ $< $(filter-out $(sub_commands),$(command_objects)) \
		$(command_libraries) $(LDFLAGS)

# The fuzzer of what reads files and variables: that code under sanitizers, and counted.
fuzzed := $(wildcard config/*.c) shim/base/log.c
sanitized := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
$(B)/fuzz/obj/%.o: %.c $(B)/gen/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(required) $(sanitized) -fsanitize-coverage=trace-pc -MMD -MP -c -o $@ $<

$(B)/fuzz/fuzz: tests/fuzz/fuzz.c $(fuzzed:%.c=$(B)/fuzz/obj/%.o)
	$(CC) $(CFLAGS) $(required) $(sanitized) -MMD -MP -MF $@.d -o $@ $^ $(inih)

# SECONDS=60 SEED=1: for how long, and other inputs. KEEP=tests/fuzz/corpus keeps those that run something new.
fuzz: $(B)/fuzz/fuzz
	$(B)/fuzz/fuzz $(or $(SECONDS),60) $(or $(SEED),$(shell date +%s)) tests/fuzz/corpus

$(B)/unit/libcore.a: $(core_objects)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/unit/%: tests/unit/%.c $(B)/unit/libcore.a $(B)/gen/command_rows.o $(B)/gen/flags
	$(CC) $(CFLAGS) $(required) -MMD -MP -MF $@.d -o $@ $< $(B)/unit/libcore.a $(B)/gen/command_rows.o $(inih) \
		$(python_includes) $$(pkg-config --cflags --libs check) -ldl

demo:
	@tests/setup.sh packages
	@$(MAKE) --no-print-directory -s all
	@tests/run.sh demo

# Unless make was told how many at a time.
parallel = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
test test-all:
	@tests/setup.sh packages
	@tests/setup.sh preloads
	@$(MAKE) --no-print-directory -s $(parallel) all unit $(B)/fuzz/fuzz
	@tests/layers.sh
	@$(MAKE) --no-print-directory -s format-check
	@$(if $(filter test-all,$@),CORE=none) tests/run.sh

# Instrumented builds have folders of their own.
comma := ,
instrumented = @tests/setup.sh packages && $(MAKE) --no-print-directory -s B=build/$@ CFLAGS='$(CFLAGS) $(1)' \
	LDFLAGS='$(LDFLAGS) $(1)' all unit && BUILD=build/$@ tests/run.sh instrumented
asan:
	$(call instrumented,-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
coverage:
	@[ ! -d build/$@ ] || find build/$@ -name '*.gcda' -delete
	$(call instrumented,--coverage -fprofile-update=atomic)

# Its command needs no library at all, and no file tells where it was built. MACHINE=aarch64: for that one, on any other.
MACHINE ?= $(shell uname -m)
dist := $(B)/dist/$(MACHINE)
sysroot := $(B)/sysroot/$(MACHINE)/root
ifneq ($(MACHINE),$(shell uname -m))
cross := CC='$(MACHINE)-linux-gnu-gcc -idirafter $(sysroot)/usr/include -B$(sysroot)/usr/lib/$(MACHINE)-linux-gnu -L$(sysroot)/usr/lib/$(MACHINE)-linux-gnu'
endif
.PHONY: dist
dist: all
	@$(if $(cross),tests/setup.sh sysroot $(MACHINE) >/dev/null)
	@$(MAKE) --no-print-directory -s B=$(dist) STATIC=1 $(cross) CFLAGS='$(CFLAGS) -ffile-prefix-map=$(CURDIR)=/usr/src/sandglass' all
	@.packaging/dist.sh $(MACHINE) $(dist) "$$(tests/setup.sh tools)"

layers: $(object)
	@tests/layers.sh

format-check:
	@tests/setup.sh packages
	@"$$(tests/setup.sh pick | cut -d' ' -f2)" tests/format.py

# Inside the core, so linked with it; bench.py compiles the rest.
$(B)/bench/%: tests/bench/%.c $(B)/unit/libcore.a $(B)/gen/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(required) -o $@ $< $(B)/unit/libcore.a $(inih) -ldl

bench:
	@tests/setup.sh packages
	@$(MAKE) --no-print-directory -s all $(B)/bench/hardened
	@tests/run.sh bench

# MINUTES=10 or RUNS=20000: for how long; ONLY=TEXT: the workers whose name has it.
soak:
	@tests/setup.sh packages
	@$(MAKE) --no-print-directory -s all
	@tests/run.sh soak

.PHONY: libraries sdk-matrix
libraries:
	@tests/setup.sh packages
	@$(MAKE) --no-print-directory -s all
	@tests/run.sh catalogue $(LIBRARIES)

sdk-matrix:
	@tests/setup.sh packages
	@$(MAKE) --no-print-directory -s all
	@tests/run.sh sdk-matrix $(VERSIONS)

mutants:
	@tests/setup.sh packages
	@$(MAKE) --no-print-directory -s all
	@tests/run.sh mutants

install: all
	install -D -m 0755 $(object) $(DESTDIR)$(PREFIX)/lib/libsandglass.so
	[ ! -e $(command) ] || install -D -m 0755 $(command) $(DESTDIR)$(PREFIX)/bin/sandglass
	install -D -m 0644 $(B)/gen/default.conf $(DESTDIR)$(PREFIX)/share/sandglass/default.conf
	install -D -m 0644 README.md $(DESTDIR)$(PREFIX)/share/doc/sandglass/README.md
	@if $(command) --version >/dev/null 2>&1; then $(install_texts); else echo 'no manual page and completion: $(command) does not run here'; fi

# The manual page and what completes its options in shells: the command says it itself, so one for another machine cannot.
man_page := $(PREFIX)/share/man/man1/sandglass.1
completions := bash:$(PREFIX)/share/bash-completion/completions/sandglass zsh:$(PREFIX)/share/zsh/site-functions/_sandglass \
	fish:$(PREFIX)/share/fish/vendor_completions.d/sandglass.fish
install_texts = set -e; umask 022; mkdir -p $(DESTDIR)$(dir $(man_page)); \
	.packaging/man.sh $(command) '""' >$(DESTDIR)$(man_page); \
	for text in $(completions); do file=$(DESTDIR)$${text\#*:}; mkdir -p $${file%/*}; \
		$(command) completion $${text%%:*} >$$file; done

# For packages and for whoever installs by hand: the manual page, and completion for shells.
man: $(B)/man/sandglass.1 $(B)/completion/sandglass.bash $(B)/completion/_sandglass $(B)/completion/sandglass.fish
$(B)/man/sandglass.1: $(command) .packaging/man.sh
	@mkdir -p $(@D)
	@.packaging/man.sh $(command) '""' >$@

$(B)/completion/%: $(command)
	@mkdir -p $(@D)
	@$(command) completion $(if $(filter %.bash,$@),bash,$(if $(filter %.fish,$@),fish,zsh)) >$@

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/lib/libsandglass.so $(DESTDIR)$(PREFIX)/bin/sandglass $(DESTDIR)$(man_page) \
		$(foreach text,$(completions),$(DESTDIR)$(lastword $(subst :, ,$(text))))
	rm -rf $(DESTDIR)$(PREFIX)/share/sandglass $(DESTDIR)$(PREFIX)/share/doc/sandglass

# Refuses while something is mounted below: a recursive removal would follow it.
clean:
	@if grep -q " $(CURDIR)/$(B)/" /proc/self/mounts; then \
		echo "something is mounted under $(B)/, nothing removed" >&2; exit 1; fi
	rm -rf --one-file-system $(B)

help:
	@echo 'make            build $(object) and the command $(command)'
	@echo 'make demo       a real server and unmodified workers under the preload'
	@echo 'make test       unit, preload and worker tests on every Python found; make test-all leaves nothing out anywhere'
	@echo 'make asan       unit, preload and worker tests under AddressSanitizer and UBSan'
	@echo 'make coverage   which part of each folder the unit, preload and worker tests run, by gcov'
	@echo 'make fuzz       damaged rule files, variables, zone files and log values for SECONDS=60, by SEED=1'
	@echo 'make soak       many runs of every kind through one worker, for MINUTES=10 or RUNS=20000'
	@echo 'make layers     no file of the object calls one on a higher floor, and none stands in a circle'
	@echo 'make format-check   the sources are written as the house style has it'
	@echo 'make bench      costs with and without Sandglass, side by side'
	@echo 'make mutants    what tests notice of COUNT=20 faults put into the code one at a time, chosen by SEED=1'
	@echo 'make libraries  the libraries that workers use most: a table of what each does in a workflow; NEWEST=1 installs what is new'
	@echo 'make sdk-matrix worker tests with every minor version of the SDK that PyPI has from 1.8 on, or VERSIONS="1.9.0 1.20.0"'
	@echo 'make dist       a wheel and a Debian package in $(B)/dist/; MACHINE=aarch64: for that one'
	@echo 'make man        $(B)/man/sandglass.1 and $(B)/completion/, for packages'
	@echo 'make install    into $$DESTDIR$$PREFIX (PREFIX=$(PREFIX)); make uninstall'
	@echo 'make clean      remove $(B)/'
	@echo 'make DEBUG=1    not optimised, assertions on; build/compile_commands.json is for clangd and other tools'
	@echo 'PYTHON=3.12 or PYTHON=/path/to/python restricts demo, test and bench to that one.'

-include $(wildcard $(B)/fuzz/obj/*/*.d $(B)/fuzz/obj/*/*/*.d $(B)/fuzz/*.d $(B)/obj/*/*.d $(B)/obj/*/*/*.d $(B)/obj/*/*/*/*.d $(B)/obj/*/*/*/*/*.d $(B)/layout/obj/*/*/*.d $(B)/unit/*.d $(B)/command/*.d)
