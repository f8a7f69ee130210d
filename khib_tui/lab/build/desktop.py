"""The files of a Debian that starts from its own disk with systemd, as desktops do; the lab's agent is a service of it."""

from __future__ import annotations

from khib_tui.lab.build import bootable
from khib_tui.lab.build.system import File

PACKAGES = ("systemd-sysv", "dbus", "libpam-systemd", "polkitd")
WORDS = " ".join(word for word in bootable.WORDS.split() if not word.startswith("init="))

AGENT = """\
[Unit]
Description=The lab's agent
After=dbus.service systemd-logind.service systemd-user-sessions.service network.target

[Service]
Environment=PYTHONPATH=/opt/khib PYTHONDONTWRITEBYTECODE=1 HOME=/root LANG=C.UTF-8
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
WorkingDirectory=/root
ExecStart=/usr/bin/python3 -m khib_tui.lab.guest.agent
StandardError=journal+console
"""

# a target waits for what it wants, and this needs no symbolic link
WANTED = """\
[Unit]
Wants=khib-agent.service systemd-networkd.service
"""

NETWORK = """\
[Match]
Type=ether

[Network]
DHCP=ipv4
"""

FSTAB = "".join(line for line in bootable.FSTAB.splitlines(keepends=True) if line.startswith(("UUID=", "PARTLABEL=")))

FILES = {
    **{name: file for name, file in bootable.FILES.items() if name != "usr/sbin/khib-init"},
    "etc/fstab": File(0o644, FSTAB),
    "etc/default/grub": File(0o644, bootable.GRUB.replace(bootable.WORDS, WORDS)),
    "etc/kernel/cmdline": File(0o644, f"{WORDS}\n"),
    "etc/systemd/system/khib-agent.service": File(0o644, AGENT),
    "etc/systemd/system/multi-user.target.d/khib.conf": File(0o644, WANTED),
    "etc/systemd/network/lab.network": File(0o644, NETWORK),
    # what a distribution does once a day would run while the machine is emulated
    **{f"etc/systemd/system/{name}.timer": File(0o644, "[Timer]\nOnActiveSec=1week\n") for name in (
        "apt-daily", "apt-daily-upgrade", "dpkg-db-backup", "e2scrub_all", "fstrim",
    )},
}  # fmt: skip
