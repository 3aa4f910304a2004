// SPDX-License-Identifier: GPL-2.0-or-later
#include "bare.h"

const struct test checker_tests[] = { { NULL, NULL } };
