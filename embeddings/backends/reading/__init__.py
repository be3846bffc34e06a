"""Reading of page images: lines are detected, cut out, and recognised."""
