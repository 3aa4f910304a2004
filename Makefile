# SPDX-License-Identifier: GPL-2.0
# TDX host support for Linux 6.1 and a software TDX platform. "make help" lists what there is.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -ec
.DEFAULT_GOAL := help

TOP := $(CURDIR)
B := $(TOP)/build
SCRIPTS := tools/tdx/scripts
JOBS ?= $(shell nproc)
PLATFORM ?= tools/tdx/platforms/default.json
export TDX_T0 ?= $(shell date +%s)
export CCACHE_DIR ?= $(B)/ccache
export CCACHE_BASEDIR ?= $(TOP)
STEP = $(SCRIPTS)/step $(B)/log/$(1).log $(2)

# The trees. A tree of the user's own is used where it is (tools/tdx/apply --reverse takes our files out again).
ifdef LINUX_SRC
LINUX := $(abspath $(LINUX_SRC))
LINUX_OBJ := $(B)/linux-user-obj
else
LINUX := $(B)/linux
LINUX_OBJ := $(B)/linux-obj
endif
ifdef QEMU_SRC
QEMU := $(abspath $(QEMU_SRC))
QEMU_OBJ := $(B)/qemu-user-obj
# What tdx-boot boots
export TDX_QEMU := $(QEMU_OBJ)/qemu-system-x86_64
else
QEMU := $(B)/qemu
QEMU_OBJ := $(B)/qemu-obj
endif
export LINUX LINUX_OBJ QEMU QEMU_OBJ

# One build at a time in an object folder, whoever runs it.
KMAKE = flock $(1)/.lock $(MAKE) -C $(LINUX) O=$(1) CC="$(KCC)" HOSTCC="ccache gcc" -j$(JOBS) $(KMAKE_$(patsubst linux-%-obj,%,$(notdir $(1))))
KCC := ccache gcc
CONFIGS := tools/tdx/configs
VMLINUX := $(LINUX_OBJ)/vmlinux
QEMU_BIN := $(QEMU_OBJ)/qemu-system-x86_64
PEER_SRC := $(B)/src/linux-source-6.12

.PHONY: help run test kunit check clean kernel qemu host guest fetch packages-% FORCE

help:
	@echo "make run       build a 6.1 kernel with TDX host support and QEMU with the TDX platform, boot, create a TD through KVM"
	@echo "               PLATFORM=tools/tdx/platforms/X.json  another machine    LINUX_SRC= QEMU_SRC=  trees of your own"
	@echo "make test      the tests, but for those below that take long; ends with 'N passed, N failed'"
	@echo "make kunit     the KUnit tests alone, by the kernel's kunit.py on the system's own QEMU"
	@echo "make check     checkpatch --strict, sparse, W=1, clang"
	@echo "make kernel    only build the kernel ($(VMLINUX:$(TOP)/%=%))"
	@echo "make qemu      only build QEMU ($(QEMU_BIN:$(TOP)/%=%))"
	@echo "make host      only build the tools: tdx-replay, tdxplan, tdx-decode, tdx-status"
	@echo "make peer      mainline 6.12's TDX host code, unmodified, on the same platforms"
	@echo "make bench     time and SEAMCALLs of an initialisation, ours and mainline's; BENCH='--rounds 3 --only matrix' for less of it"
	@echo "make test-firmware COUNT=500  generated machines whose firmware makes no sense"
	@echo "make soak MINUTES=60  threads race for the first TD while CPUs, memory and a module go and come, for so long, with KCSAN and lockdep"
	@echo "make test-sanitizers KERNELS='kasan kcsan'  booted machines and KUnit with kernels that look for mistakes and data races; takes long"
	@echo "make test-maps boot machines with the memory of real ones, as far as the host's memory goes (20 GiB for 1 TiB); takes 15 minutes"
	@echo "make patches   a series for 'git am' on Linux 6.1 in build/patches; tools/tdx/apply TREE puts it into a tree in place"
	@echo "make prove-series  'git am' that series: checkpatch and a build of every commit, with the option and without"
	@echo "make deb       Debian packages of a kernel in Debian's cloud configuration with TDX host support, in build/deb; takes long"
	@echo "make test-deb  boot that kernel with its own modules on the platform, create a TD"
	@echo "make htmldocs  the documentation, by the kernel's Sphinx configuration; a warning from our pages is an error"
	@echo "make clean     remove all that was fetched or built (build/)"

