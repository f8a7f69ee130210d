"""The files of a made-up laptop, below a root of its own: its system, and its disks."""

from __future__ import annotations

import gzip

from khib_tui.facts import probe
from tests.kit.faketree import MIB, Content, Link, bzimage, ext4, gpt, mbr, patched

DISK = "8c18ed17-28fe-e745-b593-e7e88e40fde5"
PART1 = "a1997fcf-a608-ce4d-b118-3f9307321c5d"
PART2 = "6209c23a-4fb5-8b4e-b747-58ae6a4529bf"
NVME = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1"
USB = "sys/devices/pci0000:00/usb1/1-1/1-1:1.0/host0/target0:0:0/0:0:0:0/block/sda"
DM = "sys/devices/virtual/block/dm-0"
CPUINFO = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 23
model\t\t: 96
model name\t: AMD Ryzen 7\x1b[31m
stepping\t: 1
flags\t\t: fpu sse2 x2apic avx2

processor\t: 1
vendor_id\t: AuthenticAMD
"""
SYSTEM: dict[str, Content] = {
    "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
    "proc/sys/kernel/version": "#1 SMP Debian\n",
    "proc/sys/kernel/arch": "x86_64\n",
    "proc/sys/kernel/kexec_load_disabled": "1\n",
    "proc/cmdline": "root=/dev/dm-0 init_on_free=1 page_poison=on quiet\n",
    "proc/meminfo": "MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     500 kB\n",
    "proc/cpuinfo": CPUINFO,
    "proc/config.gz": gzip.compress(b'# CONFIG_EXPERT is not set\nCONFIG_KEXEC=y\nCONFIG_EXT4_FS=m\nCONFIG_CC="gcc 12"\n'),
    "proc/iomem": "00000000-00000fff : Reserved\n00001000-0009ffff : System RAM\n  00001000-00001fff : Kernel code\n"
    "a0000000-a0000fff : ACPI Non-volatile Storage\n100000000-1ffffffff : System RAM\n",
    "proc/kallsyms": "ffffffff81000000 T _stext\n0000000000009000 D gdt_page\n",
    "proc/kcore": "",
    "dev/mem": "",
    "dev/cpu/0/msr": patched(0x1B + 8, (0x1B, (0xFEE00D00).to_bytes(8, "little"))),
    "etc/machine-id": "0123456789abcdef\n",
    "boot/vmlinuz-6.1.0-18-amd64": bzimage("6.1.0-18-amd64"),
    "boot/vmlinuz-6.1.0-9-amd64": bzimage("6.1.0-9-amd64", relocatable=0),
    "boot/config-6.1.0-9-amd64": "CONFIG_DEVMEM=y\n",
    "boot/vmlinuz": Link("vmlinuz-6.1.0-18-amd64"),
    "boot/khib/vmlinuz": bzimage("6.1.0-18-amd64"),
    "boot/vmlinuz-broken": "no kernel",
    "sys/kernel/kexec_loaded": "0\n",
    "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
    "sys/kernel/boot_params/data": patched(4096, (0x70, b"\x14\xe0\x0e\0\0\0\0\0")),
    "sys/firmware/efi/systab": "ACPI20=0x7eb7d014\nACPI=0x7eb7d000\nSMBIOS=0x1\n",
    f"{probe.SECURE_BOOT}": b"\x06\0\0\0\x01",
    "sys/firmware/memmap/0/start": "0x0\n", "sys/firmware/memmap/0/end": "0x9ffff\n",
    "sys/firmware/memmap/0/type": "System RAM\n",
    "sys/firmware/memmap/10/start": "0x100000\n", "sys/firmware/memmap/10/end": "0x1fffff\n",
    "sys/firmware/memmap/10/type": "Reserved\n",
    "sys/firmware/memmap/2/start": "0xa0000\n", "sys/firmware/memmap/2/end": "0xfffff\n",
    "sys/firmware/memmap/2/type": "ACPI Tables\n",
    "sys/firmware/memmap/3/start": "nonsense\n",
    "sys/class/dmi/id/sys_vendor": "LENOVO\n", "sys/class/dmi/id/bios_version": "R1\u202eBET\n",
    "sys/bus/virtio/drivers/virtio_balloon/virtio0": Link("../../x"),
    "proc/vmstat": "balloon_inflate 8\nballoon_deflate 8\n",
}  # fmt: skip
DISKS: dict[str, Content] = {
    "sys/class/block/nvme0n1": Link(f"../../../{NVME}"),
    "sys/class/block/nvme0n1p1": Link(f"../../../{NVME}/nvme0n1p1"),
    "sys/class/block/nvme0n1p10": Link(f"../../../{NVME}/nvme0n1p10"),
    "sys/class/block/sda": Link(f"../../../{USB}"),
    "sys/class/block/dm-0": Link(f"../../../{DM}"),
    "sys/class/block/loop0": Link("../../devices/virtual/block/loop0"),
    "sys/devices/virtual/block/loop0/size": "0\n",
    f"{NVME}/size": f"{1 << 20}\n", f"{NVME}/dev": "259:0\n", f"{NVME}/ro": "0\n", f"{NVME}/removable": "0\n",
    f"{NVME}/queue/logical_block_size": "512\n", f"{NVME}/queue/rotational": "0\n",
    f"{NVME}/device": Link(".."), f"{NVME}/../serial": "S4GENX0R   \n", f"{NVME}/../model": "SAMSUNG  MZ\x1b\n",
    f"{NVME}/nvme0n1p1/partition": "1\n", f"{NVME}/nvme0n1p1/size": "2048\n", f"{NVME}/nvme0n1p1/start": "2048\n",
    f"{NVME}/nvme0n1p1/dev": "259:1\n", f"{NVME}/nvme0n1p1/holders/dm-0": "", f"{NVME}/nvme0n1p1/slaves/": None,
    f"{NVME}/nvme0n1p10/partition": "10\n", f"{NVME}/nvme0n1p10/size": "4096\n", f"{NVME}/nvme0n1p10/start": "4096\n",
    f"{NVME}/nvme0n1p10/dev": "259:10\n", f"{NVME}/nvme0n1p10/ro": "1\n",
    f"{USB}/size": "2048\n", f"{USB}/dev": "8:0\n", f"{USB}/removable": "1\n", f"{USB}/queue/rotational": "1\n",
    f"{USB}/device": Link("../.."), f"{USB}/../../vendor": "SanDisk \n", f"{USB}/../../model": "Ultra  \n",
    "sys/devices/pci0000:00/usb1/1-1/idVendor": "0781\n", "sys/devices/pci0000:00/usb1/1-1/serial": "4C53\n",
    f"{DM}/size": "2000\n", f"{DM}/dev": "253:0\n", f"{DM}/dm/name": "vg-root\n", f"{DM}/dm/suspended": "0\n",
    f"{DM}/slaves/nvme0n1p1": "",
    "dev/nvme0n1": gpt(DISK, {2048: PART1, 4096: PART2}), "dev/nvme0n1p1": patched(MIB, (536, b"LVM2 001")),
    "dev/nvme0n1p10": patched(4096, (0, b"KHIBIMG1")), "dev/sda": mbr(0xC3072E18, 7), "dev/dm-0": ext4(b"root"),
    "proc/swaps": "Filename Type Size Used Priority\n/dev/nvme0n1p10 partition 1 0 -2\n/swap\\040file file 1 0 -3\n",
    "proc/self/mountinfo": "22 1 253:0 / / rw - ext4 /dev/root rw\n"
    "23 22 253:0 /sub /mnt/a\\040b rw shared:1 - ext4 /dev/mapper/vg-root rw\n24 22 0:21 / /proc rw - proc proc rw\nodd\n",
    "proc/1/mountinfo": "22 1 253:0 / / rw - ext4 /dev/root rw\n25 1 8:0 / /other rw - vfat /dev/sda rw\n",
}  # fmt: skip
