"""From takes to one film: the timeline as data, its edits, its render, its exchange with other programs."""
