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

VERSION := 0.1.0

Q = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' $(1) $(2))

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all install check tests bench bench-programs clean help

all: xdpfun.o xdpfun-fw.o xdpfun-load

# Nothing below is needed to clean up or to print help.
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
need = $(if $(shell command -v $(1)),,$(error $(1) not found: install $(2), or set $(3)))
$(call need,$(CLANG),clang,CLANG=path)
$(call need,$(LLVM_STRIP),llvm,LLVM_STRIP=path)
$(call need,$(PKG_CONFIG),pkg-config,PKG_CONFIG=path)
need_lib = $(if $(shell $(PKG_CONFIG) --exists '$(1) >= $(2)' && echo yes),,$(error $(1) $(2) or newer not \
	   found: install $(3)))
$(call need_lib,libxdp,1.3.0,libxdp-dev (Debian) or libxdp-devel (Fedora))
$(call need_lib,libbpf,1.0.0,libbpf-dev (Debian) or libbpf-devel (Fedora))
$(call need_lib,json-c,0.14,libjson-c-dev (Debian) or json-c-devel (Fedora))
LIBS := $(shell $(PKG_CONFIG) --libs libxdp libbpf json-c) -lelf -lz -lpthread
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags libxdp libbpf)
# Debian keeps <asm/types.h> in a folder that clang does not look into for the bpf target.
BPF_INCLUDES := $(addprefix -I,$(wildcard /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)))
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) -D_GNU_SOURCE -DXF_VERSION='"$(VERSION)"' -I. $(LIB_CFLAGS)
BPF_CFLAGS = -O2 -g -target bpf -mcpu=v2 -fno-strict-aliasing -Wall -Wextra $(BPF_INCLUDES) $(LIB_CFLAGS)

