"""Everything urwid: the wizard in A, the progress screen in B, the restore screen in C."""
