// SPDX-License-Identifier: GPL-2.0
// A driver that wants to be told of sleep, as some graphics drivers do. /sys/kernel/khib_listener/heard has what it
// was told, a line each: the number of include/linux/suspend.h (1 PM_HIBERNATION_PREPARE, 2 PM_POST_HIBERNATION), the
// time of day in seconds.
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/suspend.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#define KEPT 64

static struct {
	unsigned long action;
	s64 when;
} told[KEPT];
static unsigned int count;
static struct kobject *folder;

static int listen(struct notifier_block *block, unsigned long action, void *data)
{
	if (count < KEPT) {
		told[count].action = action;
		told[count].when = ktime_get_real_seconds();
		count++;
	}
	return NOTIFY_OK;
}

static struct notifier_block block = { .notifier_call = listen };

static ssize_t heard_show(struct kobject *object, struct kobj_attribute *attribute, char *text)
{
	ssize_t size = 0;
	unsigned int number;

	for (number = 0; number < count; number++)
		size += sysfs_emit_at(text, size, "%lu %lld\n", told[number].action, told[number].when);
	return size;
}

static struct kobj_attribute heard = __ATTR_RO(heard);

static int __init start(void)
{
	int error;

	folder = kobject_create_and_add("khib_listener", kernel_kobj);
	if (!folder)
		return -ENOMEM;
	error = sysfs_create_file(folder, &heard.attr);
	if (!error)
		error = register_pm_notifier(&block);
	if (error)
		kobject_put(folder);
	return error;
}

static void __exit end(void)
{
	unregister_pm_notifier(&block);
	kobject_put(folder);
}

module_init(start);
module_exit(end);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tells what the kernel's sleep notifiers say");
