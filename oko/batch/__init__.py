"""Captions for millions of photos: one plan, many machines, each photo exactly once."""
