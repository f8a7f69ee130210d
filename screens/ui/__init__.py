"""What all screens are made of: window, pages, boxes, keys."""
