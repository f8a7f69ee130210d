"""`python3 -m khib_tui` is the `khib` command."""

import sys
from pathlib import Path

# `-m` puts the working directory first: unless khib itself lies there, nothing may be imported from it.
_HOME = str(Path(__file__).resolve().parent.parent)
if not sys.flags.safe_path and str(Path(sys.path[0]).resolve()) != _HOME:
    del sys.path[0]

from khib_tui.cli import main  # noqa: E402

raise SystemExit(main())
