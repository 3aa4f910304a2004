// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A memory map and its plan as a picture.
 *
 * Memory is cut at all borders of anything, and each piece is as wide as the
 * logarithm of its size, so that a hole of a page can be seen beside a TiB. What
 * belongs together stays in one strip, strips are below each other.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define WIDTH		1160.0
#define LEFT		110.0
#define RIGHT		30.0
#define TOP		96.0
#define LANE		26.0
#define LANE_STEP	34.0
#define GIB		(1ULL << 30)

static const char * const node_colours[] = {
	"#4c78a8", "#f58518", "#54a24b", "#b279a2", "#e45756", "#72b7b2", "#9d755d", "#eeca3b",
};

struct piece {
	u64 start, end;
	double x, width;
	unsigned int strip;
};

struct picture {
	FILE *out;
	const struct map *map;
	const struct outcome *ours, *mainline;
	u64 *edges;
	size_t nr_edges;
	struct piece *pieces;
	size_t nr;
	unsigned int strips;
	double strip_height;
};

static int by_value(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_edges(struct picture *p, u64 start, u64 end)
{
	p->edges[p->nr_edges++] = start;
	p->edges[p->nr_edges++] = end;
}

/* Is there no TDMR, and something to say about a range? */
static bool failed_range(const struct outcome *o)
{
	const struct tdx_range *range = &o->plan.error.range;

	return o->ret && !o->plan.nr_tdmrs && range->start < range->end;
}

/* The next piece of a PAMT from level *ps on: levels may be side by side. False if there is none. */
static bool pamt_piece(const struct tdmr *t, int *ps, struct tdx_range *piece)
{
	if (*ps == TDX_PS_NR || !t->pamt_base[*ps])
		return false;
	piece->start = t->pamt_base[*ps];
	piece->end = piece->start + t->pamt_size[(*ps)++];
	while (*ps < TDX_PS_NR && t->pamt_base[*ps] == piece->end)
		piece->end += t->pamt_size[(*ps)++];

	return true;
}

static void tdmr_edges(struct picture *p, const struct outcome *o)
{
	struct tdx_range piece;
	unsigned int i, j;

	if (o && failed_range(o))
		add_edges(p, o->plan.error.range.start, o->plan.error.range.end);

	for (i = 0; o && i < o->plan.nr_tdmrs; i++) {
		const struct tdmr *t = &o->plan.tdmrs[i];
		int ps = 0;

		add_edges(p, t->base, t->base + t->size);
		for (j = 0; j < t->nr_reserved; j++)
			add_edges(p, t->reserved[j].start, t->reserved[j].end);
		while (pamt_piece(t, &ps, &piece))
			add_edges(p, piece.start, piece.end);
	}
}

static void find_edges(struct picture *p)
{
	size_t i, nr = 0, room = 2 * (p->map->nr_regions + p->map->nr_cmrs);

	room += 2 * (1 + TDX_PS_NR + TDMR_MAX_RESERVED) *
		(2 + p->ours->plan.nr_tdmrs + (p->mainline ? p->mainline->plan.nr_tdmrs : 0));
	p->edges = calloc(room + 1, sizeof(*p->edges));
	p->pieces = calloc(room + 1, sizeof(*p->pieces));
	if (!p->edges || !p->pieces)
		abort();
	for (i = 0; i < p->map->nr_regions; i++)
		add_edges(p, p->map->regions[i].start, p->map->regions[i].end);
	for (i = 0; i < p->map->nr_cmrs; i++) {
		if (p->map->cmrs[i].start < p->map->cmrs[i].end)
			add_edges(p, p->map->cmrs[i].start, p->map->cmrs[i].end);
	}
	tdmr_edges(p, p->ours);
	tdmr_edges(p, p->mainline);
	qsort(p->edges, p->nr_edges, sizeof(*p->edges), by_value);
	for (i = 0; i < p->nr_edges; i++) {
		if (!nr || p->edges[nr - 1] != p->edges[i])
			p->edges[nr++] = p->edges[i];
	}
	p->nr_edges = nr;
}

static bool in_tdmr(const struct outcome *o, u64 addr)
{
	unsigned int i;

	for (i = 0; o && i < o->plan.nr_tdmrs; i++) {
		if (addr >= o->plan.tdmrs[i].base && addr < o->plan.tdmrs[i].base + o->plan.tdmrs[i].size)
			return true;
	}

	return false;
}

static bool in_memory(const struct map *map, u64 addr)
{
	unsigned int i;

	for (i = 0; i < map->nr_regions; i++) {
		if (addr >= map->regions[i].start && addr < map->regions[i].end)
			return true;
	}

	return false;
}

/* Nothing to show: between TDMRs, or, if there are none, between regions */
static bool is_void(const struct picture *p, u64 addr)
{
	if (p->ours->plan.nr_tdmrs || (p->mainline && p->mainline->plan.nr_tdmrs))
		return !in_tdmr(p->ours, addr) && !in_tdmr(p->mainline, addr);

	return !in_memory(p->map, addr);
}

static double weight(const struct picture *p, const struct piece *piece)
{
	double pages = (piece->end - piece->start) / 4096.0;

	if (is_void(p, piece->start))
		return 22;

	return 5 + 7.5 * log2(1 + pages / 64);
}

/* Pieces from @first to before @end go into the strip at *@x, or into a new one. */
static void lay_group(struct picture *p, size_t first, size_t end, double *x)
{
	double sum = 0, scale = 1;
	size_t i;

	for (i = first; i < end; i++)
		sum += weight(p, &p->pieces[i]);
	if (*x > LEFT && *x + sum > LEFT + WIDTH) {
		p->strips++;
		*x = LEFT;
	}
	if (sum > WIDTH)
		scale = WIDTH / sum;
	for (i = first; i < end; i++) {
		p->pieces[i].x = *x;
		p->pieces[i].width = weight(p, &p->pieces[i]) * scale;
		p->pieces[i].strip = p->strips - 1;
		*x += p->pieces[i].width;
	}
}

static bool tdmr_border(const struct outcome *o, u64 addr)
{
	unsigned int i;

	for (i = 0; o && i < o->plan.nr_tdmrs; i++) {
		if (addr == o->plan.tdmrs[i].base)
			return true;
	}

	return false;
}

static void lay_out(struct picture *p)
{
	size_t i, first = 0;
	double x = LEFT;

	find_edges(p);
	for (i = 0; i + 1 < p->nr_edges; i++)
		p->pieces[p->nr++] = (struct piece){ .start = p->edges[i], .end = p->edges[i + 1] };
	p->strips = 1;
	for (i = 1; i <= p->nr; i++) {
		if (i < p->nr && is_void(p, p->pieces[i].start) == is_void(p, p->pieces[i - 1].start) &&
		    (is_void(p, p->pieces[i].start) || !tdmr_border(p->ours, p->pieces[i].start)))
			continue;
		lay_group(p, first, i, &x);
		first = i;
	}
	p->strip_height = (p->mainline ? 4 : 3) * LANE_STEP + 58;
}

static double lane_y(const struct picture *p, unsigned int strip, unsigned int lane)
{
	return TOP + strip * p->strip_height + 30 + lane * LANE_STEP;
}

/*
 * [@start, @end) in a lane: a box in each strip that has a part of it. @label is
 * put into the widest if there is room; returns whether it was.
 */
static bool box(struct picture *p, unsigned int lane, double inset, u64 start, u64 end, const char *style,
		const char *label, const char *tip)
{
	double best_x = 0, best_y = 0, best_width = 0;
	size_t i = 0;

	while (i < p->nr) {
		unsigned int strip = p->pieces[i].strip;
		double x = p->pieces[i].x, width = 0, y = lane_y(p, strip, lane);
		bool any = false;

		for (; i < p->nr && p->pieces[i].strip == strip; i++) {
			if (p->pieces[i].start < start || p->pieces[i].end > end)
				continue;
			if (!any)
				x = p->pieces[i].x;
			any = true;
			width = p->pieces[i].x + p->pieces[i].width - x;
		}
		if (!any)
			continue;
		fprintf(p->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s><title>%s: [%#llx, %#llx), %s</title></rect>\n",
			x, y + inset, width, LANE - 2 * inset, style, tip, start, end, size_text(end - start));
		if (width > best_width) {
			best_width = width;
			best_x = x + width / 2;
			best_y = y + LANE / 2 + 4;
		}
	}
	if (!label || best_width <= 6.3 * strlen(label) + 6)
		return false;
	fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"in\">%s</text>\n", best_x, best_y, label);

	return true;
}

static const char *gib_text(u64 addr)
{
	static char text[4][32];
	static unsigned int turn;
	char *out = text[turn++ % 4];

	if (addr % GIB)
		snprintf(out, sizeof(text[0]), "%.2f GiB", (double)addr / GIB);
	else
		snprintf(out, sizeof(text[0]), "%llu GiB", addr / GIB);

	return out;
}

/* Addresses, at what begins or ends in a strip, as far as there is room for them */
static void axis(struct picture *p)
{
	double free_from = 0;
	unsigned int strip = ~0U;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		const struct piece *q = &p->pieces[i];
		bool last = i + 1 == p->nr || q[1].strip != q->strip;
		bool begins = !i || is_void(p, q->start) != is_void(p, q[-1].start) ||
			      tdmr_border(p->ours, q->start) || tdmr_border(p->mainline, q->start);
		double y = lane_y(p, q->strip, 0) - 8;

		if (q->strip != strip) {
			strip = q->strip;
			free_from = 0;
		}
		if (begins && q->x >= free_from) {
			const char *text = gib_text(q->start);

			fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"axis\">%s</text>\n", q->x, y, text);
			fprintf(p->out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"tick\"/>\n", q->x,
				y + 3, q->x, lane_y(p, strip, p->mainline ? 4 : 3));
			free_from = q->x + 7.0 * strlen(text) + 8;
		}
		if (last && q->x + q->width >= free_from)
			fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"axis\" text-anchor=\"end\">%s</text>\n",
				q->x + q->width, y, gib_text(q->end));
		if (is_void(p, q->start))
			fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"void\">&#8943;</text>\n",
				q->x + q->width / 2, lane_y(p, strip, 1) + LANE / 2 + 4);
	}
}

