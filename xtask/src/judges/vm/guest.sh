#!/bin/busybox sh
# The guest's only process: loads the drivers of its optical drives, does the steps, switches
# itself off. What a step prints stands between "@step NAME" and "@status NUMBER".

/bin/busybox mkdir -p /proc /sys /dev /mnt /tmp /sbin /usr/sbin
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
echo 3 > /proc/sys/kernel/printk

for module in $(cat /modules/order); do
    insmod "/modules/$module.ko" || echo "insmod $module failed"
done
waited=0
while [ ! -b "/dev/$(cat /last-drive)" ] && [ "$waited" -lt 300 ]; do
    sleep 0.1
    waited=$((waited + 1))
done

step() {
    echo "@step $1"
    shift
    "$@" 2>&1
    echo "@status $?"
}

# Digests of all files on a drive's disc.
look() {
    mount -t "$2" -o ro "/dev/$1" /mnt || return 1
    cd /mnt && find . -type f -exec sha256sum {} \;
    cd / && umount /mnt
}

. /steps
echo "@done"
poweroff -f
