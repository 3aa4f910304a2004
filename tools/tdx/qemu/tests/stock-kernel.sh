#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# stock-kernel.sh [PLATFORM.json...]: Debian's own kernel, unmodified, loads its own kvm_intel on the platform and creates ordinary VMs.
#
# The kernel package comes from the system's Debian archive into build/dl. Ends with "N passed, N failed".
set -eu

top=$(realpath "$(dirname "$0")/../../../..")
build=$top/build
dir=$build/stock
src=$top/tools/tdx/qemu/tests/stock
[ $# -gt 0 ] || set -- "$top/tools/tdx/platforms/default.json" "$top/tools/tdx/platforms/1cpu.json" "$top/tools/tdx/platforms/no-module.json"
mkdir -p "$build/dl" "$dir/root"

if ! ls "$dir"/img/boot/vmlinuz-* > /dev/null 2>&1; then
	image=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-.*-amd64\)$/\1/p' | head -n 1)
	if [ -z "$image" ]; then
		echo "stock-kernel: apt knows no linux-image-amd64; run: apt-get update" >&2
		exit 1
	fi
	(cd "$build/dl" && ls "$image"_*.deb > /dev/null 2>&1 || apt-get -q download "$image")
	rm -rf "$dir/img.new"
	dpkg-deb -x "$(ls -t "$build/dl/$image"_*.deb | head -n 1)" "$dir/img.new"
	mv "$dir/img.new" "$dir/img"
fi
vmlinuz=$(echo "$dir"/img/boot/vmlinuz-*)

for m in virt/lib/irqbypass arch/x86/kvm/kvm arch/x86/kvm/kvm-intel; do
	cp "$dir"/img/lib/modules/*/kernel/$m.ko "$dir/root/"
done
if [ ! "$dir/root/init" -nt "$src/init.c" ]; then
	gcc -O2 -Wall -Wextra -static -o "$dir/root/init" "$src/init.c"
fi
mkdir -p "$dir/root/dev"
(cd "$dir/root" && find . | cpio -o -H newc --quiet) > "$dir/initramfs.cpio"

passed=0 failed=0
for platform; do
	name=$(basename "$platform" .json)
	log=$dir/$name.log
	if timeout 120 "$top/tools/tdx/tdx-boot" "$platform" --kernel "$vmlinuz" --initrd "$dir/initramfs.cpio" --append quiet \
			--stats "$dir/$name.stats.json" < /dev/null > "$log" 2>&1; then
		code=0
	else
		code=$?
	fi
	good=$(grep -c '^ok ' "$log") || good=0
	bad=$(grep -c '^not ok ' "$log") || bad=0
	plan=$(tr -d '\r' < "$log" | sed -n 's/^1\.\.\([0-9]*\)$/\1/p')
	sed -n '/^not ok /p' "$log"
	if [ $code != 0 ] || [ "$plan" != $((good + bad)) ]; then
		echo "$name: the boot did not end as it should (exit status $code, $((good + bad)) of ${plan:-?} results); see $log"
		bad=$((bad + 1))
	fi
	echo "$name: $good ok, $bad not ok"
	passed=$((passed + good)) failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
