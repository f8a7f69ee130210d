"""`python3 -m khib_tui` is the `khib` command."""

from khib_tui.cli import main

raise SystemExit(main())
