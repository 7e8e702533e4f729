"""Decoder: features → captions, all running captions in one batch."""
