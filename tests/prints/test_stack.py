"""Where bytes of a mapped device lie: against stacks that are gone through block by block."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from khib_tui.model.ranges import Ranges, Spans
from khib_tui.prints.stack import Member, Segment, Stack, Way, ends, leaves, resolve

BLOCK = 4096
Blocks = list[set[tuple[str, int]]]
"""For each block of a device, where it is on real disks: name and number of the block."""


def no_ends(stack: Stack) -> Stack:
    """The same stack, whose devices have no ends: what is left is what was asked for."""
    return Stack(stack.segments, {})


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Stack, dict[str, Blocks]]:
    """A stack of up to six layers over three disks, and where each block of each device is."""
    blocks: dict[str, Blocks] = {f"sd{letter}": [{(f"sd{letter}", at)} for at in range(24)] for letter in "abc"}
    segments: dict[str, tuple[Segment, ...]] = {}
    for number in range(draw(st.integers(1, 6))):
        name, built, pieces = f"dm-{number}", Blocks(), []
        for _ in range(draw(st.integers(1, 3))):
            segment, more = draw(one_segment(blocks, len(built)))
            pieces.append(segment)
            built += more
        segments[name], blocks[name] = tuple(pieces), built
    return Stack(segments, {name: len(found) * BLOCK for name, found in blocks.items()}), blocks


@st.composite
def one_segment(draw: st.DrawFn, blocks: dict[str, Blocks], start: int) -> tuple[Segment, Blocks]:
    """A segment over what is there, and its blocks, taken from its members one after the other."""
    way = draw(st.sampled_from([Way.EACH, Way.STRIPES, Way.ROWS]))
    count = draw(st.integers(3, 4) if way is Way.ROWS else st.integers(1, 3))
    extra = draw(st.integers(1, 2)) if way is Way.ROWS else draw(st.integers(1, count)) if way is Way.STRIPES else 1
    chunk = draw(st.integers(1, 2))
    names = [draw(st.sampled_from(sorted(blocks))) for _ in range(count)]
    starts = [draw(st.integers(0, len(blocks[name]) // 2)) for name in names]
    rest = [blocks[name][at:] for name, at in zip(names, starts, strict=True)]
    length = min(map(len, rest))
    built = {Way.EACH: mirror, Way.STRIPES: stripes, Way.ROWS: rows}[way](rest, length, chunk, extra)
    members = tuple(Member(name, at * BLOCK) for name, at in zip(names, starts, strict=True))
    return Segment(start * BLOCK, len(built) * BLOCK, way, members, chunk * BLOCK, extra), built


def mirror(rest: list[Blocks], length: int, _chunk: int, _extra: int) -> Blocks:
    return [set().union(*(member[at] for member in rest)) for at in range(length)]


def stripes(rest: list[Blocks], length: int, chunk: int, copies: int) -> Blocks:
    """Deal chunks to the members in turn, each so many times, until one is full."""
    built, used, turn = Blocks(), [0] * len(rest), 0
    while True:
        places: Blocks = [set() for _ in range(chunk)]
        for _ in range(copies):
            member = turn % len(rest)
            if used[member] + chunk > length:
                return built
            for at in range(chunk):
                places[at] |= rest[member][used[member] + at]
            used[member] += chunk
            turn += 1
        built += places


def rows(rest: list[Blocks], length: int, chunk: int, parity: int) -> Blocks:
    """Take a chunk of every member for each row, which holds so many chunks less of data."""
    built = Blocks()
    for row in range(length // chunk):
        row_blocks = [set().union(*(member[row * chunk + at] for member in rest)) for at in range(chunk)]
        built += row_blocks * (len(rest) - parity)
    return built


def as_places(found: set[tuple[str, int]]) -> dict[str, Ranges]:
    names = {name for name, _ in found}
    return {
        name: Ranges.of((at * BLOCK, (at + 1) * BLOCK) for other, at in found if other == name) for name in names
    }  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(stacks(), st.data())
def test_every_byte_is_found_where_it_is_on_the_disks(made: tuple[Stack, dict[str, Blocks]], data: st.DataObject) -> None:
    stack, blocks = made
    name = data.draw(st.sampled_from(sorted(stack.segments)))
    last = len(blocks[name])
    numbers = data.draw(st.lists(st.integers(0, max(last - 1, 0)), max_size=5)) if last else []
    places, blind = resolve(no_ends(stack), name, [(at * BLOCK, (at + 1) * BLOCK) for at in numbers])
    wanted = as_places(set().union(*(blocks[name][at] for at in numbers)))
    assert {leaf: spans for leaf, spans in places.items() if spans} == wanted and not blind


@settings(max_examples=100, deadline=None)
@given(stacks())
def test_the_ends_of_all_carriers_are_taken_and_never_more_than_a_disk_has(made: tuple[Stack, dict[str, Blocks]]) -> None:
    stack, blocks = made
    name = max(stack.segments)
    places, _ = resolve(stack, name, [])
    assert set(places) == leaves(stack, name)
    assert all(spans.end <= 24 * BLOCK for spans in places.values())
    for leaf in (member.name for segment in stack.segments[name] for member in segment.members):
        if leaf not in stack.segments:
            assert places[leaf].covers(Ranges.of(ends(len(blocks[leaf]) * BLOCK)))


def test_part_of_a_chunk_is_part_of_a_chunk() -> None:
    striped = Segment(0, 64 * BLOCK, Way.STRIPES, (Member("sda", BLOCK), Member("sdb")), 4 * BLOCK)
    places, _ = resolve(Stack({"md0": (striped,)}, {}), "md0", [(4 * BLOCK + 100, 8 * BLOCK + 1)])
    assert wanted(places) == {"sda": ((5 * BLOCK, 5 * BLOCK + 1),), "sdb": ((100, 4 * BLOCK),)}


def wanted(places: dict[str, Ranges]) -> dict[str, Spans]:
    return {name: spans.spans for name, spans in places.items() if spans}


def test_a_member_that_is_not_there_is_passed_over() -> None:
    array = Segment(0, 8 * BLOCK, Way.EACH, (Member("sda", 0), Member("")))
    assert wanted(resolve(Stack({"md0": (array,)}, {}), "md0", [(0, 10)])[0]) == {"sda": ((0, 10),)}


def test_what_nobody_sees_through_names_the_disks_below_it() -> None:
    thin = Segment(0, 8 * BLOCK, Way.UNKNOWN, (Member("dm-0"),))
    pool = Segment(0, 8 * BLOCK, Way.EACH, (Member("sda"), Member("sdb")))
    stack = Stack({"dm-1": (thin,), "dm-0": (pool,)}, {"dm-0": 8 * BLOCK, "sda": 9 * BLOCK, "sdb": 9 * BLOCK})
    places, blind = resolve(stack, "dm-1", [(0, 1)])
    assert blind == {"sda", "sdb"} and all(places[name].covers(Ranges.of([(0, 9 * BLOCK)])) for name in blind)
