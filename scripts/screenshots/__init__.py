"""Pictures of the screens, as SVG."""
