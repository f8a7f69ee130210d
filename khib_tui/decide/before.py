"""What is to be known before a hibernation: likely size and time, room, battery, and when it was last rehearsed."""

from __future__ import annotations

from collections.abc import Sequence

from khib_tui.decide import room
from khib_tui.decide.choice import Choice, image_limit
from khib_tui.decide.forecast import forecast, used_now
from khib_tui.decide.rehearsals import Now, advice
from khib_tui.i18n import N_, _
from khib_tui.model.journey import Journey
from khib_tui.model.machine import Machine
from khib_tui.model.target import Kind
from khib_tui.model.units import size

NOTHING_YET = N_("How long it takes is not known yet: a rehearsal that saves shows it.")


def before(choice: Choice, journeys: Sequence[Journey], now: Now) -> list[str]:
    """Return it, a sentence or two a line.

    :param journeys: the earlier ones, the oldest first.
    """
    likely = forecast(journeys, used_now(choice.machine), choice.settings.target)
    lines = [likely.text if likely else _(NOTHING_YET), _room(choice), battery(choice.machine), advice(journeys, now)]
    return [line for line in lines if line]


def _room(choice: Choice) -> str:
    """Say how much room there is; of a file that is looked at when it is opened."""
    target = choice.target
    if target is None or target.own or target.kind is not Kind.PARTITION:
        return ""
    device = choice.machine.device(target.device)
    if device is None:
        return ""
    most = image_limit(choice.region)
    text = _("Room: {device} has {size}, the image needs {most} at most.")
    if room.tight(choice.machine, target, most):
        text = _("Room: tight: {device} has {size}, the image needs {most} at most.")
    return text.format(device=device.path, size=size(device.size), most=size(most))


def battery(machine: Machine) -> str:
    """Say how full the battery is; '' for a machine without one."""
    if machine.battery_percent is None:
        return ""
    plugged = {True: _(", plugged in"), False: _(", not plugged in"), None: ""}[machine.on_ac]
    return _("Battery: {percent:.0f} %{plugged}.").format(percent=machine.battery_percent, plugged=plugged)
