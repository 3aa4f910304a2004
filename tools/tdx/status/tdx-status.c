// SPDX-License-Identifier: GPL-2.0-or-later
/* tdx-status: all that can be seen of TDX on this host, see tdx-status(8). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

static const char usage[] =
	"usage: tdx-status [-j|--json] [-q|--quiet] [--root DIR] [--save DIR]\n"
	"\n"
	"Show whether this host can run TDs, and if not, why and what to do first.\n"
	"Run it as root: others can not read MSRs and the kernel's log.\n"
	"\n"
	"  -j, --json      JSON\n"
	"  -q, --quiet     the exit status only\n"
	"      --root DIR  look at a copy of a host's files, as --save makes it\n"
	"      --save DIR  copy what is read to DIR\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit status: 0 TDX is initialised, 1 it can be, 2 it can not be used, 3 the host\n"
	"is without TDX, 4 can not tell, 64 trouble.\n";

struct options {
	bool json;
	bool quiet;
	struct files files;
};

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "root", required_argument, NULL, 'r' },
		{ "save", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "jqh", names, NULL)) != -1) {
		switch (c) {
		case 'j':
			options->json = true;
			break;
		case 'q':
			options->quiet = true;
			break;
		case 'r':
			options->files.root = optarg;
			break;
		case 's':
			options->files.save = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(usage, stderr);
			exit(EXIT_TROUBLE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tdx-status: %s: unexpected argument\n%s", argv[optind], usage);
		exit(EXIT_TROUBLE);
	}
}

int main(int argc, char **argv)
{
	static const int exit_status[] = {
		[VERDICT_READY]		= 0,
		[VERDICT_AVAILABLE]	= 1,
		[VERDICT_BROKEN]	= 2,
		[VERDICT_ABSENT]	= 3,
		[VERDICT_UNKNOWN]	= 4,
	};
	struct options options = { .files.root = "" };
	struct diagnosis diagnosis;
	struct host host;

	parse_options(&options, argc, argv);
	if (*options.files.root && !files_exist(&options.files, "/")) {
		fprintf(stderr, "tdx-status: %s: no such directory\n", options.files.root);
		return EXIT_TROUBLE;
	}

	gather(&host, &options.files);
	diagnose(&host, &diagnosis);
	if (options.json)
		print_json(&host, &diagnosis);
	else if (!options.quiet)
		print_text(&host, &diagnosis);
	free_host(&host);

	if (fflush(stdout) || ferror(stdout)) {
		perror("tdx-status: standard output");
		return EXIT_TROUBLE;
	}
	return exit_status[diagnosis.verdict];
}