# ---- packages and sources

packages-%:
	@$(SCRIPTS)/packages $(subst -, ,$*)

$(B)/src/linux-source-6.1 $(B)/src/linux-source-6.12 $(B)/src/linux-config-6.1:
	@mkdir -p $(B)/src
	@$(call STEP,fetch-$(@F),"fetching $(@F) from Debian") $(SCRIPTS)/fetch $(@F) $(B)

$(B)/src/qemu-7.2:
	@mkdir -p $(B)/src
	@$(call STEP,fetch-qemu,"fetching QEMU 7.2 from Debian") $(SCRIPTS)/fetch qemu $(B)

$(B)/linux: | $(B)/src/linux-source-6.1
	@rm -rf $@.new
	@$(call STEP,copy-linux,"copying Linux to build/linux") cp -a --reflink=auto $(B)/src/linux-source-6.1 $@.new
	@mv $@.new $@

$(B)/qemu: | $(B)/src/qemu-7.2
	@rm -rf $@.new
	@$(call STEP,copy-qemu,"copying QEMU to build/qemu") cp -a --reflink=auto $(B)/src/qemu-7.2 $@.new
	@mv $@.new $@

fetch: $(B)/linux $(B)/qemu

# ---- kernel. apply writes its manifest only when the tree changes, so that nothing is rebuilt for nothing.

$(LINUX)/.tdx-applied/manifest.json: FORCE | $(LINUX)
	@tools/tdx/apply $(LINUX) > $(B)/apply-linux.txt

$(LINUX_OBJ)/.config: $(CONFIGS)/base.config $(CONFIGS)/tdx.config $(LINUX)/.tdx-applied/manifest.json
	@$(call STEP,kernel-config,"configuring the kernel") $(SCRIPTS)/kernel-config $(LINUX) $(LINUX_OBJ) $(filter %.config,$^)

$(VMLINUX): $(LINUX_OBJ)/.config $(LINUX)/.tdx-applied/manifest.json
	@$(call STEP,kernel,"building Linux $(notdir $(LINUX_OBJ))") $(call KMAKE,$(LINUX_OBJ)) vmlinux
	@touch $@

# For kexec, whose system call takes no vmlinux
BZIMAGE := $(LINUX_OBJ)/arch/x86/boot/bzImage
$(BZIMAGE): $(VMLINUX)
	@$(call STEP,bzimage,"compressing the kernel") $(call KMAKE,$(LINUX_OBJ)) bzImage
	@touch $@

kernel: packages-run
	@$(MAKE) $(VMLINUX)

# Kernels for tests: the one above with a reset, build/linux-test-obj/vmlinux; the same with failing allocations and lockdep,
# linux-fault-obj; and with what looks for mistakes, linux-kasan-obj and linux-kcsan-obj. To compare: without the option,
# linux-without-obj.
CONFIGS_test := test
CONFIGS_fault := test fault
CONFIGS_kasan := test fault kasan
CONFIGS_kcsan := test fault kcsan
# The entry by PVH, and memcmp() called there, come before there is KASAN's shadow memory. KCSAN looks at TDX and KVM only: it is
# slow, and finds much that is others'.
KMAKE_kasan := KASAN_SANITIZE_enlighten.o=n KASAN_SANITIZE_string.o=n
KMAKE_kcsan := 'KCSAN_SANITIZE=$$(if $$(filter arch/x86/virt/% arch/x86/kvm/%,$$(obj)/),y,n)'
define TEST_KERNEL
$(B)/linux-$(1)-obj/.config: $(patsubst %,$(CONFIGS)/%.config,base tdx $(CONFIGS_$(1))) $(LINUX)/.tdx-applied/manifest.json
endef
$(foreach k,test fault kasan kcsan,$(eval $(call TEST_KERNEL,$(k))))
$(B)/linux-without-obj/.config: $(CONFIGS)/base.config $(LINUX)/.tdx-applied/manifest.json

$(B)/linux-%-obj/.config:
	@$(call STEP,kernel-config-$*,"configuring the $* kernel") $(SCRIPTS)/kernel-config $(LINUX) $(@D) $(filter %.config,$^)

$(B)/linux-%-obj/vmlinux: $(B)/linux-%-obj/.config $(LINUX)/.tdx-applied/manifest.json
	@$(call STEP,kernel-$*,"building the $* kernel") $(call KMAKE,$(@D)) vmlinux
	@touch $@

