"""A photo's description, written into its file without touching the picture."""
