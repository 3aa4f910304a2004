// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/firmware/tdx: see Documentation/ABI/testing/sysfs-firmware-tdx.
 *
 * Files read what does not change any more once it is known. None waits for an
 * initialisation, which takes seconds.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/printk.h>
#include <linux/sysfs.h>

#include "observe.h"
#include "tdx.h"

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", tdx_state_name(tdx_get_state()));
}

static ssize_t module_version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct tdx_sysinfo *info = tdx_get_sysinfo();

	if (!info)
		return 0;

	return sysfs_emit(buf, "%u.%u.%02u\n", info->major, info->minor, info->update);
}

static ssize_t build_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct tdx_sysinfo *info = tdx_get_sysinfo();

	if (!info)
		return 0;

	return sysfs_emit(buf, "%u %u\n", info->build_num, info->build_date);
}

static ssize_t attributes_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct tdx_sysinfo *info = tdx_get_sysinfo();

	if (!info)
		return 0;

	return sysfs_emit(buf, "0x%x\n", info->attributes);
}

static ssize_t features_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct tdx_sysinfo *info = tdx_get_sysinfo();

	if (!info)
		return 0;

	return sysfs_emit(buf, "0x%llx\n", info->features0);
}

static ssize_t seamldr_version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct seamldr_info *info = seamldr_get_info();

	if (!info)
		return 0;

	return sysfs_emit(buf, "%u.%u.%02u\n", info->major, info->minor, info->update);
}

static ssize_t keyids_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct tdx_platform *platform = tdx_get_platform();

	if (!platform)
		return 0;

	/* The first is the module's own. Detection wants one more at least. */
	return sysfs_emit(buf, "%u %u-%u\n", platform->first_keyid, platform->first_keyid + 1,
			  platform->first_keyid + platform->nr_keyids - 1);
}

static ssize_t pamt_kb_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", tdx_pamt_held() >> 10);
}

static ssize_t init_time_ms_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	if (tdx_get_state() != TDX_INITIALIZED)
		return 0;

	return sysfs_emit(buf, "%lld\n", tdx_get_init_ms());
}

static ssize_t last_error_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	size_t len;

	/* Room for the newline */
	tdx_get_error(buf, PAGE_SIZE - 1);
	len = strlen(buf);
	if (!len)
		return 0;

	buf[len] = '\n';
	return len + 1;
}

static struct kobj_attribute state_attr = __ATTR_RO(state);
static struct kobj_attribute module_version_attr = __ATTR_RO(module_version);
static struct kobj_attribute build_attr = __ATTR_RO(build);
static struct kobj_attribute attributes_attr = __ATTR_RO(attributes);
static struct kobj_attribute features_attr = __ATTR_RO(features);
static struct kobj_attribute seamldr_version_attr = __ATTR_RO(seamldr_version);
static struct kobj_attribute keyids_attr = __ATTR_RO(keyids);
static struct kobj_attribute pamt_kb_attr = __ATTR_RO(pamt_kb);
static struct kobj_attribute init_time_ms_attr = __ATTR_RO(init_time_ms);
/* Messages name physical addresses. */
static struct kobj_attribute last_error_attr = __ATTR_RO_MODE(last_error, 0400);

static struct attribute *tdx_attrs[] = {
	&state_attr.attr,
	&module_version_attr.attr,
	&build_attr.attr,
	&attributes_attr.attr,
	&features_attr.attr,
	&seamldr_version_attr.attr,
	&keyids_attr.attr,
	&pamt_kb_attr.attr,
	&init_time_ms_attr.attr,
	&last_error_attr.attr,
	NULL
};

static const struct attribute_group tdx_group = {
	.attrs = tdx_attrs,
};

static int __init tdx_sysfs_init(void)
{
	struct kobject *kobj;
	int ret = -ENOMEM;

	kobj = kobject_create_and_add("tdx", firmware_kobj);
	if (kobj)
		ret = sysfs_create_group(kobj, &tdx_group);
	if (ret) {
		pr_err("no files in /sys/firmware/tdx (%d)\n", ret);
		kobject_put(kobj);
	}
	return ret;
}
subsys_initcall(tdx_sysfs_init);
