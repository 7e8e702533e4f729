"""Gateway: the public face. Uploads in, captions out."""
