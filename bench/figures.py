"""What parts hand back: named numbers. The last word of a name is its unit."""

Figures = dict[str, float]
