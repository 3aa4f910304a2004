// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of the test machine. It runs the programs that the kernel command
 * line names and switches the machine off:
 *
 *	tdxtest=PROGRAM[:PARAMETER...][,PROGRAM...]
 *	tdxnext=PROGRAM...	not off, but by kexec into a kernel that runs
 *				these; from /boot/kernel and /boot/initrd
 *	tdxend=HOW		not off, but: "restart", as reboot(8) does it;
 *				"reset", by sysrq-b; "panic", by sysrq-c, into
 *				the kernel of tdxnext= if there is one; or by
 *				PROGRAM:PARAMETER..., which should not return
 *
 * All output goes through /dev/kmsg, a line a record, so that it cannot be
 * torn apart by the kernel's own lines and bears the kernel's time stamps:
 *
 *	TDX-INIT: begin PROGRAM PARAMETER...
 *	TDX-OUT: a line that the program wrote
 *	TDX-INIT: end PROGRAM status=N
 *	TDX-INIT: kexec status=N programs=N
 *	TDX-INIT: done status=N programs=N
 *
 * The status of a program is its exit code, 128 + N if signal N ended it.
 * That of "kexec" and "done" is 0 if all programs that this kernel ran ended
 * with 0. A log without "done" is that of a machine that died.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/kexec.h>

#define MAX_ARGS	16
/* What printk() takes in one record, less its prefix. */
#define LINE_LEN	900

static int kmsg = -1;

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	char line[LINE_LEN + 64];
	va_list args;
	int len;

	va_start(args, fmt);
	/* <5> is KERN_NOTICE: on the console unless it is made quiet. */
	len = snprintf(line, sizeof(line), "<5>");
	len += vsnprintf(line + len, sizeof(line) - len, fmt, args);
	va_end(args);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;

	if (kmsg < 0 || write(kmsg, line, len) < 0)
		dprintf(STDOUT_FILENO, "%s\n", line + 3);
}

/* The end of a machine: there is nobody to return to. */
static void __attribute__((noreturn)) power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	say("TDX-INIT: power off failed: %s", strerror(errno));
	for (;;)
		pause();
}

static void mount_one(const char *type, const char *dir)
{
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY)
		say("TDX-INIT: cannot mount %s on %s: %s", type, dir,
		    strerror(errno));
}

/* Pass what comes from @fd on, line by line, until nobody can write to it. */
static void copy_lines(int fd)
{
	char buf[LINE_LEN];
	size_t fill = 0;
	ssize_t len;

	for (;;) {
		char *line = buf, *end;

		len = read(fd, buf + fill, sizeof(buf) - fill);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			break;
		fill += len;

		while ((end = memchr(line, '\n', buf + fill - line))) {
			say("TDX-OUT: %.*s", (int)(end - line), line);
			line = end + 1;
		}
		fill = buf + fill - line;
		memmove(buf, line, fill);
		/* An overlong line comes in pieces. */
		if (fill == sizeof(buf)) {
			say("TDX-OUT: %.*s", (int)fill, buf);
			fill = 0;
		}
	}
	if (fill)
		say("TDX-OUT: %.*s", (int)fill, buf);
}

static int wait_for(pid_t child)
{
	int status;
	pid_t pid;

	/* Process 1 inherits every orphan; their status is nobody's. */
	do {
		pid = wait(&status);
		if (pid < 0 && errno != EINTR)
			return 127;
	} while (pid != child);

	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* @spec is "PROGRAM:PARAMETER:...", and is cut to pieces. */
static int run(char *spec)
{
	char *argv[MAX_ARGS + 1], *save, *word, path[128], text[LINE_LEN] = "";
	int argc = 0, fds[2], status;
	pid_t child;

	for (word = strtok_r(spec, ":", &save); word;
	     word = strtok_r(NULL, ":", &save)) {
		if (argc == MAX_ARGS) {
			say("TDX-INIT: more than %d parameters", MAX_ARGS);
			return 126;
		}
		argv[argc++] = word;
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " %s", word);
	}
	if (!argc)
		return 0;
	argv[argc] = NULL;
	snprintf(path, sizeof(path), "/tests/%s", argv[0]);

	say("TDX-INIT: begin%s", text);
	if (pipe2(fds, O_CLOEXEC)) {
		say("TDX-INIT: pipe: %s", strerror(errno));
		return 126;
	}
	child = fork();
	if (!child) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execv(path, argv);
		dprintf(STDOUT_FILENO, "%s: %s\n", path, strerror(errno));
		_exit(127);
	}
	close(fds[1]);
	if (child > 0)
		copy_lines(fds[0]);
	close(fds[0]);
	status = child > 0 ? wait_for(child) : 126;
	say("TDX-INIT: end %s status=%d", argv[0], status);
	return status;
}

/*
 * Data races of KVM 6.1, which are none of TDX: without its seqlock it asks whether
 * the TSC is the clock source, which pvclock_gtod_notify() changes; and, without
 * mmu_lock, whether memory of a VM is being invalidated when a page is copied on
 * write, where a wrong yes does no harm. Programs look at the kernel's lines, too, so
 * they must not be there.
 */
