#!/bin/sh
# khib guard: A is started while an image of it waits. "ask" (in the initramfs) asks before any disk is touched;
# "mark" (later) gives the image up, for the disks are in use. No device, no image: it lets the start go on at once.
export LC_ALL=C
DEVICE='' PARTUUID='' FIRST=0 SETUP='' COUNTDOWN=10 WAIT=5 TICK=1 PAUSE=5 NEXT=/etc/khib/resume-next RUN=/run
SWAPS='' CONSOLE=/dev/console SYSRQ=/proc/sysrq-trigger REBOOT=reboot POWEROFF=poweroff
conf=${2:-/etc/khib/guard.conf}
[ -r "$conf" ] || exit 0
. "$conf"
[ "$1" != mark ] || WAIT=1

text() { dd if="$dev" bs=512 skip=$((FIRST + $1)) count="$2" 2>/dev/null | tr -d '\000'; }
put() { dd of="$dev" bs=512 seek=$((FIRST + $1)) conv=notrunc,fsync 2>/dev/null; }
zeros() { dd if=/dev/zero bs="$1" count=1 2>/dev/null; }
say() { printf '\r%s\n' "$*" 2>/dev/null >"$CONSOLE"; }
header() {
	text "$1" 8 | sed -n 's/.*{"image_id":"\([0-9a-f]*\)","state":"\([a-z]*\)","generation":\([0-9]*\),.*/\3 \2 \1/p'
}

find_device() {
	while :; do
		for dev in "$DEVICE" "/dev/disk/by-partuuid/$PARTUUID" \
			"$([ -z "$PARTUUID" ] || blkid -l -t "PARTUUID=$PARTUUID" -o device 2>/dev/null)"; do
			[ -n "$dev" ] && [ -e "$dev" ] && return 0
		done
		[ "$WAIT" -gt 0 ] || return 1
		WAIT=$((WAIT - 1))
		sleep "$TICK"
	done
}

look() { # whether an image of this system waits
	set -- $(header 0) 0 none none
	generation=$1 state=$2 image=$3
	set -- $(header 2048) 0 none none
	[ "$1" -le "$generation" ] || { state=$2 image=$3; }
	[ "$state" = complete ] || return 1
	resume=$(text 8 1) tries=0
	case $resume in
	*"khib_resume=$SETUP"*) ;;
	*khib_resume=*) return 1 ;; # of another system
	esac
	case $resume in *khib_guard=[0-9]*) tries=${resume##*khib_guard=} tries=${tries%%[!0-9]*} ;; esac
	case $(text 10 1) in *KHIB-GIVEN-UP* | *"$image"*)
		[ -z "$resume" ] || zeros 1024 | put 8
		return 1
		;;
	esac
}

give_up() {
	zeros 1024 | put 8 && { printf 'KHIB-GIVEN-UP %s\n' "$image" && zeros 465; } | put 10
}

leave() { # a program, and the letter that does it without one
	sleep "$TICK" # what was said last leaves a serial line, and can be read
	"$1" -f
	sleep "$PAUSE"
	echo "$2" >"$SYSRQ"
	sleep "$PAUSE"
	say "khib: that does not work here"
}

off() { leave "$POWEROFF" o; }

resume() {
	say "khib: restarting, to resume; if a boot menu is shown, choose the entry of khib"
	[ "$tries" -gt 8 ] || tries=$((tries + 1))
	{
		printf '# GRUB Environment Block\nkhib_resume=%s\nkhib_guard=%s\n' "$SETUP" "$tries"
		zeros 957 | tr '\000' '#'
	} | put 8
	[ ! -r "$NEXT" ] || sh "$NEXT" || say "khib: $NEXT failed: choose the entry of khib in the boot menu"
	leave "$REBOOT" b
}

answer() { # a line that was typed within so many seconds
	line='' left=$1
	rm -f "$typed"
	( read -r line <"$CONSOLE" && echo "$line" >"$typed.part" && mv "$typed.part" "$typed" ) 2>/dev/null &
	while [ "$left" -gt 0 ] && [ ! -f "$typed" ]; do
		printf '\r%s %s s ' "$2" "$left" 2>/dev/null >"$CONSOLE"
		left=$((left - 1))
		sleep "$TICK"
	done
	kill $! 2>/dev/null
	[ -f "$typed" ] && read -r line <"$typed"
}

ask() {
	say "khib: a hibernated session of this system waits to be resumed. Starting anew would lose it."
	say "khib: Enter: resume   g Enter: give it up and start anew   p Enter: power off"
	act=resume doing='khib: resuming in'
	[ "$tries" -lt 3 ] || act=off doing='khib: the restorer did not come; power off in'
	answer "$COUNTDOWN" "$doing" && act=resume
	case $line in
	p | P) off ;;
	g | G)
		say "khib: type yes and Enter to lose the session"
		answer 60 'khib: still here for'
		[ "$line" = yes ] || return 1
		give_up || say "khib: the image could not be marked; never resume it"
		return 0
		;;
	*) $act ;;
	esac
	return 1
}

swapping() { # perhaps where the image lies: it is lost, and nothing of it may be written
	[ -n "$SWAPS" ] && [ -n "$(sed '1d;\,^/dev/zram,d' "$SWAPS" 2>/dev/null)" ]
}

[ "$1" != mark ] || ! swapping || exit 0
find_device && look || exit 0
if [ "$1" = mark ]; then
	give_up && echo "khib: the hibernated image on $dev was given up: this system was started without it" && exit 0
	echo "khib: the hibernated image on $dev could not be marked: never resume it, this system was started without it"
	exit 1
fi
typed=$RUN/khib-guard.$$
plymouth quit 2>/dev/null
until ask; do :; done
say "khib: starting anew"
exit 0
