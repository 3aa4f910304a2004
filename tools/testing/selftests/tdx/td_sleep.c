// SPDX-License-Identifier: GPL-2.0
/*
 * Sleep. S3, hibernation and kexec jumps are refused while the module is in use: it
 * and all TDs would be lost. The log says why, and all goes on as before. Before the
 * first TD, and where there is no TDX, they work, as suspend to idle always does.
 *
 * Needs CONFIG_PM_DEBUG, for sleep that ends by itself.
 *
 * Parameter: errno=NAME: what each TD gets, on a machine where none can be
 * created (ENODEV), or the first one cannot be, but a later one might (EAGAIN).
 */
#include <errno.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

/* What tdx_try_td() returns here */
static int wanted(void)
{
	const char *name = tdx_param("errno", NULL);

	return name ? -tdx_errno(name) : 0;
}

static int sleep_as(const char *state, const char *pm_test)
{
	int ret = tdx_write_file("/sys/power/pm_test", pm_test);

	if (!ret)
		ret = tdx_write_file("/sys/module/suspend/parameters/pm_test_delay", "0");
	/* Of what "mem" can be, S3 is the one that is refused. */
	if (!ret)
		ret = tdx_write_file("/sys/power/mem_sleep", "deep");
	return ret ?: tdx_write_file("/sys/power/state", state);
}

/*
 * All but the last step, and back: the call of firmware, or for suspend to idle
 * the wait. Hibernation ends by itself, as there is no swap for the image; what
 * pm_test has for it waits for seconds.
 */
static int suspend_to_ram(void)
{
	return sleep_as("mem", "core");
}

static int suspend_to_idle(void)
{
	return sleep_as("freeze", "platform");
}

static int hibernate(void)
{
	int ret = sleep_as("disk", "none");

	return ret == -ENODEV ? 0 : ret;
}

/* To a "kernel" at 16 MiB that comes back at once. Linux 6.1 does not survive that here. */
static int kexec_jump(void)
{
	static const unsigned char ret = 0xc3;
	const unsigned long at = 16 << 20;
	struct kexec_segment segment = {
		.buf = &ret,
		.bufsz = sizeof(ret),
		.mem = (void *)at,
		.memsz = getpagesize(),
	};

	if (syscall(SYS_kexec_load, at, 1UL, &segment,
		    KEXEC_PRESERVE_CONTEXT | KEXEC_ARCH_X86_64))
		return -errno;
	return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		       LINUX_REBOOT_CMD_KEXEC, NULL) ? -errno : 0;
}

/* S3, hibernation or a kexec jump, when a TD was asked for */
static void sleep_after_td(struct __test_metadata *_metadata, int (*fall_asleep)(void),
			   const char *message)
{
	int kvm = tdx_open_kvm(), want = wanted();
	bool refused = want != -ENODEV;

	ASSERT_EQ(want, tdx_try_td(kvm));
	EXPECT_EQ(0, tdx_log_count(message));
	EXPECT_EQ(refused ? -EBUSY : 0, fall_asleep());
	EXPECT_EQ(refused, tdx_log_count(message));
	EXPECT_TRUE(tdx_state_is(tdx_state_after(want)));
	EXPECT_EQ(want, tdx_try_td(kvm));
}

TEST(before_the_first_td)
{
	ASSERT_TRUE(tdx_state_is("UNKNOWN"));
	EXPECT_EQ(0, suspend_to_ram());
	EXPECT_EQ(0, hibernate());
	EXPECT_EQ(0, suspend_to_idle());
	EXPECT_EQ(0, tdx_log_count("s3_refused"));
	EXPECT_EQ(0, tdx_log_count("hibernation_refused"));
	EXPECT_EQ(0, tdx_log_count("jump_refused"));
	EXPECT_TRUE(tdx_state_is("UNKNOWN"));
}

TEST(suspend_to_ram_after_a_td)
{
	sleep_after_td(_metadata, suspend_to_ram, "s3_refused");
}

TEST(hibernation_after_a_td)
{
	sleep_after_td(_metadata, hibernate, "hibernation_refused");
}

TEST(kexec_jump_after_a_td)
{
	/* Where it is not refused, that would be the end. */
	if (wanted() == -ENODEV)
		return;
	sleep_after_td(_metadata, kexec_jump, "jump_refused");
}

/* The power stays on: no business of TDX. */
TEST(suspend_to_idle_beside_a_td)
{
	int kvm = tdx_open_kvm(), want = wanted();
	int td = tdx_create_vm(kvm, KVM_X86_TDX_VM);

	ASSERT_EQ(want, td < 0 ? td : 0);
	EXPECT_EQ(0, suspend_to_idle());
	EXPECT_EQ(want, tdx_try_td(kvm));
	if (td >= 0)
		close(td);
}

TDX_TEST_MAIN
