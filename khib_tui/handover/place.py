"""Where B finds what A gave it; PID 1 looks only whether it is there."""

PATH = "khib/handover.json"