.PRECIOUS: $(B)/linux-%-obj/.config $(B)/linux-%-obj/vmlinux $(B)/%/tdx_ask/initramfs.cpio

# The module of the case "soak", for each kernel: a RAM disk to append to the one of all
ASK := tools/testing/selftests/tdx/tdx_ask
$(B)/%/tdx_ask/initramfs.cpio: $(ASK)/tdx_ask.c $(ASK)/Kbuild $(B)/%/vmlinux
	@mkdir -p $(@D)
	@cp $(filter tools/%,$^) $(@D)/
	@$(call STEP,tdx_ask-$*,"building the module tdx_ask of $*") \
		sh -c '"$$@" modules_prepare && "$$@" M=$(@D) KBUILD_EXTRA_SYMBOLS=$(B)/$*/vmlinux.symvers modules' \
		sh $(call KMAKE,$(B)/$*)
	@cd $(@D) && echo tdx_ask.ko | cpio -o -H newc --quiet > $@

# ---- QEMU

$(QEMU)/.tdx-applied/manifest.json: FORCE | $(QEMU)
	@tools/tdx/apply $(QEMU) > $(B)/apply-qemu.txt

$(QEMU_OBJ)/build.ninja: tools/tdx/qemu/configure.args | $(QEMU)
	@mkdir -p $(@D)
	@$(call STEP,qemu-configure,"configuring QEMU") \
		sh -c 'cd "$$0" && "$$1/configure" --cc="ccache gcc" $$(sed "s/#.*//" "$$2")' $(@D) $(QEMU) $(abspath $<)
	@touch $@

$(QEMU_BIN): $(QEMU)/.tdx-applied/manifest.json $(QEMU_OBJ)/build.ninja
	@$(call STEP,qemu,"building QEMU") flock $(QEMU_OBJ)/.lock ninja -C $(QEMU_OBJ) -j$(JOBS) qemu-system-x86_64
	@touch $@

qemu: packages-run
	@$(MAKE) $(QEMU_BIN)

# ---- the peer: mainline's TDX host code of 6.12, unmodified, with a caller

PEER_OBJ := $(B)/peer-obj

$(PEER_OBJ)/.config: $(CONFIGS)/base.config $(CONFIGS)/peer.config | $(PEER_SRC)
	@$(call STEP,peer-config,"configuring Linux 6.12") $(SCRIPTS)/kernel-config $(PEER_SRC) $(PEER_OBJ) $^

$(PEER_OBJ)/vmlinux: $(PEER_OBJ)/.config
	@$(call STEP,peer,"building Linux 6.12 (the peer)") \
		sh -c '"$$@" vmlinux && "$$@" modules_prepare' sh $(MAKE) -C $(PEER_SRC) O=$(PEER_OBJ) CC="$(KCC)" HOSTCC="ccache gcc" -j$(JOBS)
	@touch $@

$(B)/peer/tdx_peer.ko: tools/tdx/peer/tdx_peer.c tools/tdx/peer/Kbuild $(PEER_OBJ)/vmlinux
	@mkdir -p $(@D)
	@cp $(filter tools/%,$^) $(@D)/
	@$(call STEP,peer-module,"building the peer's caller") \
		$(MAKE) -C $(PEER_OBJ) M=$(@D) CC="$(KCC)" KBUILD_EXTRA_SYMBOLS=$(PEER_OBJ)/vmlinux.symvers modules

$(B)/peer/initramfs.cpio: tools/tdx/peer/init.c tools/testing/selftests/tdx/heartbeat.c $(B)/peer/tdx_peer.ko
	@rm -rf $(@D)/root && mkdir -p $(@D)/root/dev
	@gcc -O2 -Wall -Wextra -static -pthread -Itools/testing/selftests/tdx -o $(@D)/root/init $(filter %.c,$^)
	@cp $(@D)/tdx_peer.ko $(@D)/root/
	@cd $(@D)/root && find . | cpio -o -H newc --quiet > $@

.PHONY: peer
peer: packages-run-test
	@$(MAKE) $(QEMU_BIN) $(PEER_OBJ)/vmlinux $(B)/peer/initramfs.cpio
	@$(SCRIPTS)/run-peer --kernel $(PEER_OBJ)/vmlinux --initrd $(B)/peer/initramfs.cpio

