"""A small world that is drawn and sounded by a program, so that everything in it is known exactly."""