static void tdmr_lane(struct picture *p, const struct outcome *o, unsigned int lane)
{
	struct tdx_range piece;
	unsigned int i, j;
	char label[100];

	for (i = 0; i < o->plan.nr_tdmrs; i++) {
		const struct tdmr *t = &o->plan.tdmrs[i];

		snprintf(label, sizeof(label), "TDMR %u", i);
		box(p, lane, 0, t->base, t->base + t->size, o->ret ? "class=\"bad\"" : "class=\"tdmr\"", NULL, label);
		for (j = 0; j < t->nr_reserved; j++)
			box(p, lane, 3, t->reserved[j].start, t->reserved[j].end, "class=\"reserved\"", NULL, "reserved");
	}
	for (i = 0; i < o->plan.nr_tdmrs; i++) {
		const struct tdmr *t = &o->plan.tdmrs[i];
		int ps = 0;

		snprintf(label, sizeof(label), "PAMT of TDMR %u", i);
		while (pamt_piece(t, &ps, &piece))
			box(p, lane, 3, piece.start, piece.end, "class=\"pamt\"", NULL, label);
	}
	for (i = 0; i < o->plan.nr_tdmrs; i++) {
		const struct tdmr *t = &o->plan.tdmrs[i];

		snprintf(label, sizeof(label), "%u: %s, PAMT %s", i, size_text(t->size), size_text(tdmr_pamt_total(t)));
		/* Only for its text, long or short */
		if (box(p, lane, 0, t->base, t->base + t->size, "class=\"frame\"", label, label))
			continue;
		snprintf(label, sizeof(label), "%u", i);
		box(p, lane, 0, t->base, t->base + t->size, "class=\"frame\"", label, label);
	}
	if (failed_range(o))
		box(p, lane, 0, o->plan.error.range.start, o->plan.error.range.end, "class=\"bad\"", "no plan",
		    o->plan.error.why);
}

