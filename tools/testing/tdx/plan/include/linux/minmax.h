/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As in the kernel, both have to be of the same type, or the type is named. */
#define __cmp(op, x, y) ({				\
	__typeof__(x) _x = (x);				\
	__typeof__(y) _y = (y);				\
	(void)(&_x == &_y);				\
	_x op _y ? _x : _y;				\
})
#define min(x, y)		__cmp(<, x, y)
#define max(x, y)		__cmp(>, x, y)
#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))
#define swap(a, b)		do { __typeof__(a) _t = (a); (a) = (b); (b) = _t; } while (0)
