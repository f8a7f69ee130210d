"""The one place that holds bytes of a mapped device: against stacks that are gone through block by block."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khib_tui.prints.follow import Unmapped, follow
from khib_tui.prints.stack import Member, Segment, Stack, Way
from tests.prints.test_stack import BLOCK, Blocks, stacks

Made = tuple[Stack, dict[str, Blocks]]


@settings(max_examples=300)
@given(stacks(), st.data())
def test_each_block_is_followed_to_its_only_place_or_refused(made: Made, data: st.DataObject) -> None:
    stack, blocks = made
    name = data.draw(st.sampled_from(sorted(blocks)))
    first = data.draw(st.integers(0, len(blocks[name]) - 1))
    last = data.draw(st.integers(first + 1, len(blocks[name])))
    wanted = blocks[name][first:last]
    try:
        places = follow(stack, name, [(first * BLOCK, last * BLOCK)])
    except Unmapped:
        assert any(len(where) != 1 for where in wanted) or ambiguous(stack, name)
        return
    found = [(leaf, at // BLOCK) for leaf, start, end in places for at in range(start, end, BLOCK)]
    assert [{place} for place in found] == wanted
    assert all(one[0] != other[0] or one[2] != other[1] for one, other in pairwise(places))


def twice(item: Segment) -> bool:
    return item.way is Way.ROWS or item.extra > 1 or (item.way is Way.EACH and len(item.members) > 1)


def ambiguous(stack: Stack, name: str) -> bool:
    """Whether a way that can hold bytes twice, or with parity, lies anywhere below: it is refused as a whole."""
    segments = stack.segments.get(name, ())
    return any(map(twice, segments)) or any(ambiguous(stack, member.name) for item in segments for member in item.members)


def crypt(size: int) -> Stack:
    return Stack(
        {"dm-0": (Segment(0, size, Way.EACH, (Member("sda2", 16 << 20),)),)}, {"dm-0": size, "sda2": size + (16 << 20)}
    )


def test_an_encrypted_device_begins_behind_its_header() -> None:
    assert follow(crypt(1 << 30), "dm-0", [(4096, 8192)]) == [("sda2", (16 << 20) + 4096, (16 << 20) + 8192)]


def test_what_lies_side_by_side_is_one_place() -> None:
    assert follow(crypt(1 << 30), "dm-0", [(0, 4096), (4096, 8192)]) == [("sda2", 16 << 20, (16 << 20) + 8192)]


@pytest.mark.parametrize(
    "stack",
    [
        Stack({"dm-0": (Segment(0, 8192, Way.UNKNOWN, (Member("sda"),)),)}, {"dm-0": 8192, "sda": 8192}),
        Stack(
            {"dm-0": (Segment(0, 8192, Way.EACH, (Member("sda"), Member("sdb"))),)}, {"dm-0": 8192, "sda": 8192, "sdb": 8192}
        ),
        Stack({"dm-0": (Segment(4096, 4096, Way.EACH, (Member("sda"),)),)}, {"dm-0": 8192, "sda": 8192}),
        Stack({"dm-0": (Segment(0, 8192, Way.EACH, (Member("sda", 4096),)),)}, {"dm-0": 8192, "sda": 8192}),
    ],
    ids=["unknown", "mirror", "hole", "beyond the end"],
)
def test_what_has_no_single_place_is_refused(stack: Stack) -> None:
    with pytest.raises(Unmapped):
        follow(stack, "dm-0", [(0, 8192)])