static void lanes(struct picture *p)
{
	static const char * const names[] = { "memory", "CMRs", "TDMRs", "mainline" };
	unsigned int i, strip, nr = p->mainline ? 4 : 3;
	char style[80], label[40];

	for (strip = 0; strip < p->strips; strip++) {
		for (i = 0; i < nr; i++)
			fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"lane\">%s</text>\n", LEFT - 12,
				lane_y(p, strip, i) + LANE / 2 + 4, names[i]);
	}
	for (i = 0; i < p->map->nr_regions; i++) {
		const struct tdx_region *r = &p->map->regions[i];

		snprintf(style, sizeof(style), "fill=\"%s\" class=\"memory\"", node_colours[r->nid % 8]);
		snprintf(label, sizeof(label), "node %d", r->nid);
		box(p, 0, 0, r->start, r->end, style, label, label);
	}
	for (i = 0; i < p->map->nr_cmrs; i++) {
		if (p->map->cmrs[i].start < p->map->cmrs[i].end)
			box(p, 1, 4, p->map->cmrs[i].start, p->map->cmrs[i].end, "class=\"cmr\"", NULL, "CMR");
	}
	tdmr_lane(p, p->ours, 2);
	if (p->mainline)
		tdmr_lane(p, p->mainline, 3);
}