.PHONY: bench
bench: packages-run-test-bench
	@$(MAKE) $(QEMU_BIN) $(VMLINUX) guest $(PEER_OBJ)/vmlinux $(B)/peer/initramfs.cpio $(B)/linux-without-obj/vmlinux
	@$(SCRIPTS)/bench --kernel $(VMLINUX) --initrd $(B)/guest/initramfs.cpio --peer-kernel $(PEER_OBJ)/vmlinux \
		--peer-initrd $(B)/peer/initramfs.cpio --without $(B)/linux-without-obj/vmlinux $(BENCH)

# ---- tools and what runs inside the machine

host: packages-run
	@$(call STEP,host,"building the tools") $(SCRIPTS)/host-tools $(B)

guest: host $(VMLINUX)
	@$(call STEP,guest,"building the initramfs") \
		$(MAKE) -C tools/testing/selftests/tdx O=$(B)/guest LINUX=$(LINUX) LINUX_OBJ=$(LINUX_OBJ) MORE=$(B)/tdx-status all initramfs

# ---- what people call

run: packages-run
	@$(MAKE) $(QEMU_BIN) $(VMLINUX) guest
	@$(SCRIPTS)/run-default --kernel $(VMLINUX) --initrd $(B)/guest/initramfs.cpio $(PLATFORM)

# Suites run beside each other, so what they share is built first.
.PHONY: test test-build
test: packages-run-test
	@$(MAKE) test-build
	@$(SCRIPTS)/test-all

TEST_KERNELS := $(VMLINUX) $(B)/linux-test-obj/vmlinux $(B)/linux-fault-obj/vmlinux $(B)/linux-test-obj/tdx_ask/initramfs.cpio
test-build:
	@$(MAKE) host $(QEMU_BIN) $(TEST_KERNELS) guest-kexec $(PEER_OBJ)/vmlinux $(B)/peer/initramfs.cpio

# The initramfs with one more in it, and a kernel, to boot by kexec
.PHONY: guest-kexec
guest-kexec: guest $(BZIMAGE)
	@$(call STEP,guest-kexec,"building the initramfs with a kernel for kexec") \
		$(MAKE) -C tools/testing/selftests/tdx O=$(B)/guest LINUX=$(LINUX) KERNEL=$(BZIMAGE) initramfs-kexec

kunit: packages-run-test
	@$(MAKE) $(LINUX)/.tdx-applied/manifest.json
	@$(SCRIPTS)/kunit $(LINUX) $(B)/kunit-obj $(JOBS)

check: packages-run-check
	@$(MAKE) $(LINUX_OBJ)/.config
	@$(SCRIPTS)/check $(LINUX) $(B)

clean:
	rm -rf $(B)

.PHONY: htmldocs
htmldocs: packages-run-docs
	@$(MAKE) $(LINUX)/.tdx-applied/manifest.json
	@$(SCRIPTS)/htmldocs $(LINUX) $(B)

# ---- into other kernels

.PHONY: patches prove-series test-series deb test-deb
patches: | $(B)/src/linux-source-6.1
	@$(SCRIPTS)/make-patches $(B)/src/linux-source-6.1 $(B)/patches

prove-series: packages-run | $(B)/src/linux-source-6.1
	@$(SCRIPTS)/prove-series $(B)/src/linux-source-6.1 $(B)

test-series: packages-run | $(B)/src/linux-source-6.1
	@$(SCRIPTS)/prove-series --quick $(B)/src/linux-source-6.1 $(B)

deb: packages-run-deb | $(B)/src/linux-config-6.1
	@$(MAKE) $(LINUX)/.tdx-applied/manifest.json
	@$(call STEP,deb,"building Debian packages of the kernel") \
		$(SCRIPTS)/make-deb $(LINUX) $(B)/src/linux-config-6.1/config.amd64_none_cloud-amd64.xz $(B)

test-deb: guest
	@$(MAKE) host $(QEMU_BIN)
	@$(MAKE) -C tools/testing/tdx/words O=$(B)/host BIN=$(B) $(B)/host/words/tdx_show
	@$(SCRIPTS)/test-deb $(B)

# ---- suites of "make test" that need the machine
# Machines whose firmware makes no sense: those that have one thing wrong each
FIRMWARE := 16

.PHONY: test-guest test-faults test-words test-stock test-maps
# Three at a time on two CPUs: half of what a machine does is wait.
test-guest:
	@$(MAKE) host $(QEMU_BIN) $(TEST_KERNELS) guest-kexec
	@$(SCRIPTS)/run-guest-tests --kernel $(VMLINUX) --initrd $(B)/guest/initramfs.cpio --jobs 3 --firmware $(FIRMWARE)