LIB_SRC := $(wildcard lib/*.c)
LOADER_SRC := $(wildcard loader/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
SOCKMAP_SRC := $(filter-out %.bpf.c,$(wildcard sockmap/*.c))
FIREWALL_SRC := $(wildcard firewall/*.c)
FIREWALL_OBJ := $(FIREWALL_SRC:%.c=$(BUILD)/%.o)
LOADER_OBJ := $(LOADER_SRC:%.c=$(BUILD)/%.o) $(BUILD)/loader/object.o
SOCKMAP_OBJ := $(SOCKMAP_SRC:%.c=$(BUILD)/%.o) $(BUILD)/sockmap/object.o

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

# The loader carries the objects with it, so that it works wherever it is copied to.
$(BUILD)/loader/object.o: loader/object.S xdpfun.o xdpfun-fw.o
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -c $< -o $@

$(BUILD)/sockmap/object.o: sockmap/object.S $(BUILD)/sockmap/relay.bpf.o
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I$(BUILD) -c $< -o $@

xdpfun-load: $(LOADER_OBJ) $(FIREWALL_OBJ) $(SOCKMAP_OBJ) $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# Unit tests run without root, under the sanitizers, on everything that needs no kernel.
UNIT_SRC := $(LIB_SRC) $(wildcard firewall/rule*.c) $(addprefix firewall/,judge.c pieces.c rank.c) \
	    $(wildcard loader/out_*.c) $(addprefix loader/,actions.c clock.c fw_fits.c lines.c merge.c ring.c sink.c tally.c) \
	    $(wildcard sockmap/first_*.c sockmap/routes*.c) \
	    $(addprefix sockmap/,budget.c crowd.c failures.c fds.c kernel_version.c loop.c)
UNIT_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
UNIT_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
UNIT_SHARED := $(filter-out $(wildcard tests/unit/test_*.c),$(wildcard tests/unit/*.c))

$(BUILD)/tests/unit/%: tests/unit/%.c $(UNIT_SHARED) $(UNIT_SRC) $(wildcard lib/*.h loader/*.h sockmap/*.h firewall/*.h \
			  xdp-prog/abi.h xdp-prog/fw_*.h tests/unit/*.h)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -O2,$(ALL_CFLAGS)) $(UNIT_FLAGS) $(filter %.c,$^) -lcmocka -ljson-c -o $@

# Plays what first.c hands over to.
$(BUILD)/tests/unit/test_first_read $(BUILD)/tests/unit/test_waiting: sockmap/first.c sockmap/waiting.c
# Plays the engine that needs the kernel's maps.
$(BUILD)/tests/unit/test_relay: $(addprefix sockmap/,engine_copy.c engine_splice.c flow.c moves.c pipes.c policy.c \
				  relay.c room.c tcp_state.c)

# Fuzz targets: what parses bytes from the network or a file, under libFuzzer.
FUZZ_SRC := $(LIB_SRC) $(wildcard firewall/rule*.c sockmap/first_*.c sockmap/routes*.c)
FUZZ_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(FUZZ_SRC) $(wildcard lib/*.h firewall/*.h sockmap/*.h tests/fuzz/*.h)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(filter-out -O2,$(ALL_CFLAGS)) -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $(filter %.c,$^) -o $@

PROG_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/prog/test_*.c))
PROG_SHARED := $(filter-out $(wildcard tests/prog/test_*.c),$(wildcard tests/prog/*.c))

$(BUILD)/tests/prog/%: tests/prog/%.c $(PROG_SHARED) $(FIREWALL_SRC) $(LIB_SRC) \
		       $(wildcard tests/prog/*.h firewall/*.h) xdp-prog/abi.h xdp-prog/fw_abi.h xdp-prog/fw_hash.h
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.o,$(filter-out %.bpf.o,$^)) -lcmocka -ljson-c $(LIBS) -lpthread -o $@

$(BUILD)/tests/prog/test_sockmap_engine: $(SOCKMAP_OBJ)
$(BUILD)/tests/prog/test_sockmap_engine: ALL_CFLAGS += -Wl,--wrap=bpf_map_update_elem,--wrap=bpf_map_delete_elem
$(BUILD)/tests/prog/test_tcp_state $(BUILD)/tests/prog/test_relay_verdict: sockmap/tcp_state.c
$(BUILD)/tests/prog/test_relay_verdict: $(BUILD)/sockmap/relay.bpf.o sockmap/relay_abi.h

# Small programs and objects that the tests in namespaces and virtual machines use.
AUX_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/e2e/*.c tests/vm/*.c))
AUX_BPF := $(patsubst %.bpf.c,$(BUILD)/%.bpf.o,$(wildcard tests/e2e/*.bpf.c tests/vm/*.bpf.c tests/bench/*.bpf.c))
AUX_BIN := $(filter-out %.bpf,$(AUX_BIN))

$(BUILD)/tests/e2e/% $(BUILD)/tests/vm/%: ALL_CFLAGS += -static
$(BUILD)/tests/e2e/%: tests/e2e/%.c $(wildcard tests/e2e/*.h)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $< -o $@
$(BUILD)/tests/vm/%: tests/vm/%.c
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $< -o $@

tests: all $(UNIT_BIN) $(FUZZ_BIN) $(PROG_BIN) $(AUX_BIN) $(AUX_BPF)

# What measures; scripts/bench builds it by itself.
BENCH_BIN := $(addprefix $(BUILD)/tests/bench/,hook scale firewall stream relay_load relay_rw relay_splice)
BENCH_BPF := $(patsubst %.bpf.c,$(BUILD)/%.bpf.o,$(wildcard tests/bench/*.bpf.c))
BENCH_SHARED := tests/bench/bench.c loader/reader.c loader/ring.c loader/slots.c loader/inst.c loader/maps.c \
		lib/msg.c lib/stream.c

$(BENCH_BIN): $(BUILD)/tests/bench/%: tests/bench/%.c $(BENCH_SHARED) $(wildcard tests/bench/*.h loader/*.h) xdp-prog/abi.h
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c,$^) $(LIBS) -o $@

# Programs of more than one file.
$(BUILD)/tests/bench/relay_load: $(addprefix tests/bench/,load.c load_bulk.c load_client.c load_server.c load_trips.c usage.c)
$(BUILD)/tests/bench/relay_rw $(BUILD)/tests/bench/relay_splice: tests/bench/peer.c

$(BUILD)/tests/bench/firewall: tests/bench/fw_draw.c $(FIREWALL_SRC) $(LIB_SRC) $(wildcard firewall/*.h) xdp-prog/fw_abi.h xdp-prog/fw_hash.h
$(BUILD)/tests/bench/firewall: LIBS += -lm

bench-programs: all $(BENCH_BIN) $(BENCH_BPF)

bench:
	$(Q)BUILD=$(BUILD) BASELINE=$(BASELINE) scripts/bench

check: all
	scripts/test --no-vm

install: all
	install -Dm755 xdpfun-load $(DESTDIR)$(PREFIX)/sbin/xdpfun-load
	install -Dm644 xdpfun.o $(DESTDIR)$(PREFIX)/lib/bpf/xdpfun.o
	install -Dm644 xdpfun-fw.o $(DESTDIR)$(PREFIX)/lib/bpf/xdpfun-fw.o
	install -Dm644 docs/xdpfun-load.8 $(DESTDIR)$(PREFIX)/share/man/man8/xdpfun-load.8

clean:
	rm -rf $(BUILD) xdpfun.o xdpfun-fw.o xdpfun-load

help:
	@echo 'make           build ./xdpfun.o, ./xdpfun-fw.o and ./xdpfun-load'
	@echo 'make install   install them and the manual page (DESTDIR, PREFIX=$(PREFIX))'
	@echo 'make tests     build the test programs too'
	@echo 'make check     run the tests that need no virtual machine (as root; see scripts/test)'
	@echo 'make bench     measure, print a table, write $(BUILD)/bench.json (BASELINE=FILE compares)'
	@echo 'make clean     remove all that was built'
	@echo 'V=1 shows the commands; BUILD=DIR, CC, CLANG, LLVM_STRIP, CFLAGS are yours to set'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
