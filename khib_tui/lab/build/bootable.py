"""The files of a Debian that starts from its own disk, with the lab's agent as PID 1, and what installs its boot loader."""

from __future__ import annotations

from khib_tui.lab.build.system import COMMAND, File

ROOT_UUID = "6b686962-0000-4000-8000-000000000003"

ESP_ID = "4b484942"
# Emulated on a busy host, the timer may seem broken for the time the kernel looks at it, and it would panic.
WORDS = "console=tty0 console=ttyS0,115200 no_timer_check panic=5 init=/usr/sbin/khib-init khib.lab=demo"

INIT = """\
#!/bin/sh
# PID 1 of a guest that its own boot loader and initramfs have started: mounts the rest, then becomes khib's own program
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root TERM="${TERM:-linux}" LANG=C.UTF-8
for place in 'proc /proc' 'sysfs /sys' 'devtmpfs /dev' 'tmpfs /run'; do
    set -- $place
    mountpoint -q "$2" || mount -t "$1" "$1" "$2"
done
mount -o remount,rw /
mount -a
swapon -a
[ ! -d /sys/firmware/efi/efivars ] || mount -t efivarfs efivarfs /sys/firmware/efi/efivars
echo lab-a >/proc/sys/kernel/hostname
cd /root

export PYTHONPATH=/opt/khib PYTHONDONTWRITEBYTECODE=1
[ -d /opt/khib/khib_tui ] && exec /usr/bin/python3 -m khib_tui.lab.guest.agent
echo 'khib-init: there is no program, so here is a shell'
exec /bin/sh
"""

INSTALL = """\
#!/bin/sh
# PID 1 of the one run that installs a boot loader as its own installer does; the last word goes over the second line.
set -eu
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux LC_ALL=C
end() {
    code=$?
    umount /boot/efi /boot 2>/dev/null || true
    sync
    mount -o remount,ro / || true
    echo "installed $code" >/dev/ttyS1
    sleep 1
    echo o >/proc/sysrq-trigger
    sleep 60
}
trap end EXIT
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -o remount,rw /
[ ! -d /sys/firmware/efi/efivars ] || mount -t efivarfs efivarfs /sys/firmware/efi/efivars
/lib/systemd/systemd-udevd --daemon
udevadm trigger
udevadm settle
esp=/dev/disk/by-partlabel/esp own=/dev/disk/by-partlabel/boot
# the default of 9 takes half a minute of an emulated machine each time
echo COMPRESSLEVEL=1 >/etc/initramfs-tools/conf.d/lab
[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
release=$(uname -r)
words="root=UUID=$(findmnt --noheadings --output UUID /) ro $(cat /etc/kernel/cmdline)"

mount_it() { # partition, folder, how
    mkdir -p "$2"
    mount "$1" "$2"
    echo "UUID=$(blkid -s UUID -o value "$1") $2 $3" >>/etc/fstab
}

boot_is() { # partition, how
    mv /boot /boot.root
    mount_it "$1" /boot "$2"
    cp -r /boot.root/. /boot
    rm -r /boot.root
}

boot_is_esp() {
    boot_is "$esp" 'vfat umask=0077 0 1'
    # it runs kernel-install, which comes with systemd; the entry is kept by hand here
    rm -f /etc/initramfs/post-update.d/systemd-boot
}

newer_grub() { # as Debian's signed package does it, which has the same image
    place=/boot/efi/EFI/debian
    cp /usr/lib/newer-grub/grubx64.efi "$place/grubx64.efi"
    printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' \
        "$(findmnt --noheadings --output UUID /)" >"$place/grub.cfg"
    rm -r /boot/grub/x86_64-efi
    cp -r /usr/lib/newer-grub/modules /boot/grub/x86_64-efi
}

grub() {
    if [ -d /sys/firmware/efi ]; then
        mount_it "$esp" /boot/efi 'vfat umask=0077 0 1'
        grub-install --target=x86_64-efi
        [ ! -d /usr/lib/newer-grub ] || newer_grub
    else
        if [ -e "$own" ]; then
            mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 "$own"
            boot_is "$own" 'ext4 defaults 0 2'
        fi
        grub-install --target=i386-pc /dev/vda
    fi
    timeout 240 update-grub
    grep --quiet custom.cfg /boot/grub/grub.cfg
}

systemd_boot() {
    boot_is_esp
    bootctl --no-pager --esp-path=/boot install
    mkdir -p /boot/loader/entries
    printf 'default debian.conf\\ntimeout 1\\n' >/boot/loader/loader.conf
    printf 'title Debian\\nlinux /vmlinuz-%s\\ninitrd /initrd.img-%s\\noptions %s\\n' "$release" "$release" "$words" \\
        >/boot/loader/entries/debian.conf
}

efi() {
    boot_is_esp
    efibootmgr --create --disk /dev/vda --part 2 --label 'Debian by the EFI stub' --loader "\\\\vmlinuz-$release" \\
        --unicode "initrd=\\\\initrd.img-$release $words"
}

case " $(cat /proc/cmdline) " in
    *' khib.loader=grub '*) grub ;;
    *' khib.loader=systemd-boot '*) systemd_boot ;;
    *' khib.loader=efi '*) efi ;;
esac
"""

FSTAB = f"""\
UUID={ROOT_UUID} / ext4 errors=remount-ro 0 1
PARTLABEL=swap none swap sw 0 0
devpts /dev/pts devpts gid=5,mode=620,ptmxmode=666,X-mount.mkdir 0 0
tmpfs /dev/shm tmpfs mode=1777,X-mount.mkdir 0 0
tmpfs /tmp tmpfs mode=1777 0 0
securityfs /sys/kernel/security securityfs nofail 0 0
"""

GRUB = f"""\
GRUB_DEFAULT=0
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="{WORDS}"
GRUB_TERMINAL="console serial"
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
GRUB_DISABLE_OS_PROBER=true
"""

FILES = {
    "usr/sbin/khib-init": File(0o755, INIT),
    "usr/local/bin/khib": File(0o755, COMMAND),
    "etc/fstab": File(0o644, FSTAB),
    "etc/default/grub": File(0o644, GRUB),
    "etc/kernel/cmdline": File(0o644, f"{WORDS}\n"),
    "etc/hostname": File(0o644, "lab-a\n"),
    "etc/hosts": File(0o644, "127.0.0.1 localhost lab-a\n"),
}
