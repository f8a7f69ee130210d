"""Facts read below a made-up root: a laptop, an empty root, and files that are odd."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from khib_tui.facts import probe
from khib_tui.model import machine
from khib_tui.model.machine import BlockDevice, Machine, MemoryRange
from tests.kit.faketree import MIB, Content, Link, bzimage, ext4, gpt, mbr, patched, tree

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


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return probe.probe(tree(tmp_path_factory.mktemp("root"), SYSTEM | DISKS))


def device(machine: Machine, name: str) -> BlockDevice:
    found = machine.device(name)
    assert found is not None
    return found


def test_system(laptop: Machine) -> None:
    assert (laptop.release, laptop.version, laptop.arch) == ("6.1.0-18-amd64", "#1 SMP Debian", "x86_64")
    assert laptop.root and laptop.uefi and laptop.kexec_load_disabled and not laptop.kexec_loaded
    assert (laptop.mem_total, laptop.mem_available) == (1000 * 1024, 500 * 1024)
    assert laptop.config == {"KEXEC": "y", "EXT4_FS": "m", "CC": "gcc 12"}
    assert (laptop.lockdown, laptop.secure_boot, laptop.acpi_rsdp) == ("integrity", True, 0x7EB7D014)
    assert laptop.kallsyms and laptop.kcore and laptop.devmem
    assert laptop.page_poison and laptop.init_on_free and not laptop.balloon
    assert laptop.machine_id == "0123456789abcdef"
    assert laptop.dmi == {"sys_vendor": "LENOVO", "bios_version": "R1\\u202eBET"}
    assert (laptop.battery_percent, laptop.on_ac) == (None, None)


def test_memory_maps_are_half_open_and_sorted(laptop: Machine) -> None:
    assert laptop.iomem == (
        MemoryRange(0, 0x1000, "Reserved"),
        MemoryRange(0x1000, 0xA0000, "System RAM"),
        MemoryRange(0xA0000000, 0xA0001000, "ACPI Non-volatile Storage"),
        MemoryRange(1 << 32, 2 << 32, "System RAM"),
    )
    assert laptop.firmware_memmap == (
        MemoryRange(0, 0xA0000, "System RAM"),
        MemoryRange(0xA0000, 0x100000, "ACPI Tables"),
        MemoryRange(0x100000, 0x200000, "Reserved"),
    )


def test_processor(laptop: Machine) -> None:
    cpu = laptop.cpu
    assert (cpu.vendor, cpu.model) == ("AuthenticAMD", "AMD Ryzen 7\\x1b[31m")
    assert (cpu.family, cpu.model_number, cpu.stepping, cpu.count) == (23, 96, 1, 2)
    assert cpu.x2apic and not cpu.la57


def cpu_with(tmp_path: Path, flags: str, **files: Content) -> machine.Cpu:
    content = {"proc/cpuinfo": f"processor\t: 0\nflags\t\t: {flags}\n"} | files
    return probe.probe(tree(tmp_path, content)).cpu


def test_modes_of_the_processor(tmp_path: Path) -> None:
    assert cpu_with(tmp_path / "a", "fpu la57").la57
    assert cpu_with(tmp_path / "b", "fpu x2apic").x2apic
    off = {"dev/cpu/0/msr": patched(64, (0x1B, (0xFEE00900).to_bytes(8, "little")))}
    assert not cpu_with(tmp_path / "c", "fpu x2apic", **off).x2apic


def test_flags_digest_is_about_instructions_only(tmp_path: Path) -> None:
    base = cpu_with(tmp_path / "a", "fpu sse2 avx2").flags_digest
    assert cpu_with(tmp_path / "b", "avx2 pti sse2 ibrs x2apic fpu").flags_digest == base
    assert cpu_with(tmp_path / "c", "fpu sse2").flags_digest != base


def test_kernels(laptop: Machine) -> None:
    found = [(kernel.path, kernel.release, kernel.relocatable) for kernel in laptop.kernels]
    assert found == [
        ("/boot/vmlinuz-6.1.0-18-amd64", "6.1.0-18-amd64", True),
        ("/boot/khib/vmlinuz", "6.1.0-18-amd64", True),
        ("/boot/vmlinuz-6.1.0-9-amd64", "6.1.0-9-amd64", False),
    ]
    assert [kernel.config for kernel in laptop.kernels] == [laptop.config, laptop.config, {"DEVMEM": "y"}]
    assert (laptop.kernels[0].pref_address, laptop.kernels[0].init_size) == (0x1000000, 0x12AB000)


def test_devices_in_natural_order_without_empty_ones(laptop: Machine) -> None:
    assert [item.name for item in laptop.devices] == ["dm-0", "nvme0n1", "nvme0n1p1", "nvme0n1p10", "sda"]
    assert [item.kind for item in laptop.devices] == ["dm", "disk", "partition", "partition", "disk"]


def test_partition(laptop: Machine) -> None:
    part = device(laptop, "/dev/nvme0n1p1")
    assert (part.disk, part.disk_id, part.start, part.size) == ("nvme0n1", DISK, MIB, MIB)
    assert (part.partuuid, part.serial, part.model) == (PART1, "S4GENX0R", "SAMSUNG MZ\\x1b")
    assert (part.fstype, part.holders, part.mounts, part.swap) == ("LVM2_member", ("dm-0",), (), False)
    assert not part.read_only and not part.rotational and part.readable
    other = device(laptop, "nvme0n1p10")
    assert (other.partuuid, other.fstype, other.read_only, other.swap) == (PART2, "khib", True, True)


def test_disks_and_mappings(laptop: Machine) -> None:
    disk, stick, root = device(laptop, "nvme0n1"), device(laptop, "sda"), device(laptop, "dm-0")
    assert (disk.table, disk.disk_id, disk.start, disk.partuuid) == ("gpt", DISK, 0, "")
    assert (stick.table, stick.disk_id, stick.serial, stick.model) == ("dos", "c3072e18", "4C53", "SanDisk Ultra")
    assert stick.removable and stick.rotational
    assert (root.fstype, root.label, root.slaves) == ("ext4", "root", ("nvme0n1p1",))


def test_mounts_of_this_and_the_first_process(laptop: Machine) -> None:
    assert device(laptop, "dm-0").mounts == ("/", "/mnt/a b")
    assert device(laptop, "sda").mounts == ("/other",)


def test_what_cannot_be_read_stays_blank(tmp_path: Path) -> None:
    files = {name: content for name, content in DISKS.items() if not name.startswith("dev/")}
    part = device(probe.probe(tree(tmp_path, files)), "nvme0n1p1")
    assert (part.readable, part.disk_id, part.fstype, part.size) == (False, "", "", MIB)


def test_a_suspended_mapping_is_not_opened(tmp_path: Path) -> None:
    root = device(probe.probe(tree(tmp_path, DISKS | {f"{DM}/dm/suspended": "1\n"})), "dm-0")
    assert (root.readable, root.fstype) == (False, "")


def test_write_protection_of_a_disk_covers_its_partitions(tmp_path: Path) -> None:
    found = probe.probe(tree(tmp_path, DISKS | {f"{NVME}/ro": "1\n"}))
    assert device(found, "nvme0n1p1").read_only and device(found, "nvme0n1").read_only


def test_hidden_paths_of_a_disk_are_left_out(tmp_path: Path) -> None:
    found = probe.probe(tree(tmp_path, DISKS | {f"{NVME}/hidden": "1\n"}))
    assert "nvme0n1" not in [item.name for item in found.devices]


@pytest.mark.parametrize(
    ("path", "content", "serial"),
    [
        ("serial", "2001114\n", "2001114"),
        ("device/vpd_pg80", b"\0\x80\0\x08WD-1234\0", "WD-1234"),
        ("device/wwid", "naa.5000\n", "naa.5000"),
        ("device/serial", "0x1a2b\n", "0x1a2b"),
    ],
)
def test_serial_numbers(tmp_path: Path, path: str, content: Content, serial: str) -> None:
    disk = "sys/devices/pci/virtio1/block/vda"
    files = {"sys/class/block/vda": Link(f"../../../{disk}"), f"{disk}/size": "8\n", f"{disk}/{path}": content}
    found = probe.devices(tree(tmp_path, files | {f"{disk}/device/vendor": "0x1af4\n"}))
    assert [(item.serial, item.model) for item in found] == [(serial, "")]


BTRFS: dict[str, Content] = {
    "sys/class/block/vda/size": "8\n", "sys/class/block/vda/dev": "254:0\n",
    "sys/class/block/vdb/size": "8\n", "sys/class/block/vdb/dev": "254:16\n",
    "sys/fs/btrfs/1234/devices/vda": "", "sys/fs/btrfs/1234/devices/vdb": "", "sys/fs/btrfs/features/": None,
}  # fmt: skip


def test_all_devices_of_a_mounted_btrfs_are_mounted(tmp_path: Path) -> None:
    mounted = {"proc/self/mountinfo": "9 1 0:33 /@ / rw - btrfs /dev/vda rw\n"}
    assert [item.mounts for item in probe.devices(tree(tmp_path, BTRFS | mounted))] == [("/",), ("/",)]


def test_a_btrfs_mounted_elsewhere_holds_its_devices(tmp_path: Path) -> None:
    assert [item.holders for item in probe.devices(tree(tmp_path, BTRFS))] == [("btrfs",), ("btrfs",)]


def test_bcachefs_and_loop_devices_name_what_they_use(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "sys/class/block/vda/size": "8\n", "sys/class/block/vdb/size": "8\n", "sys/class/block/loop0/size": "8\n",
        "sys/class/block/loop0/loop/backing_file": "/dev/vdb\n",
        "proc/self/mountinfo": "9 1 0:40 / /data rw - bcachefs /dev/vda:/dev/vdb rw\n",
    }  # fmt: skip
    loop, *disks = probe.devices(tree(tmp_path, files))
    assert (loop.kind, loop.slaves) == ("loop", ("vdb",))
    assert [item.mounts for item in disks] == [("/data",), ("/data",)]


def test_an_empty_root_gives_facts_that_say_so(tmp_path: Path) -> None:
    found = probe.probe(tmp_path)
    assert (found.iomem, found.firmware_memmap, found.devices, found.kernels, found.config) == ((), (), (), (), {})
    assert not (found.root or found.uefi or found.kallsyms or found.kcore or found.devmem or found.balloon)
    assert (found.secure_boot, found.lockdown, found.acpi_rsdp, found.cpu.family) == (None, "", 0, -1)


def test_zero_addresses_are_no_facts(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "proc/iomem": "00000000-00000000 : System RAM\n00000000-00000000 : Reserved\n",
        "proc/kallsyms": "0000000000000000 T _stext\n0000000000000000 D gdt_page\n",
    }
    found = probe.probe(tree(tmp_path, files))
    assert (found.iomem, found.root, found.kallsyms) == ((), False, False)


def test_the_root_pointer_of_a_bios_machine(tmp_path: Path) -> None:
    data = patched(4096, (0x70, (0xF5B20).to_bytes(8, "little")))
    assert probe.acpi_rsdp(tree(tmp_path, {"sys/kernel/boot_params/data": data})) == 0xF5B20


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"sys/bus/virtio/drivers/virtio_mem/virtio3": ""}, True),
        ({"sys/bus/virtio/drivers/virtio_mem/bind": ""}, False),
        ({"sys/bus/virtio/drivers/virtio_balloon/virtio3": ""}, True),
        ({"sys/bus/virtio/drivers/virtio_balloon/virtio3": "", "proc/vmstat": "balloon_inflate 9\n"}, True),
        ({"proc/vmstat": "balloon_inflate 9\n"}, False),
    ],
)
def test_balloon(tmp_path: Path, files: dict[str, Content], expected: bool) -> None:
    assert probe.balloon(tree(tmp_path, files)) is expected


@pytest.mark.parametrize(
    ("flags", "release", "cmdline", "config", "expected"),
    [
        ("sme", "6.1.0", "", "", "SME"),
        ("sme", "5.15.0", "", "", ""),
        ("sme", "5.15.0", "mem_encrypt=on", "", "SME"),
        ("sme", "5.15.0", "", "CONFIG_AMD_MEM_ENCRYPT_ACTIVE_BY_DEFAULT=y\n", "SME"),
        ("sme", "6.1.0", "mem_encrypt=off", "", ""),
        ("hypervisor sev", "6.1.0", "", "", "SEV"),
        ("sev sev_es", "6.1.0", "", "", ""),
        ("hypervisor tdx_guest", "6.8.0", "", "", "TDX"),
        ("fpu", "6.1.0", "mem_encrypt=on", "", ""),
    ],
)
def test_memory_encryption(tmp_path: Path, flags: str, release: str, cmdline: str, config: str, expected: str) -> None:
    files: dict[str, Content] = {
        "proc/cpuinfo": f"flags : {flags}\n", "proc/sys/kernel/osrelease": release, "proc/cmdline": cmdline,
        f"boot/config-{release}": config,
    }  # fmt: skip
    assert probe.probe(tree(tmp_path, files)).memory_encryption == expected


@pytest.mark.parametrize(
    ("cmdline", "config", "expected"),
    [("", "", False), ("", "CONFIG_INIT_ON_FREE_DEFAULT_ON=y\n", True), ("init_on_free=1", "", True),
     ("init_on_free=0", "CONFIG_INIT_ON_FREE_DEFAULT_ON=y\n", False), ("x.init_on_free=1", "", False),
     ("init_on_free=1 init_on_free=off", "", False), ("init_on_free=on", "", True)],
)  # fmt: skip
def test_init_on_free(tmp_path: Path, cmdline: str, config: str, expected: bool) -> None:
    files: dict[str, Content] = {
        "proc/cmdline": cmdline, "proc/sys/kernel/osrelease": "6.1", "lib/modules/6.1/config": config,
    }  # fmt: skip
    assert probe.probe(tree(tmp_path, files)).init_on_free is expected


def test_odd_files_do_not_raise(tmp_path: Path) -> None:
    odd = {name: b"\xff\0\n:" for name, content in (SYSTEM | DISKS).items() if content and not isinstance(content, Link)}
    found = probe.probe(tree(tmp_path, {name: value for name, value in odd.items() if not name.endswith("/")}))
    assert (found.iomem, found.devices, found.config) == ((), (), {})


def test_facts_survive_their_json(laptop: Machine, tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_bytes(machine.dump(laptop))
    assert machine.load(tmp_path / "facts.json") == laptop
