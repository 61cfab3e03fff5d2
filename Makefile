# SPDX-License-Identifier: GPL-2.0-only
# make            xdpfun.o, xdpfun-fw.o and xdpfun-load in this folder, everything else below $(BUILD)
# make help       the other targets

BUILD ?= build
PREFIX ?= /usr/local
CC ?= gcc
CLANG ?= clang
LLVM_STRIP ?= llvm-strip
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
V ?= 0
WERROR ?= 0

VERSION := 0.1.0

Q = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' $(1) $(2))

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all objects install check unit tests tests-unit tests-fuzz tests-prog tests-platform tests-cli tests-e2e \
	tests-vm lint bench bench-programs dist deb clean help

all: xdpfun.o xdpfun-fw.o xdpfun-load

# These need none of these tools, or say themselves what they need.
ifneq ($(filter-out dist deb clean help,$(or $(MAKECMDGOALS),all)),)
need = $(if $(shell command -v $(1)),,$(error $(1) not found: install $(2), or set $(3)))
ifneq ($(MAKECMDGOALS),unit)
$(call need,$(CLANG),clang,CLANG=path)
$(call need,$(LLVM_STRIP),llvm,LLVM_STRIP=path)
endif
$(call need,$(PKG_CONFIG),pkg-config,PKG_CONFIG=path)
need_lib = $(if $(shell $(PKG_CONFIG) --exists '$(1) >= $(2)' && echo yes),,$(error $(1) $(2) or newer not \
	   found: install $(3)))
$(call need_lib,libxdp,1.3.0,libxdp-dev (Debian) or libxdp-devel (Fedora))
$(call need_lib,libbpf,1.0.0,libbpf-dev (Debian) or libbpf-devel (Fedora))
$(call need_lib,json-c,0.14,libjson-c-dev (Debian) or json-c-devel (Fedora))
ifneq ($(filter unit tests%,$(MAKECMDGOALS)),)
$(call need_lib,cmocka,1.1.0,libcmocka-dev (Debian) or libcmocka-devel (Fedora))
endif
# With libsystemd the relay takes sockets from the service manager, and tells it its states.
SYSTEMD := $(shell $(PKG_CONFIG) --exists libsystemd && echo libsystemd)
LIBS := $(shell $(PKG_CONFIG) --libs libxdp libbpf json-c $(SYSTEMD)) -lelf -lz -lpthread
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags libxdp libbpf $(SYSTEMD)) $(if $(SYSTEMD),-DXF_SYSTEMD)
# Debian keeps <asm/types.h> in a folder that clang does not look into for the bpf target.
BPF_INCLUDES := $(addprefix -I,$(wildcard /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)))
endif

ERROR := $(if $(filter 1,$(WERROR)),-Werror)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(ERROR) -D_GNU_SOURCE -I. $(LIB_CFLAGS)
BPF_CFLAGS = -O2 -g -target bpf -mcpu=v2 -fno-strict-aliasing -Wall -Wextra $(ERROR) $(BPF_INCLUDES) $(LIB_CFLAGS)

# What --version prints. Two libraries tell theirs to pkg-config alone.
VERSIONS = -DXF_VERSION='"$(VERSION)"' $(foreach lib,libxdp libelf,'-DXF_$(lib)="$(shell $(PKG_CONFIG) --modversion $(lib))"')
$(BUILD)/loader/hook/version.o $(BUILD)/asan/loader/hook/version.o: ALL_CFLAGS += $(VERSIONS)

# The sources of the loader: every .c file of these folders but the one with main().
SRC := $(sort $(filter-out %.bpf.c loader/main.c,$(shell find lib firewall sockmap loader -name '*.c')))
OBJ := $(SRC:%.c=$(BUILD)/%.o) $(BUILD)/loader/hook/object.o $(BUILD)/sockmap/engine/object.o

$(BUILD)/%.bpf.o: %.bpf.c Makefile
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

xdpfun.o xdpfun-fw.o: %.o: $(BUILD)/xdp-prog/%.bpf.o
	$(Q)cp $< $@

$(BUILD)/%.o: %.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The objects are linked into the loader, so that it works wherever it is copied to.
$(BUILD)/loader/hook/object.o: loader/hook/object.S xdpfun.o xdpfun-fw.o
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -c $< -o $@

# The kernels whose sockmap is used have atomic operations that return the old value.
$(BUILD)/sockmap/%.bpf.o: BPF_CFLAGS := $(subst -mcpu=v2,-mcpu=v3,$(BPF_CFLAGS))

