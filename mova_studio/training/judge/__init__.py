"""What a clip shows and sounds like, told by program against the world's own pictures and sounds."""
