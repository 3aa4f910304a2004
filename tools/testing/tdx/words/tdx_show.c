// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tdx_show ACTION...: runs in the test machine. Actions, in their order:
 *
 *   cat=FILE		print it, each line after "FILE: "
 *   write=FILE=TEXT	write a line to it
 *   mount=TYPE=DIR	mount
 *   load=FILE=PARAMETERS	load a module; "=PARAMETERS" may be missing
 *   as=UID		go on as this user
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int failed(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static int cat(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[800];

	if (!file)
		return failed(path);
	while (fgets(line, sizeof(line), file))
		printf("%s: %s%s", path, line, strchr(line, '\n') ? "" : "\n");
	return fclose(file) ? failed(path) : 0;
}

static int write_line(char *path)
{
	char *text = strchr(path, '=');
	FILE *file;

	*text++ = '\0';
	file = fopen(path, "w");
	if (!file || fprintf(file, "%s\n", text) < 0 || fclose(file))
		return failed(path);
	return 0;
}

static int mount_fs(char *type)
{
	char *dir = strchr(type, '=');

	*dir++ = '\0';
	return mount(type, dir, type, 0, NULL) ? failed(dir) : 0;
}

static int load(char *path)
{
	char *parameters = strchr(path, '=');
	int fd, ret;

	if (parameters)
		*parameters++ = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failed(path);
	ret = syscall(SYS_finit_module, fd, parameters ? parameters : "", 0) ? failed(path) : 0;
	close(fd);
	return ret;
}

static int act(char *action)
{
	if (!strncmp(action, "cat=", 4))
		return cat(action + 4);
	if (!strncmp(action, "write=", 6) && strchr(action + 6, '='))
		return write_line(action + 6);
	if (!strncmp(action, "mount=", 6) && strchr(action + 6, '='))
		return mount_fs(action + 6);
	if (!strncmp(action, "load=", 5))
		return load(action + 5);
	if (!strncmp(action, "as=", 3))
		return setuid(atoi(action + 3)) ? failed(action) : 0;

	printf("%s: unknown\n", action);
	return 1;
}

int main(int argc, char **argv)
{
	int ret = 0, i;

	for (i = 1; i < argc; i++)
		ret |= act(argv[i]);

	return ret;
}