$(BUILD)/sockmap/engine/object.o: sockmap/engine/object.S $(BUILD)/sockmap/engine/relay.bpf.o
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I$(BUILD) -c $< -o $@

# An archive, from which the linker takes only the objects that are used.
$(BUILD)/xdpfun.a: $(OBJ)
%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs --thin $@ $^

xdpfun-load: $(BUILD)/loader/main.o $(BUILD)/xdpfun.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# Tests. Each tests/SUITE/**/test_*.c is a program. The objects of tests/lib are linked with it, and of
# its suite's other .c files and of the product those that it uses: a test that defines a function of
# the product itself replaces the object that has it.
tests_of = $(sort $(shell find tests/$(1) -name '$(2)_*.c'))
shared_of = $(sort $(filter-out $(call tests_of,$(1),test),$(shell find tests/$(1) -name '*.c')))
TEST_LIB := $(wildcard tests/lib/*.c)

# Unit tests need no root. They and the product are compiled with the sanitizers.
ASAN = -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
UNIT_BIN := $(patsubst %.c,$(BUILD)/%,$(call tests_of,unit,test))
UNIT_LIB := $(TEST_LIB:%.c=$(BUILD)/asan/%.o)

$(BUILD)/asan/%.o: %.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ASAN) -MMD -MP -c $< -o $@

$(BUILD)/asan/shared.a: $(patsubst %.c,$(BUILD)/asan/%.o,$(call shared_of,unit))
$(BUILD)/asan/xdpfun.a: $(SRC:%.c=$(BUILD)/asan/%.o)
# The linker's trace gives the dependencies, so that a change of an object relinks only its users. A source
# that was removed since is no dependency.
$(UNIT_BIN): $(BUILD)/%: $(BUILD)/asan/%.o $(UNIT_LIB) | $(BUILD)/asan/shared.a $(BUILD)/asan/xdpfun.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(ASAN) $(LDFLAGS) -Wl,--trace $(BUILD)/asan/$*.o $(UNIT_LIB) $| -lcmocka $(LIBS) -o $@ >$@.link
	$(Q)sed -n 's|^$(BUILD)/asan/\(.*\)\.o$$|$@: $$(patsubst %.c,$(BUILD)/asan/%.o,$$(wildcard \1.c))|p' $@.link >$@.d

# Fuzz targets: the parsers of bytes from the network or a file, under libFuzzer.
FUZZ_BIN := $(patsubst %.c,$(BUILD)/%,$(call tests_of,fuzz,fuzz))

$(BUILD)/libfuzzer/%.o: %.c Makefile
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(ALL_CFLAGS) $(ASAN) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(BUILD)/libfuzzer/xdpfun.a: $(patsubst %.c,$(BUILD)/libfuzzer/%.o,$(filter lib/% firewall/% sockmap/%,$(SRC)))
$(FUZZ_BIN): $(BUILD)/%: $(BUILD)/libfuzzer/%.o $(BUILD)/libfuzzer/xdpfun.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS) $(ASAN) -fsanitize=fuzzer $(LDFLAGS) $^ $(LIBS) -o $@

# Programs that run the BPF objects in this machine's kernel.
PROG_BIN := $(patsubst %.c,$(BUILD)/%,$(call tests_of,prog,test))
PROG_SHARED := $(patsubst %.c,$(BUILD)/%.o,$(call shared_of,prog) $(TEST_LIB))

$(PROG_BIN): $(BUILD)/%: $(BUILD)/%.o $(PROG_SHARED) $(BUILD)/xdpfun.a | xdpfun.o xdpfun-fw.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka $(LIBS) -o $@

# Facts of the kernel: programs of which each carries the BPF object, for other machines.
PLATFORM_BIN := $(patsubst %.c,$(BUILD)/%,$(call tests_of,platform,test))
PLATFORM_SHARED := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %.bpf.c,$(call shared_of,platform)) $(TEST_LIB)) $(BUILD)/tests/platform/object.o

$(BUILD)/tests/platform/object.o: tests/platform/object.S $(BUILD)/tests/platform/verdict.bpf.o
	$(call say,AS,$@)
	$(Q)$(CC) -Wa,-I$(BUILD) -c $< -o $@

$(PLATFORM_BIN): $(BUILD)/%: $(BUILD)/%.o $(PLATFORM_SHARED)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka $(LIBS) -o $@

$(BUILD)/tests/prog/relay/test_sockmap_leaving: LDFLAGS += -Wl,--wrap=bpf_map_update_elem,--wrap=bpf_map_delete_elem

# Small programs and objects that the tests in namespaces and virtual machines use.
AUX_BIN := $(patsubst %.c,$(BUILD)/%,$(filter-out %.bpf.c,$(wildcard tests/e2e/*.c tests/vm/*.c)))
AUX_BPF := $(patsubst %.bpf.c,$(BUILD)/%.bpf.o,$(wildcard tests/e2e/*.bpf.c tests/vm/*.bpf.c))

$(AUX_BIN): $(BUILD)/%: $(BUILD)/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static $^ -o $@

# T=NAME keeps one test's program; tests/run --list knows which that is.
named = $(if $(T),$(patsubst %.c,$(BUILD)/%,$(shell tests/run --list $(1) '$(T)')),$(2))
tests-unit: $(call named,unit,$(UNIT_BIN))
tests-prog: $(call named,prog,$(PROG_BIN))
tests-platform: $(call named,platform,$(PLATFORM_BIN))
tests-fuzz: $(call named,fuzz,$(FUZZ_BIN))
tests-cli tests-e2e: all $(AUX_BIN) $(AUX_BPF)
tests-vm: all $(AUX_BIN) $(AUX_BPF) $(PLATFORM_BIN)
tests: all tests-unit tests-prog tests-platform tests-fuzz tests-e2e

# Everything compiled once, for its warnings.
objects: $(OBJ) $(patsubst %.c,$(BUILD)/%.o,$(sort loader/main.c $(shell find tests xdp-prog sockmap -name '*.c')))

unit: tests-unit
	$(Q)BUILD=$(BUILD) tests/run unit $(if $(T),'$(T)')

# The programs of the benches; scripts/bench builds them by itself.
BENCH_BIN := $(addprefix $(BUILD)/tests/bench/,hook scale firewall stream relay_load relay_rw relay_splice)
BENCH_BPF := $(patsubst %.bpf.c,$(BUILD)/%.bpf.o,$(wildcard tests/bench/*.bpf.c))
BENCH_PARTS := $(filter-out $(BENCH_BIN:=.o),$(patsubst %.c,$(BUILD)/%.o,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c))))

$(BUILD)/tests/bench/parts.a: $(BENCH_PARTS)
$(BENCH_BIN): %: %.o $(BUILD)/tests/bench/parts.a $(BUILD)/xdpfun.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -lm -o $@

bench-programs: all $(BENCH_BIN) $(BENCH_BPF)

bench:
	$(Q)BUILD=$(BUILD) BASELINE=$(BASELINE) scripts/bench

lint:
	$(Q)BUILD=$(BUILD) scripts/lint

check: all
	scripts/test --no-vm

install: all
	install -Dm755 xdpfun-load $(DESTDIR)$(PREFIX)/sbin/xdpfun-load
	install -Dm644 xdpfun.o $(DESTDIR)$(PREFIX)/lib/bpf/xdpfun.o
	install -Dm644 xdpfun-fw.o $(DESTDIR)$(PREFIX)/lib/bpf/xdpfun-fw.o
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	install -m644 docs/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8
	ln -sf xdpfun-log.8 $(DESTDIR)$(PREFIX)/share/man/man8/xdpfun-follow.8

dist:
	$(Q)BUILD=$(BUILD) scripts/dist

deb:
	$(Q)BUILD=$(BUILD) scripts/dist --deb

clean:
	rm -rf $(BUILD) xdpfun.o xdpfun-fw.o xdpfun-load

help:
	@echo 'make           build ./xdpfun.o, ./xdpfun-fw.o and ./xdpfun-load'
	@echo 'make install   install them and the manual pages (DESTDIR, PREFIX=$(PREFIX))'
	@echo 'make unit      build and run the unit tests, without root; T=NAME only the file or test of that name'
	@echo 'make lint      check the sources: format, includes, warnings, spelling, scripts, manual, names'
	@echo 'make tests     build all test programs'
	@echo 'make check     run the tests that need no virtual machine (as root; see scripts/test)'
	@echo 'make bench     measure, print a table, write $(BUILD)/bench.json (BASELINE=FILE compares)'
	@echo 'make dist      make $(BUILD)/xdpfun-$(VERSION).tar.gz of the sources'
	@echo 'make deb       make a Debian package in $(BUILD)'
	@echo 'make clean     remove everything that was built'
	@echo 'V=1 shows the commands; BUILD=DIR, CC, CLANG, LLVM_STRIP and CFLAGS may be set'

-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