static void quiet_kcsan(void)
{
	static const char * const filters[] = {
		"!pvclock_gtod_notify", "!kvm_mmu_notifier_change_pte", NULL
	};
	const char * const *filter;
	int fd = open("/sys/kernel/debug/kcsan", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	for (filter = filters; *filter; filter++) {
		if (write(fd, *filter, strlen(*filter)) < 0)
			say("TDX-INIT: kcsan: %s", strerror(errno));
	}
	close(fd);
}

/*
 * A kernel with kmemleak tells what nobody can free any more, if that is older than
 * 5 s and did not change between two scans. That is output of no program, which the
 * reader of the console takes for a failure.
 */
static void show_leaks(void)
{
	int fd = open("/sys/kernel/debug/kmemleak", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	/* The first one fails if kmemleak is not on. */
	if (write(fd, "scan", 4) == 4) {
		sleep(6);
		if (write(fd, "scan", 4) == 4 && !lseek(fd, 0, SEEK_SET))
			copy_lines(fd);
	}
	close(fd);
}

static void press_sysrq(const char *key)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, key, 1) != 1)
		say("TDX-INIT: /proc/sysrq-trigger: %s", strerror(errno));
}

static void __attribute__((noreturn)) end_machine(char *how)
{
	sync();
	if (how && !strcmp(how, "restart"))
		reboot(RB_AUTOBOOT);
	else if (how && !strcmp(how, "reset"))
		press_sysrq("b");
	else if (how && !strcmp(how, "panic"))
		press_sysrq("c");
	else if (how)
		say("TDX-INIT: the machine is still there, status=%d", run(how));
	power_off();
}

static char cmdline[4096];

static int read_cmdline(void)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, cmdline, sizeof(cmdline) - 1);

	if (len < 0) {
		say("TDX-INIT: /proc/cmdline: %s", strerror(errno));
		return -1;
	}
	close(fd);
	cmdline[len] = '\0';
	cmdline[strcspn(cmdline, "\n")] = '\0';
	return 0;
}

/* Value of a parameter of the kernel command line (malloced) or NULL. */
static char *parameter(const char *name)
{
	char *copy = strdup(cmdline), *word, *save, *value = NULL;
	size_t len = strlen(name);

	for (word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		if (!strncmp(word, name, len) && word[len] == '=')
			value = word + len + 1;
	}
	value = value ? strdup(value) : NULL;
	free(copy);
	return value;
}

/* Does @word set one of these parameters? @names: "NAME= NAME= ..." */
static bool sets(const char *word, const char *names)
{
	size_t len;

	for (; *names; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		if (!strncmp(word, names, len))
			return true;
	}
	return false;
}

/*
 * Go on in another kernel, by kexec or by a crash of this one. Only returns if
 * it failed.
 */
static void next_kernel(const char *next, bool crash, int status, int programs)
{
	char line[sizeof(cmdline) + 64] = "", *word, *save;
	int kernel, initrd;

	for (word = strtok_r(cmdline, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		/* The last one is known to kernels for tests only, which that one is not. */
		if (sets(word, "tdxtest= tdxnext= tdxend= crashkernel= kmemleak="))
			continue;
		strcat(strcat(line, word), " ");
	}
	/* CPUs that were stopped in the crash stay where they are. */
	if (crash)
		strcat(line, "nr_cpus=1 ");
	strcat(strcat(line, "tdxtest="), next);

	kernel = open("/boot/kernel", O_RDONLY | O_CLOEXEC);
	initrd = open("/boot/initrd", O_RDONLY | O_CLOEXEC);
	if (kernel < 0 || initrd < 0 ||
	    syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line,
		    crash ? KEXEC_FILE_ON_CRASH : 0)) {
		say("TDX-INIT: cannot load /boot/kernel for kexec: %s",
		    strerror(errno));
		return;
	}
	say("TDX-INIT: kexec status=%d programs=%d", status, programs);
	sync();
	if (crash)
		press_sysrq("c");
	else
		reboot(RB_KEXEC);
	say("TDX-INIT: the next kernel did not start: %s", strerror(errno));
}

int main(void)
{
	int status = 0, programs = 0, fd;
	char *list, *next, *how, *spec, *save;

	mount_one("devtmpfs", "/dev");
	mount_one("proc", "/proc");
	mount_one("sysfs", "/sys");
	mount_one("debugfs", "/sys/kernel/debug");
	mount_one("tmpfs", "/tmp");

	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	/* Standard input, output, error, when there was no /dev/console. */
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	close(fd);
	quiet_kcsan();

	if (read_cmdline())
		power_off();
	next = parameter("tdxnext");
	how = parameter("tdxend");
	list = parameter("tdxtest");
	if (!list) {
		say("TDX-INIT: no tdxtest= on the kernel command line: nothing to do");
		status = 2;
	}
	for (spec = list ? strtok_r(list, ",", &save) : NULL; spec;
	     spec = strtok_r(NULL, ",", &save)) {
		programs++;
		if (run(spec))
			status = 1;
	}
	show_leaks();
	if (next)
		next_kernel(next, how && !strcmp(how, "panic"), status, programs);
	say("TDX-INIT: done status=%d programs=%d", status, programs);
	end_machine(how);
}
