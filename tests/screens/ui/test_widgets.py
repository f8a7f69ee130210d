"""The small widgets that pages are made of."""

from __future__ import annotations

import pytest

from screens.ui import widgets


@pytest.mark.parametrize(("columns", "rows"), [(78, 1), (40, 2), (20, 3)])
def test_buttons_take_the_rows_they_need_before_they_were_ever_drawn(columns: int, rows: int) -> None:
    buttons = widgets.button_row([(label, lambda: None) for label in ("Set up", "Hibernate now", "Back")])
    assert buttons.pack((columns,)) == (columns, rows)
    assert len(buttons.render((columns,)).text) == rows