# Every allocation of an initialisation fails.
test-faults:
	@$(MAKE) host $(QEMU_BIN) $(TEST_KERNELS) guest
	@$(SCRIPTS)/run-guest-tests --cases tools/testing/selftests/tdx/faults.toml --initrd $(B)/guest/initramfs.cpio \
		--results $(B)/log/faults

# COUNT machines whose firmware makes no sense: 2 s each on an idle machine with 2 cores
COUNT ?= 500
.PHONY: test-firmware
test-firmware: packages-run-test
	@$(MAKE) $(QEMU_BIN) $(VMLINUX) guest
	@$(SCRIPTS)/run-guest-tests --kernel $(VMLINUX) --initrd $(B)/guest/initramfs.cpio --jobs 2 \
		--firmware $(COUNT) --case 'firmware-*' --results $(B)/log/firmware

# What the case "soak" does for a minute in "make test", with a kernel that looks for data races and for deadlocks
MINUTES ?= 60
SOAK_OBJ := $(B)/linux-kcsan-obj
.PHONY: soak
soak: packages-run-test
	@$(MAKE) host $(QEMU_BIN) guest $(SOAK_OBJ)/{vmlinux,tdx_ask/initramfs.cpio}
	@$(SCRIPTS)/run-guest-tests --case soak --minutes $(MINUTES) --kernel $(SOAK_OBJ)/vmlinux --test-kernel --append "$(SLOW)" \
		--initrd $(B)/guest/initramfs.cpio --timeout-scale 8 --results $(B)/log/soak

test-words: guest
	@$(MAKE) host $(QEMU_BIN)
	@$(MAKE) -C tools/testing/tdx/words O=$(B)/host BIN=$(B) boot-test

test-stock:
	@$(MAKE) $(QEMU_BIN)
	@tools/tdx/qemu/tests/stock-kernel.sh

# All machines of test-guest with kernels that look for mistakes, and KUnit. Not part of "make test": they are several times as slow,
# so the kernel's own time limits are longer, too.
KERNELS ?= kasan kcsan
SLOW := sysctl.kernel.hung_task_timeout_secs=960 rcupdate.rcu_cpu_stall_timeout=168
APPEND_kasan := kmemleak=on
# KASAN's shadow is an eighth of the machine's memory, written twice: machines with the memory of real ones have theirs on the disk
ON_DISK_kasan := map-*
# KCSAN slows down the code of TDX alone, so its CPU time compares with nothing.
EXCEPT_kcsan := user-fragmented
.PHONY: test-sanitizers
test-sanitizers: packages-run-test
	@$(MAKE) host $(QEMU_BIN) guest-kexec
	@failed=0; for kernel in $(KERNELS); do $(MAKE) sanitizers-$$kernel || failed=1; done; exit $$failed

sanitizers-%: $(B)/linux-%-obj/tdx_ask/initramfs.cpio
	@failed=0; run() { $(SCRIPTS)/run-guest-tests --kernel $(B)/linux-$*-obj/vmlinux --test-kernel --append "$(SLOW) $(APPEND_$*)" \
			--initrd $(B)/guest/initramfs.cpio --jobs 2 --timeout-scale 8 "$$@" || failed=1; }; \
		run --firmware $(FIRMWARE) --except '$(ON_DISK_$*)' $(EXCEPT_$*) --results $(B)/log/$*; \
		$(if $(ON_DISK_$*),run --case '$(ON_DISK_$*)' --jobs 1 --memory-in $(B) --results $(B)/log/$*-large;) \
		run --cases tools/testing/selftests/tdx/faults.toml --results $(B)/log/$*-faults; \
		$(SCRIPTS)/kunit $(LINUX) $(B)/kunit-$*-obj $(JOBS) \
			$(patsubst %,$(CONFIGS)/%.config,$(filter-out test,$(CONFIGS_$*))) $(KMAKE_$*) || failed=1; exit $$failed

# Not part of "make test": the large ones take as many minutes as all the rest.
test-maps: packages-run
	@$(MAKE) $(QEMU_BIN) $(VMLINUX) guest
	@$(SCRIPTS)/run-maps --table $(B)/tdx-host-maps-booted.rst
