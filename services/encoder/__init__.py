"""Encoder: image bytes → features, batched and cached."""
