"""An image's memory as files for other tools."""
