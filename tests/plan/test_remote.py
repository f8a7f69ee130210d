"""A place on another machine: what is planned, what the key and the host are, what C is told, what is refused before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from khib_tui.decide.choice import Choice
from khib_tui.errors import ImageError, Refused
from khib_tui.events.types import Event, Message
from khib_tui.facts import network
from khib_tui.handover.cmdline import Words
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.model import target as targets
from khib_tui.model.identity import NOWHERE, TargetRef
from khib_tui.model.remote import Link, Remote, parse
from khib_tui.plan import build, close, remote
from khib_tui.plan.boot import WriteBootEntry
from khib_tui.plan.remote import MakeKey, RemoveKey, TakeRemote
from khib_tui.plan.step import Action, Context
from khib_tui.target import sftp
from tests.kit import sshd
from tests.kit.sshd import Sshd

MakeChoice = Callable[..., Choice]
LINK = Link("52:54:00:6b:68:01", "10.0.2.15", 24, "10.0.2.2")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    folder = tmp_path / "keys"
    for module in (remote, sftp):
        monkeypatch.setattr(module, "KEY", folder / "key")
        monkeypatch.setattr(module, "KNOWN", folder / "known_hosts")
    monkeypatch.setattr(remote, "FOLDER", folder)
    monkeypatch.setattr(remote, "PUBLIC", folder / "key.pub")
    monkeypatch.setattr(network, "link_to", lambda address: LINK)
    with sshd.running(tmp_path / "sshd") as made:
        made.authorized.write_text("")
        yield made


def public_key(server: Sshd) -> Path:
    return server.folder.parent / "keys/key.pub"


def took(choice: Choice, place: Remote) -> TargetRef | None:
    context = Context(lambda event: None)
    TakeRemote(choice, place).apply(context)
    return context.place


def allowed(server: Sshd) -> None:
    with pytest.raises(Refused):
        MakeKey(server.place()).apply(Context(lambda event: None))
    server.allow(public_key(server).read_text())
    MakeKey(server.place()).apply(Context(lambda event: None))


def test_set_up_makes_a_key_for_ssh_alone_and_a_journey_only_looks(choice_of: MakeChoice, tmp_path: Path) -> None:
    choice = choice_of(target="ssh://me@nas/image.khib")
    far = choice.target.remote if choice.target else None
    assert far
    wanted: list[Action] = [MakeKey(far), TakeRemote(choice, far)]
    assert build.setup(choice, tmp_path / "khib.toml")[:2] == wanted
    assert build.journey(choice, Mode.SAVE)[0] == TakeRemote(choice, far)
    share = msgspec.structs.replace(choice, target=targets.parse("nfs://nas/image.khib"))
    first, *rest = build.setup(share, tmp_path / "khib.toml")
    assert "nfs://nas/image.khib" in first.describe()
    assert not any(isinstance(step, MakeKey) for step in (first, *rest))


def test_a_kernel_without_a_driver_is_refused_before(choice_of: MakeChoice) -> None:
    with pytest.raises(Refused, match="no driver for nfs"):
        choice_of(target="nfs://nas/image.khib")


def test_the_entry_leads_c_there(choice_of: MakeChoice, context: Context) -> None:
    choice = choice_of(target="ssh://me@nas/image.khib?dhcp")
    place = msgspec.structs.replace(parse("ssh://me@nas/image.khib?dhcp"), at="10.0.2.2", link=LINK)
    options = WriteBootEntry(choice).entry(TargetRef(NOWHERE, remote=place)).options
    asked = msgspec.structs.replace(place, link=Link(LINK.mac))
    assert targets.from_word(Words.parse(options).image, []).remote == asked
    assert "where the image's file lies" in WriteBootEntry(choice).describe()


@sshd.needs_sshd
def test_a_machine_that_does_not_know_the_key_is_told_the_line_that_it_needs(server: Sshd) -> None:
    step, context = MakeKey(server.place()), Context(lambda event: None)
    with pytest.raises(Refused) as refused:
        step.apply(context)
    public = public_key(server).read_text().strip()
    assert refused.value.hint and f'restrict,command="internal-sftp" {public}' in refused.value.hint
    assert context.changed and public_key(server).with_suffix("").stat().st_mode & 0o777 == 0o600
    server.allow(public)
    told: list[Event] = []
    step.apply(Context(told.append))
    assert public_key(server).read_text().strip() == public
    assert any(isinstance(event, Message) and "SHA256:" in event.text for event in told)


@sshd.needs_sshd
def test_the_way_there_is_noted_once_it_was_seen_that_it_can_be_written(server: Sshd, choice_of: MakeChoice) -> None:
    allowed(server)
    place = took(choice_of(target=str(server.place())), server.place())
    assert place is not None and place.remote == msgspec.structs.replace(server.place(), at="127.0.0.1", link=LINK)
    assert (server.folder / "image.khib").stat().st_size == 0


@sshd.needs_sshd
def test_what_cannot_take_the_image_is_refused(server: Sshd, choice_of: MakeChoice, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed(server)
    choice = choice_of(target=str(server.place()))
    (server.folder / "image.khib").write_bytes(b"a letter")
    with pytest.raises(Refused) as foreign:
        took(choice, server.place())
    assert foreign.value.ident == "HIB-E-TARGET-FILE"
    os.truncate(server.folder / "image.khib", 0)
    monkeypatch.setattr(remote, "image_limit", lambda region: 1 << 60)
    with pytest.raises(Refused) as small:
        took(choice, server.place())
    assert small.value.ident == "HIB-E-TARGET-SMALL"
    with pytest.raises(ImageError, match="No such file"):
        took(choice, msgspec.structs.replace(server.place(), folder="/nowhere"))


def test_removal_takes_the_key_away(tmp_path: Path, context: Context) -> None:
    folder = tmp_path / "ssh"
    folder.mkdir()
    for name in ("key", "key.pub", "known_hosts"):
        (folder / name).write_text("x")
    RemoveKey(folder).apply(context)
    assert not folder.exists() and context.changed
    assert str(folder) in RemoveKey(folder).describe()


@pytest.mark.parametrize(
    ("outcome", "ident", "far", "wanted"),
    [
        (Outcome.RESUMED, "", True, "stays marked as resumed"),
        (Outcome.RESUMED, "", False, ""),
        (Outcome.FAILED, "HIB-E-TARGET-LOST", False, "is not complete"),
        (Outcome.FAILED, "HIB-E-IO", True, ""),
    ],
)
def test_an_image_that_cannot_be_marked_is_only_told_where_it_is_no_harm(
    outcome: Outcome, ident: str, far: bool, wanted: str
) -> None:
    target = TargetRef(NOWHERE, remote=targets.parse("nfs://nas/a").remote if far else None)
    text = close.harmless(target, Report(outcome, "", ident=ident))
    assert wanted in text and bool(text) == bool(wanted)
    assert close.harmless(target, None) == ""