static void escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&' || *text == '<' || *text == '>' || (unsigned char)*text < ' ')
			fprintf(out, "&#%u;", (unsigned char)*text < ' ' ? '?' : *text);
		else
			fputc(*text, out);
	}
}

static void summary(FILE *out, double y, const char *who, const struct outcome *o)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"sum\">%s", LEFT, y, who);
	if (o->ret) {
		fprintf(out, "no plan: %s: [%#llx, %#llx)", o->plan.error.why, o->plan.error.range.start,
			o->plan.error.range.end);
		if (o->plan.error.limit)
			fprintf(out, ", %llu needed, %llu allowed", o->plan.error.need, o->plan.error.limit);
	} else {
		fprintf(out, "%u TDMR%s, at most %u of %u reserved areas, PAMT %s of %s memory (%.3f %%)",
			o->plan.nr_tdmrs, o->plan.nr_tdmrs == 1 ? "" : "s", plan_worst_areas(o),
			o->plan.limits.max_reserved, size_text(plan_pamt(&o->plan)),
			size_text(plan_memory(&o->plan)), 100.0 * plan_pamt(&o->plan) / plan_memory(&o->plan));
	}
	fprintf(out, "</text>\n");
}

static void legend(struct picture *p, double y)
{
	static const struct {
		const char *style, *text;
	} entries[] = {
		{ "class=\"tdmr\"", "usable by TDs" },
		{ "class=\"reserved\"", "reserved area" },
		{ "class=\"pamt\"", "PAMT" },
		{ "class=\"cmr\"", "convertible memory (CMR)" },
	};
	double x = LEFT;
	unsigned int i;

	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		fprintf(p->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"22\" height=\"14\" %s/>\n", x, y, entries[i].style);
		fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"sum\">%s</text>\n", x + 28, y + 12, entries[i].text);
		x += 60 + 7.2 * strlen(entries[i].text);
	}
	if (p->ours->ret || (p->mainline && p->mainline->ret)) {
		fprintf(p->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"22\" height=\"14\" class=\"bad\"/>\n", x, y);
		fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"sum\">no plan</text>\n", x + 28, y + 12);
		x += 100;
	}
	fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"note\">widths are logarithmic; &#8943; nothing that TDX uses; hover for addresses</text>\n",
		x, y + 12);
}

void report_svg(FILE *out, const char *title, const struct map *map, const struct outcome *ours,
		const struct outcome *mainline)
{
	struct picture p = { .out = out, .map = map, .ours = ours, .mainline = mainline };
	double height;

	lay_out(&p);
	height = TOP + p.strips * p.strip_height + 40;
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\">\n",
		LEFT + WIDTH + RIGHT, height, LEFT + WIDTH + RIGHT, height);
	fputs("<style>\n"
	      "text{fill:#222} .title{font-size:18px;font-weight:bold} .sum{font-size:13px} .note{font-size:12px;fill:#777}\n"
	      ".axis{font-size:11px;fill:#555} .lane{font-size:12px;text-anchor:end;fill:#555} .in{font-size:11px;text-anchor:middle;fill:#111;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round;pointer-events:none}\n"
	      ".void{font-size:16px;text-anchor:middle;fill:#999} .tick{stroke:#ccc;stroke-width:1;stroke-dasharray:2 3}\n"
	      ".memory{stroke:#fff;stroke-width:.6;fill-opacity:.75} .cmr{fill:#9ecae9;stroke:#4c78a8;stroke-width:.8}\n"
	      ".tdmr{fill:#dff0d8;stroke:#3c763d;stroke-width:1} .bad{fill:#f8d0d0;stroke:#a02020;stroke-width:1} .reserved{fill:url(#hatch);stroke:#777;stroke-width:.5}\n"
	      ".pamt{fill:#d62728;stroke:#7f1010;stroke-width:.5} .frame{fill:none;stroke:#3c763d;stroke-width:1.4;pointer-events:none}\n"
	      "</style>\n"
	      "<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
	      "<rect width=\"5\" height=\"5\" fill=\"#eee\"/><line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"5\" stroke=\"#999\" stroke-width=\"2\"/></pattern></defs>\n"
	      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", out);
	fprintf(out, "<text x=\"%.1f\" y=\"30\" class=\"title\">", LEFT);
	escaped(out, title);
	fprintf(out, "</text>\n");
	summary(out, 54, "", ours);
	if (mainline)
		summary(out, 74, "mainline's rule: ", mainline);
	axis(&p);
	lanes(&p);
	legend(&p, TOP + p.strips * p.strip_height + 6);
	fputs("</svg>\n", out);

	free(p.edges);
	free(p.pieces);
}
